"""How fast requests may go out: what the definition allows, what the server puts up with."""

from __future__ import annotations

import asyncio
from collections import deque

from harness.models import RemoteModel

CUT_ONCE_IN = 1.0
"""Seconds in which several refusals count as one: they answer requests sent side by side."""


class Pace:
    """Lets requests through, for one event loop.

    The first request goes alone until the server has answered one: a wrong key or a dead server
    is met once. Then up to `concurrency` are open. A refusal for haste (429) halves that and
    holds everybody back for as long as the server says, so that no group is held back more than
    another; every good answer opens it again a little. `requests_per_minute` and
    `tokens_per_minute` space requests evenly.
    """

    def __init__(self, model: RemoteModel, *, met: bool = False) -> None:
        self._most = float(model.concurrency)
        self._limit = self._most if met else 1.0
        self._met = met
        self._open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._request_gap = 60.0 / model.requests_per_minute if model.requests_per_minute else 0.0
        self._token_gap = 60.0 / model.tokens_per_minute if model.tokens_per_minute else 0.0
        self._next_request = self._next_token = 0.0
        self._closed_until = 0.0
        self._last_cut = float("-inf")

    @property
    def limit(self) -> float:
        """Requests that may be open at one time now."""
        return self._limit

    async def enter(self, tokens: int) -> None:
        """Wait for a turn of a request of about `tokens` tokens; `leave` gives it back."""
        loop = asyncio.get_running_loop()
        while self._open >= int(self._limit):
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn
        self._open += 1
        try:
            await self._in_time(loop, tokens)
        except BaseException:
            self.leave()
            raise

    async def _in_time(self, loop: asyncio.AbstractEventLoop, tokens: int) -> None:
        now = loop.time()
        start = max(now, self._next_request, self._next_token)
        if self._request_gap:
            self._next_request = start + self._request_gap
        if self._token_gap:
            self._next_token = start + self._token_gap * tokens
        while (wait := max(start, self._closed_until) - loop.time()) > 0:
            await asyncio.sleep(wait)

    def leave(self) -> None:
        """A request is over, however it went."""
        self._open -= 1
        self._wake()

    def answered(self) -> None:
        """The server gave a proper answer."""
        if not self._met:
            self._met = True
            self._limit = self._most
        elif self._limit < self._most:
            self._limit = min(self._most, self._limit + 1 / self._limit)

    def refused(self, after: float) -> None:
        """The server asks for fewer requests, and for none in the next `after` seconds."""
        now = asyncio.get_running_loop().time()
        if now - self._last_cut >= CUT_ONCE_IN:
            self._last_cut = now
            self._limit = max(1.0, self._limit / 2)
        self._closed_until = max(self._closed_until, now + after)

    def _wake(self) -> None:
        free = int(self._limit) - self._open
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
