"""Answers kept from run to run: of this very model, and of no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.backends import response_cache
from harness.backends.remote import RemoteBackend
from harness.errors import InputError
from harness.nouns import Finish, Response, Want
from tests.backends.asking import asks, backend
from tests.backends.fake_server import FakeServer, changed, status

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIAS_HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "responses"


def ask(
    server: FakeServer, count: int, want: Want = Want.TEXT, **keys: Any
) -> tuple[dict[str, Response], int]:
    """All responses by prompt, and how many requests beside the probe they took."""
    before = len(server.seen)
    asked = RemoteBackend(backend(server, **keys).model, cache=True)
    found = {r.prompt: r for r in asked.answer([asks(count, want)])}
    cached = asked.facts()["usage"]["cached"]
    asked.close()
    sent = len(server.seen) - before - 1
    assert len(found) == count and cached == count * (6 if want is Want.SEQUENCE else 1) - sent
    return found, sent


@pytest.mark.parametrize("want", list(Want))
def test_the_second_time_is_free_and_the_same(server: FakeServer, want: Want) -> None:
    server.prompt_logprobs = True
    first, sent = ask(server, 10, want)
    again, none = ask(server, 10, want)
    assert first == again and sent > 0 and none == 0
    more, few = ask(server, 12, want)
    assert few == sent // 10 * 2 and {p: more[p] for p in first} == first


def test_off_by_default(server: FakeServer, folder: Path) -> None:
    list(backend(server).answer([asks(3)]))
    assert not folder.exists()


@pytest.mark.parametrize(
    "other",
    [
        {"decoding": {"temperature": 0.5}}, {"model": "another"}, {"system_prompt": "Be fair."},
        {"extra_body": {"top_k": 5}}, {"headers": {"X-Variant": "b"}}, {"endpoint": "completions"},
    ],
)  # fmt: skip
def test_never_across_fingerprints(server: FakeServer, other: dict[str, Any]) -> None:
    ask(server, 4)
    assert ask(server, 4, **other)[1] == 4
    assert ask(server, 4)[1] == 0


def test_a_server_that_serves_another_version_is_asked_anew(server: FakeServer) -> None:
    ask(server, 4)
    server.act = changed(lambda answer: answer.update(system_fingerprint="fp_2"))
    assert ask(server, 4)[1] == 4
    server.act = changed(lambda answer: answer.update(model="fake-2024-06-01"))
    assert ask(server, 4)[1] == 4


def test_another_seed_or_sample_is_another_question(server: FakeServer) -> None:
    from dataclasses import replace

    asked = RemoteBackend(backend(server).model, cache=True)
    [one] = asks(1, Want.TEXT)
    others = [one, replace(one, seed=9), replace(one, sample=3), replace(one, max_tokens=9)]
    list(asked.answer([[request] for request in others]))
    assert asked.facts()["usage"]["cached"] == 0
    list(asked.answer([[replace(one, prompt="renamed")]]))
    assert asked.facts()["usage"]["cached"] == 1
    asked.close()


def test_failures_are_not_kept(server: FakeServer) -> None:
    from tests.backends.fake_server import good

    server.script.append(good)  # the probe
    server.act = status(400, "no")
    found, _ = ask(server, 3)
    assert {r.finish for r in found.values()} == {Finish.ERROR}
    server.act = good
    found, sent = ask(server, 3)
    assert sent == 3 and {r.finish for r in found.values()} == {Finish.STOP}


def test_listing_and_clearing(server: FakeServer, folder: Path) -> None:
    assert response_cache.listing() == [] and response_cache.clear() == []
    ask(server, 5)
    ask(server, 2, name="other", model="other")
    rows = {row["name"]: row for row in response_cache.listing()}
    assert {name: row["answers"] for name, row in rows.items()} == {"m": 5, "other": 2}
    assert rows["m"]["base_url"] == server.url and rows["m"]["bytes"] > 0
    assert response_cache.clear("other") == [rows["other"]["fingerprint"]]
    with pytest.raises(InputError, match="nothing is kept under this name"):
        response_cache.clear("other")
    assert response_cache.clear(rows["m"]["fingerprint"]) == [rows["m"]["fingerprint"]]
    assert list(folder.iterdir()) == []


def test_a_damaged_file_is_named_and_can_be_cleared(server: FakeServer, folder: Path) -> None:
    ask(server, 1)
    [path] = folder.glob("*.sqlite")
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(InputError, match="cache clear"):
        ask(server, 1)
    assert response_cache.clear() == [path.stem[:8]]
    assert ask(server, 1)[1] == 1


def test_only_the_owner_can_read_it(server: FakeServer, folder: Path) -> None:
    ask(server, 1)
    [path] = folder.glob("*.sqlite")
    assert path.stat().st_mode & 0o077 == 0
