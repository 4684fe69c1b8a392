"""How fast requests go out: alone at first, bounded, spaced, held back when the server says so."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from harness.backends import http
from harness.backends.pace import Pace
from harness.nouns import Finish, Want
from tests.backends.asking import answers, asks, backend
from tests.backends.fake_server import FakeServer, good, status
from tests.backends.test_chat import model

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]


async def starts(pace: Pace, count: int, tokens: int = 1) -> list[float]:
    """Seconds after which each of `count` requests was let through, none of which ends."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one() -> float:
        await pace.enter(tokens)
        return loop.time() - began

    return sorted(await asyncio.gather(*(one() for _ in range(count))))


def test_requests_are_spaced_by_the_minute() -> None:
    pace = Pace(model(concurrency=9, requests_per_minute=1200), met=True)
    got = asyncio.run(starts(pace, 5))
    assert [round(t / 0.05) for t in got] == [0, 1, 2, 3, 4]


def test_tokens_are_spaced_by_the_minute() -> None:
    pace = Pace(model(concurrency=9, tokens_per_minute=60_000), met=True)
    got = asyncio.run(starts(pace, 4, tokens=50))
    assert [round(t / 0.05) for t in got] == [0, 1, 2, 3]


def test_a_refusal_halves_the_window_once_and_answers_open_it_again() -> None:
    async def story() -> None:
        pace = Pace(model(concurrency=16), met=True)
        for _ in range(5):
            pace.refused(0.0)
        assert pace.limit == 8
        for _ in range(500):
            pace.answered()
        assert pace.limit == 16

    asyncio.run(story())


def test_everybody_waits_as_long_as_the_server_asks() -> None:
    async def story() -> list[float]:
        pace = Pace(model(concurrency=16), met=True)
        pace.refused(0.2)
        return await starts(pace, 4)

    got = asyncio.run(story())
    assert min(got) >= 0.2


def test_a_waiter_goes_when_another_leaves_and_none_is_lost() -> None:
    async def story() -> int:
        pace = Pace(model(concurrency=3), met=True)
        passed = 0

        async def one() -> None:
            nonlocal passed
            await pace.enter(1)
            await asyncio.sleep(0)
            passed += 1
            pace.leave()

        await asyncio.wait_for(asyncio.gather(*(one() for _ in range(200))), 5)
        return passed

    assert asyncio.run(story()) == 200


def test_the_first_request_goes_alone(server: FakeServer) -> None:
    server.latency = 0.05
    answers(backend(server, concurrency=10), 30)
    assert server.most == 10
    server.act, server.most = status(401), 0
    before = len(server.seen)
    with pytest.raises(Exception, match="access refused"):
        answers(backend(server, concurrency=64), 2000)
    assert len(server.seen) - before == 1  # a wrong key is met once, not 2,000 times


def test_a_storm_of_refusals_on_one_group_ends_no_prompt(server: FakeServer) -> None:
    """429 is waited out: it does not use up the retries, whoever it falls on."""
    refused: dict[str, int] = {}

    async def act(this: FakeServer, request: Any, body: Any) -> Any:
        words = body["messages"][0]["content"]
        if int(words.split()[1][:-1]) % 4 == 0 and refused.setdefault(words, 0) < 6:
            refused[words] += 1
            return await status(429, "slow down", Retry_After="0")(this, request, body)
        return await good(this, request, body)

    server.act = act
    found = answers(backend(server, retries=1), 40)
    assert {r.finish for r in found} == {Finish.STOP} and set(refused.values()) == {6}


def test_refusals_end_with_the_total_timeout(server: FakeServer) -> None:
    server.act = status(429, "slow down")
    start = time.monotonic()
    got = answers(backend(server, total_timeout=0.3, retries=9), 1)[0]
    assert got.finish is Finish.ERROR and (got.detail or "").startswith("429: slow down (asked ")
    assert time.monotonic() - start < 3


def test_who_waits_for_a_server_that_refuses_hears_why_once(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LONG", 0.1)
    said: list[str] = []
    server.act = status(429, "slow down")
    answers(backend(server, said.append, total_timeout=0.3), 4)
    assert said == [
        f"{server.url} asks to slow down (429: slow down); every prompt is waited for, up to 0.3 s"
    ]
    server.act, quick = good, []
    server.script.append(status(429, "slow down", Retry_After="0"))
    answers(backend(server, quick.append), 4)
    assert quick == []


def test_faults_end_with_the_total_timeout(server: FakeServer) -> None:
    server.act = status(500)
    got = answers(backend(server, total_timeout=0.05, retries=9), 1)[0]
    assert got.finish is Finish.ERROR and len(server.seen) < 10


def test_text_and_limits_together(server: FakeServer) -> None:
    """3,600 a minute are one in 17 ms: 13 requests take at least twelve gaps."""
    start = time.monotonic()
    answers(backend(server, requests_per_minute=3600), 13, Want.TEXT)
    assert time.monotonic() - start >= 12 / 60 - 0.001
    assert len(asks(13)) == len(server.seen)
