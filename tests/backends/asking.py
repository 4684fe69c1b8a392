"""Asking a server on loopback: a remote backend for it, requests, all answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.backends.remote import RemoteBackend
from harness.models import RemoteModel
from harness.nouns import Message, Option, Request, Response, Want
from tests.backends.fake_server import FakeServer

YES_NO = (Option("yes", ("Yes", " Yes", "yes")), Option("no", ("No", " No", "no")))


def backend(
    where: FakeServer | str, say: Callable[[str], None] = lambda _: None, **keys: Any
) -> RemoteBackend:
    url = where if isinstance(where, str) else where.url
    given = {"name": "m", "family": "f", "version": "1", "backend": "openai", "base_url": url,
             "model": "fake", "logprobs": True, "timeout": 5.0, "retries": 2}  # fmt: skip
    return RemoteBackend(RemoteModel.model_validate(given | keys), say)


def asks(count: int, want: Want = Want.NEXT_TOKEN) -> list[Request]:
    return [
        Request(f"p{i}", (Message("user", f"Case {i}. Hire?"),), want, YES_NO, 8, i, 1000 + i)
        for i in range(count)
    ]


def answers(asked: RemoteBackend, count: int, want: Want = Want.NEXT_TOKEN) -> list[Response]:
    requests = asks(count, want)
    half_way = len(requests) // 2
    found = list(asked.answer([requests[:half_way], requests[half_way:]]))
    assert sorted(r.prompt for r in found) == sorted(r.prompt for r in requests)
    return found
