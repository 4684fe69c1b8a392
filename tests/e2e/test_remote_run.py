"""Whole runs against a server of the tests, through the command line."""

from __future__ import annotations

from pathlib import Path

import orjson

from harness.cli import main
from tests.backends.fake_server import FakeServer, status

SMALL = ["--limit", "6", "--axes", "age=22,70"]


def definition(place: Path, server: FakeServer, more: str = "") -> str:
    file = place / "served.yaml"
    file.write_text(
        f"name: served\nfamily: served\nversion: '1'\nbackend: openai\n"
        f"base_url: {server.url}\nmodel: m\nretries: 0\nconcurrency: 2\n{more}",
        encoding="utf-8",
    )
    return str(file)


def run(model: str, *more: str) -> int:
    return main(["run", "--model", model, *SMALL, *more])


def test_a_finished_run_is_shown_without_its_server(place, capfd) -> None:
    with FakeServer() as server:
        model = definition(place, server)
        assert run(model) == 0
        first = capfd.readouterr().out
        asked = len(server.seen)
        assert run(model) == 0
        assert len(server.seen) == asked
    assert run(model) == 0
    said = capfd.readouterr()
    assert "this run is finished" in said.err
    assert first in said.out
    assert run(model, "--fresh") == 4  # that one needs it
    assert "kept" not in capfd.readouterr().err


def test_an_unfinished_run_goes_on_as_it_began(place, capfd) -> None:
    """A server that shows no log-probabilities for once must not change the design."""
    with FakeServer() as server:
        model = definition(place, server)
        assert run(model, "--shard", "1/2") == 0
        measured = _manifest(place)["measured"]
        server.kill()
    assert run(model) == 4
    said = capfd.readouterr().err
    assert "server is down" in said
    assert "answered and kept" in said
    with FakeServer(port=int(server.url.split(":")[-1].split("/")[0])) as server:
        server.logprobs = False
        run(model)
        assert _manifest(place)["measured"] == measured  # one folder, of one design
        server.logprobs = True
        assert run(model) == 0
    assert _manifest(place)["state"] == "finished"


def test_a_server_that_ignores_the_temperature_is_named(place, capfd) -> None:
    with FakeServer() as server:
        server.logprobs = False
        server.chances = lambda prompt: {"Yes ": 1.0} if len(prompt) % 2 else {"No ": 1.0}
        assert run(definition(place, server, "decoding: {temperature: 1, samples: 3}\n")) == 0
    assert "is the temperature 0, or ignored?" in " ".join(capfd.readouterr().out.split())


def test_failed_prompts_are_not_called_answered(place, capfd) -> None:
    with FakeServer(act=status(500)) as server:
        model = definition(place, server, "logprobs: true\n")
        assert run(model, "--limit", "36") == 4
        said = capfd.readouterr().err
        assert "\n0 of 144 prompts are answered and kept" in said
        assert not (place / "results" / "ledger").exists()


def _manifest(place: Path) -> dict:
    [path] = (place / "results" / "runs").glob("*/manifest.json")
    return orjson.loads(path.read_bytes())
