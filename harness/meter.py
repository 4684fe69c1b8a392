"""What a run has taken so far, in its manifest: time, requests, tokens, cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from harness.backends import Backend
from harness.nouns import Record
from harness.store import RunFolder

EVERY = 10.0
"""Seconds between two writings: a killed process loses at most so much of the account."""
SEEN = ("served_models", "system_fingerprints")
"""Facts that are collected over the sessions of a run."""

SHOWN = 5
"""Names of servers that a line shows."""


class Meter:
    """Adds one session of asking to what earlier sessions of the run took."""

    def __init__(self, folder: RunFolder, backend: Backend) -> None:
        self._folder = folder
        self._backend = backend
        before = folder.manifest()
        self._seconds = float(before["seconds"])
        self._facts = before.get("backend") or {}
        self._start = self._last = time.monotonic()

    def tick(self) -> None:
        """After every answer."""
        if time.monotonic() - self._last >= EVERY:
            self.write()

    def write(self) -> None:
        """Put the account into the manifest."""
        self._last = time.monotonic()
        facts = self._backend.facts()
        for name in SEEN:
            if name in facts:
                facts[name] = _together(self._facts.get(name), facts[name])
        if "usage" in facts:
            facts["usage"] = added(self._facts.get("usage") or {}, facts["usage"])
        seconds = round(self._seconds + self._last - self._start, 1)
        self._folder.update({"seconds": seconds, "backend": facts})


def changed(manifest: Record) -> list[str]:
    """One line for everything by which the server was not one and the same in a whole run."""
    facts = manifest.get("backend") or {}
    return [
        f"! not one server answered this run: {name.replace('_', ' ')} {_few(facts[name])}"
        for name in SEEN
        if len(facts.get(name) or ()) > 1
    ]


def added(before: Mapping[str, float | None], now: Mapping[str, float | None]) -> Record:
    """Two accounts as one; what neither knows stays unknown."""
    return {
        name: None if value is None and before.get(name) is None
        else (before.get(name) or 0) + (value or 0)
        for name, value in now.items()
    }  # fmt: skip


def _few(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _together(before: Sequence[str] | None, now: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*(before or []), *now]))
