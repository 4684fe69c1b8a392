"""Budgets, cache, secrets and bad input of a served model, through the command line."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from harness import preparing
from harness.cli import main
from harness.store import RunFolder
from tests.backends.fake_server import FakeServer, changed, echo, good, status
from tests.e2e.test_remote_run import SMALL, _manifest, definition, run

KEY = "sk-very-secret-0123456789"
MAIN = "import sys; from harness.cli import main; sys.exit(main())"
SAMPLED = "logprobs: false\ndecoding: {samples: 2}\n"
PRICED = SAMPLED + "prices: {input: 1000, output: 1000}\n"


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


def test_a_line_at_the_start_says_what_is_offered_and_how_it_is_measured(place, server, capfd):
    assert run(definition(place, server)) == 0
    said = capfd.readouterr().err
    assert "serves 'fake-2024-05-01': first-token probabilities (top 20), sampled text; " in said
    assert "kind 'decision' is measured from first-token probabilities" in said
    server.logprobs = False
    shutil.rmtree("results/ledger")  # there a name stands for one fingerprint
    assert run(definition(place, server, "decoding: {samples: 3}\n")) == 0
    said = capfd.readouterr().err
    assert "no first-token probabilities, sampled text; kind 'decision' is measured from 3" in said


@pytest.mark.parametrize(
    ("decoding", "texts", "answers"),
    [
        ("", "2 sampled answers", "8 sampled answers"),
        ("decoding: {samples: 3}\n", "3 sampled answers", "3 sampled answers"),
        ("decoding: {temperature: 0}\n", "1 sampled answer", "1 sampled answer"),
    ],
)
def test_the_line_at_the_start_counts_the_answers_of_every_kind(
    place, server, capfd, decoding, texts, answers
):
    model = definition(place, server, "logprobs: false\n" + decoding)
    assert main(["run", "--model", model, "--suite", "core", "--axes", "gender=woman,man",
                 "--limit", "1", "--dry-run"]) == 0  # fmt: skip
    said = " ".join(capfd.readouterr().err.split())
    assert f"kind 'generation' is measured from {texts} a prompt" in said
    assert f"kind 'decision' is measured from {answers} a prompt" in said


def test_a_dry_run_estimates_tokens_and_cost(place, server, capfd):
    assert run(definition(place, server, PRICED), "--dry-run", "--json") == 0
    counts = orjson.loads(capfd.readouterr().out)
    assert counts["requests"] == counts["prompts"]
    bill = counts["bill"]
    assert bill["completion_tokens"] == 8 * counts["requests"]
    assert bill["cost"] == pytest.approx((bill["prompt_tokens"] + bill["completion_tokens"]) / 1000)
    assert run(definition(place, server, PRICED), "--dry-run") == 0
    said = " ".join(capfd.readouterr().out.split())
    assert f"at most about {bill['cost']:.2f} USD" in said
    assert run(definition(place, server, SAMPLED), "--dry-run") == 0
    assert "has no prices" in " ".join(capfd.readouterr().out.split())
    assert server.seen == []


def test_a_dry_run_makes_every_prompt_once(place, server, monkeypatch):
    made = []
    ask = preparing.Plan.requests

    def counted(plan, prompts):
        made.extend(prompts)
        return ask(plan, prompts)

    monkeypatch.setattr(preparing.Plan, "requests", counted)
    assert run(definition(place, server, PRICED), "--dry-run") == 0
    ids = [prompt.id for prompt in made]
    assert len(ids) == len(set(ids)) > 0


@pytest.mark.parametrize("limit", [("--max-requests", "15"), ("--max-cost", "0.5")])
def test_a_budget_stops_cleanly_and_the_next_command_goes_on(place, server, capfd, limit):
    model = definition(place, server, PRICED)
    assert run(model, *limit) == 3
    said = capfd.readouterr().err
    assert limit[0] in said and "answered and kept; give the same command again" in said
    usage = _manifest(place)["backend"]["usage"]
    assert 10 <= usage["requests"] == len(server.seen) <= 15
    first = len(server.seen)
    assert run(model, *limit) == 3
    assert len(server.seen) > first
    assert run(model) == 0
    prompts = _manifest(place)["design"]["prompts"]
    assert len(server.seen) == prompts  # nothing was asked twice
    usage = _manifest(place)["backend"]["usage"]
    tokens = _manifest(place)["tokens"]
    assert usage["requests"] == prompts
    assert usage["prompt_tokens"] == tokens["prompt"]
    assert usage["cost"] == pytest.approx((tokens["prompt"] + tokens["completion"]) / 1000)


def test_a_cache_serves_a_second_run(place, server, capfd, monkeypatch):
    monkeypatch.setenv("BIAS_HARNESS_CACHE", str(place / "cache"))
    model = definition(place, server, SAMPLED)
    assert run(model, "--cache", "--out", "one") == 0
    asked = len(server.seen)
    assert run(model, "--cache", "--out", "two") == 0
    assert len(server.seen) == asked + 1  # what it serves now
    one, two = (orjson.loads((place / n / "effects.json").read_bytes()) for n in ("one", "two"))
    assert one == two
    capfd.readouterr()
    assert main(["cache", "list", "--json"]) == 0
    [row] = orjson.loads(capfd.readouterr().out)
    assert row["name"] == "served" and row["answers"] == asked - 1
    assert main(["cache", "list"]) == 0 and "served" in capfd.readouterr().out
    assert main(["cache", "clear", "nobody"]) == 2
    assert main(["cache", "clear", "served"]) == 0
    assert main(["cache", "list"]) == 0 and "none" in capfd.readouterr().out


@pytest.mark.parametrize("flag", [("--cache",), ("--max-cost", "1"), ("--max-requests", "5")])
def test_limits_of_a_server_are_refused_for_a_local_model(place, capfd, flag):
    assert main(["run", *flag]) == 2
    assert f"{flag[0]}: model 'smollm2-135m-instruct-q4_1' is not behind a server" in (
        capfd.readouterr().err
    )


def test_a_server_that_changes_is_reported_at_the_end(place, server, capfd):
    server.script.extend([good] * 5)
    server.act = changed(lambda answer: answer.update(system_fingerprint="fp_2"))
    assert run(definition(place, server)) == 0
    assert "not one server answered this run: system fingerprints fp_1, fp_2" in (
        capfd.readouterr().err
    )


# -- secrets ------------------------------------------------------------------------------------


def test_the_key_is_in_no_output(place, server, tmp_path):
    """Everything that a run prints and writes, and what others see of its process."""
    calls = 0

    async def act(this, request, body):
        nonlocal calls
        calls += 1
        told = changed(lambda answer: answer["choices"][0]["message"].update(content=f"Yes {KEY}"))
        acts = (good, told, status(500, f"bad {KEY}"), echo, good, good, good)
        return await acts[calls % len(acts)](this, request, body)

    server.act = act
    server.latency = 0.02
    model = definition(
        place, server, SAMPLED + "api_key_env: TEST_KEY\nheaders: {X-Second-Key: '${SECOND}'}\n"
    )
    command = [sys.executable, "-X", "dev", "-c", MAIN, "run", "--model", model, *SMALL]
    second = "another-secret-98765"
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=place,
        env={**os.environ, "TEST_KEY": KEY, "SECOND": second, "PYTHONASYNCIODEBUG": "1",
             "BIAS_HARNESS_CACHE": str(place / "cache"),
             "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    lines = b""
    end = time.monotonic() + 60
    while not server.seen and time.monotonic() < end:
        time.sleep(0.05)
    if sys.platform == "linux":
        lines = Path(f"/proc/{child.pid}/cmdline").read_bytes()
    out, _ = child.communicate(timeout=120)
    assert calls > 20 and all(h["Authorization"] == f"Bearer {KEY}" for h in server.headers)
    assert all(h["X-Second-Key"] == second for h in server.headers)
    written = [path for path in place.rglob("*") if path.is_file()]
    assert any(path.name == "manifest.json" for path in written)
    for secret in (KEY.encode(), second.encode()):
        assert secret not in out + lines
        for path in written:
            assert secret not in path.read_bytes(), path
    [folder] = (place / "results" / "runs").iterdir()
    texts = [r.text or "" for r in RunFolder(folder).responses().values()]
    assert "Yes [key]" in texts


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "code", "words"),
    [
        (status(401, "wrong key"), 4, "access refused (401: wrong key)"),
        (status(404, "no model 'm'"), 4, "not found (404: no model 'm')"),
        (status(400, "seed: unsupported parameter"), 4, "400: seed: unsupported parameter"),
        (status(400, "context length exceeded"), 4, "400: context length exceeded"),
        (status(301, Location="http://127.0.0.2/v1"), 4, "redirects to 'http://127.0.0.2/v1'"),
    ],
)
def test_bad_input_that_the_server_finds(place, server, capfd, act, code, words):
    server.act = act
    assert run(definition(place, server)) == code
    said = capfd.readouterr().err
    assert words in said and "Traceback" not in said
    assert len(server.seen) == 1
    assert not (place / "results").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("api_key_env: NO_SUCH_KEY_HERE\n", "environment variable NO_SUCH_KEY_HERE"),
        ("api_key_file: missing\n", "cannot be read: No such file"),
        ("api_key_file: missing\napi_key_env: A\n", "api_key_env or api_key_file, not both"),
        ("headers: {Authorization: Bearer x}\n", "looks like a secret"),
        ("proxy: nowhere\n", "proxy must be an address"),
        ("extra_body: {n: 3}\n", "'n' is the harness's own"),
        ("prices: {input: -1, output: 2}\n", "prices.input"),
        ("endpoint: edits\n", "'endpoint'"),
    ],
)
def test_bad_input_that_is_found_before_anything_is_sent(place, server, capfd, more, words):
    assert run(definition(place, server, more)) == 2
    said = capfd.readouterr().err
    assert words in said and "Traceback" not in said
    assert server.seen == []


@pytest.mark.parametrize("url", ["localhost:8000/v1", "127.0.0.1:8000", "ftp://h/v1", "//h/v1"])
def test_an_address_without_a_scheme(place, server, capfd, url):
    file = Path(definition(place, server))
    file.write_text(file.read_text().replace(server.url, url))
    assert run(str(file)) == 2
    said = capfd.readouterr().err
    assert f"base_url': '{url}' is no web address: it begins with http://" in said


def test_a_server_that_is_not_there(place, capfd):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        file = place / "m.yaml"
        file.write_text(
            "name: m\nfamily: m\nversion: '1'\nbackend: openai\nmodel: m\nretries: 0\n"
            f"base_url: http://127.0.0.1:{probe.getsockname()[1]}/v1\n"
        )
    assert run(str(file)) == 4
    assert "the server is down" in capfd.readouterr().err
