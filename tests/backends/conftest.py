"""Fixtures of the remote backend's tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.backends.fake_server import FakeServer, free_port


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short back-off, and no thread of the engine left behind."""
    from harness.backends import http

    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    yield
    assert [t.name for t in threading.enumerate() if t.name == "bias-harness-http"] == []


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture
def unused_port() -> int:
    return free_port()
