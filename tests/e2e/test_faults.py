"""Whole runs against a server process that misbehaves, is killed, and comes back.

The clean run is the measure: whatever happens, the same command given again until it is done
must end in exactly its effects.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from harness.responses import read_log
from harness.store import RunFolder
from tests.backends.fake_server import free_port

ROOT = Path(__file__).parents[2]
MAIN = "import sys; from harness.cli import main; sys.exit(main())"


@pytest.fixture
def port() -> int:
    return free_port()


@contextmanager
def serving(port: int, rate: float) -> Iterator[subprocess.Popen[str]]:
    """A server process; killed at the end, if it still lives."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.backends.faulty_server", str(port), str(rate)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline().startswith("http://127.0.0.1")
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


class Runner:
    """One command, given as often as it takes."""

    def __init__(self, place: Path, port: int, samples: int, axes: tuple[str, ...]) -> None:
        self.place = place
        self.model = place / "served.yaml"
        self.model.write_text(
            "name: served\nfamily: served\nversion: '1'\nbackend: openai\nlogprobs: false\n"
            f"base_url: http://127.0.0.1:{port}/v1\nmodel: m\nconcurrency: 64\ntimeout: 2\n"
            f"retries: 5\ndecoding: {{samples: {samples}}}\n"
        )
        self.axes = ["--axes", *axes] if axes else []

    def start(self, out: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, "run", "--model", str(self.model), *self.axes,
             "--out", str(self.place / out)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.place,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def whole(self, out: str) -> bytes:
        """A run from where it is to its end: its effects."""
        child = self.start(out)
        said = child.communicate(timeout=550)[0].decode()
        assert child.returncode == 0, said
        return (self.place / out / "effects.json").read_bytes()

    def kept(self, out: str) -> list[str]:
        log = self.place / out / "responses.jsonl"
        return read_log(log)["prompt"].to_pylist() if log.exists() else []


@dataclass(frozen=True)
class Clean:
    """A run without a fault, and what was asked in it."""

    folder: RunFolder
    samples: int
    axes: tuple[str, ...]

    @property
    def effects(self) -> bytes:
        return (self.folder.path / "effects.json").read_bytes()


def clean_run(place: Path, samples: int, axes: tuple[str, ...]) -> Clean:
    port = free_port()
    with serving(port, 0.0):
        Runner(place, port, samples, axes).whole("clean")
    return Clean(RunFolder(place / "clean"), samples, axes)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """One axis, a few hundred requests."""
    return clean_run(tmp_path_factory.mktemp("small"), 4, ("gender",))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """The whole suite in 3 samples a prompt: 4,428 requests, some thirty faults of each sort."""
    return clean_run(tmp_path_factory.mktemp("large"), 3, ())


def check_faults(place: Path, port: int, clean: Clean) -> None:
    runner = Runner(place, port, clean.samples, clean.axes)
    with serving(port, 0.1):
        assert runner.whole("faulty") == clean.effects
    usage = RunFolder(place / "faulty").manifest()["backend"]["usage"]
    assert usage["retries"] > 0.1 * usage["requests"]
    statuses = [e["statuses"] for e in orjson.loads(clean.effects)["effects"]]
    assert any("refused" in s for s in statuses) and not any("error" in s for s in statuses)


def check_kills(place: Path, port: int, clean: Clean, kills: int) -> None:
    runner = Runner(place, port, clean.samples, clean.axes)
    total = len(clean.folder.responses())
    dice = random.Random(0)
    with serving(port, 0.1):
        for kill in range(kills):
            before = len(runner.kept("killed"))
            until = min(before + dice.randrange(1, max(2, total // (kills + 1))), total - 70)
            child = runner.start("killed")
            while len(runner.kept("killed")) < until and child.poll() is None:
                time.sleep(0.02)
            child.kill()
            child.communicate()
            kept = runner.kept("killed")
            assert len(kept) == len(set(kept)) >= before, f"kill {kill}"
        assert runner.whole("killed") == clean.effects
    found = RunFolder(place / "killed").responses()
    assert found == clean.folder.responses() and len(found) == total


def test_transient_faults_change_nothing(place: Path, port: int, small: Clean) -> None:
    check_faults(place, port, small)


def test_kills_of_the_harness_lose_and_double_nothing(place: Path, port: int, small: Clean) -> None:
    check_kills(place, port, small, kills=2)


def test_a_killed_server_ends_the_run_and_a_new_one_takes_it_up(
    place: Path, port: int, small: Clean
) -> None:
    runner = Runner(place, port, small.samples, small.axes)
    runner.model.write_text(runner.model.read_text().replace("retries: 5", "retries: 1"))
    with serving(port, 0.0) as server:
        child = runner.start("left")
        while len(runner.kept("left")) < 100 and child.poll() is None:
            time.sleep(0.02)
        server.kill()
        said = child.communicate(timeout=120)[0].decode()
    assert child.returncode == 4, said
    assert "the server is down" in said and "give the same command again to go on" in said
    assert "Traceback" not in said and len(runner.kept("left")) >= 100
    with serving(port, 0.0):
        assert runner.whole("left") == small.effects


@pytest.mark.slow
def test_thousands_of_requests_with_faults(place: Path, port: int, large: Clean) -> None:
    assert len(large.folder.responses()) == 4_428
    check_faults(place, port, large)


@pytest.mark.slow
def test_thousands_of_requests_and_ten_kills(place: Path, port: int, large: Clean) -> None:
    check_kills(place, port, large, kills=10)
