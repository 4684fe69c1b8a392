"""The whole way on the real embedded model, as a user walks it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import pipeline, preparing
from harness.responses import read_log
from harness.store import RunFolder

pytestmark = pytest.mark.slow
SMALL = ["run", "--axes", "gender=woman,man", "age=22,70", "--limit", "6"]
CODE = "import sys; from harness.cli import main; sys.exit(main())"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", CODE, *arguments]


def call(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=400, **options
    )


@pytest.fixture(scope="module")
def finished(real_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small run, undisturbed, in a folder of its own outside the checkout."""
    place = tmp_path_factory.mktemp("user")
    done = call(*SMALL, "--out", "whole", cwd=place)
    assert done.returncode == 0, done.stderr
    return place / "whole"


def test_a_small_run_measures_something_real(finished):
    run = pipeline.Run(RunFolder(finished))
    probe = run.results["probes"][0]
    assert probe["mass"]["mean"] > 0.05
    assert all(0 < rate["mean"] < 1 for rate in probe["base_rate"].values())
    assert len({e["estimate"] for e in run.effects}) > 2
    assert run.manifest["backend"]["device"] in ("cpu", "cuda:0")
    assert run.manifest["tokens"]["prompt"] > 30 * run.responses.num_rows
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page


def test_killed_again_and_again_it_ends_with_the_same_digits(finished, tmp_path):
    """kill -9 after each few answers; then the same command until it is done."""
    folder = RunFolder(tmp_path / "cut")
    kills, seen = 0, 0
    for _ in range(20):
        process = subprocess.Popen(
            command(*SMALL, "--out", str(folder.path)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 300
        goal = seen + 14
        while process.poll() is None and time.monotonic() < deadline and kills < 3:
            logs = folder.logs()
            lines = logs[0].read_bytes().count(b"\n") if logs else 0
            if lines >= goal:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
                seen = lines
                break
            time.sleep(0.02)
        _, err = process.communicate(timeout=300)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, err
        prompts = [p for log in folder.logs() for p in read_log(log)["prompt"].to_pylist()]
        assert len(prompts) >= seen
    assert kills == 3
    assert process.returncode == 0
    assert (folder.path / "effects.json").read_bytes() == (finished / "effects.json").read_bytes()


def test_slices_give_the_same_digits(finished, tmp_path):
    for i in (1, 2):
        done = call(*SMALL, "--shard", f"{i}/2", "--out", f"part{i}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = call("merge", "part1", "part2", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    merged = (tmp_path / "part1" / "effects.json").read_bytes()
    assert merged == (finished / "effects.json").read_bytes()
    assert json.loads(done.stdout)["effects"]


def test_interrupting_a_real_run_keeps_its_answers(real_model, tmp_path):
    process = subprocess.Popen(
        command(*SMALL, "--out", "cut"), cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    log = tmp_path / "cut" / "responses.jsonl"
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not (log.exists() and log.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Give the same command again to go on" in err
    assert "Traceback" not in err
    assert read_log(log).num_rows


def test_quick_keeps_its_token_budget(real_model):
    """At most 125,000 prompt tokens under the embedded model's chat template."""
    plan = preparing.prepare("smollm2-135m-instruct-q4_1", "quick")
    counts = preparing.estimate(plan)
    assert counts["tokens_counted"]
    assert 50_000 < counts["tokens"] <= 125_000
