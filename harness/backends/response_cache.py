"""Answers of earlier runs, for whoever asks the same of the same model again. Off by default.

One SQLite file for each model fingerprint, in the user's cache folder. An entry is found by all
that decides it: the fingerprint (the file), the name and version that the server says it
serves, the messages, what is wanted, the length, the sample and its seed. Failures are never
kept. A file of another fingerprint is never opened.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from harness.backends.parts import Part
from harness.backends.weights import cache_folder
from harness.errors import InputError
from harness.models import RemoteModel
from harness.nouns import Finish, Record, Response

FORMAT = 1
"""Raised when what is stored changes its meaning, so that older entries are not used."""


def folder() -> Path:
    """Where the files lie."""
    return cache_folder() / "responses"


class ResponseCache:
    """The file of one fingerprint, for answers of what the server says it serves."""

    def __init__(self, path: Path, served: str) -> None:
        self.path = path
        self._served = served
        with _checked(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._base = sqlite3.connect(path, isolation_level=None, timeout=30)
            os.chmod(path, 0o600)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value)")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, response BLOB)"
                " WITHOUT ROWID"
            )

    @staticmethod
    def of(mark: str, model: RemoteModel, served: str) -> ResponseCache:
        """The cache of the model with fingerprint `mark`, now served as `served`."""
        cache = ResponseCache(folder() / f"{mark}.sqlite", served)
        about = {"name": model.name, "model": model.model, "base_url": model.base_url}
        with _checked(cache.path):
            cache._base.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", about.items())
        return cache

    def find(self, part: Part) -> Response | None:
        """What was answered to this very request, for the prompt that asks now."""
        with _checked(self.path):
            row = self._base.execute(
                "SELECT response FROM answers WHERE key = ?", (self._key(part),)
            ).fetchone()
        if row is None:
            return None
        try:
            found = orjson.loads(row[0])
            return Response(**{**found, "prompt": part.request.prompt,
                               "finish": Finish(found["finish"])})  # fmt: skip
        except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
            return None  # written by another version: asked again

    def keep(self, part: Part, response: Response) -> None:
        """Store an answer; failures are passed over."""
        if response.finish is Finish.ERROR:
            return
        try:
            kept = orjson.dumps(asdict(replace(response, prompt="")))
        except orjson.JSONEncodeError:
            return  # a lone surrogate
        with _checked(self.path):
            self._base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)",
                               (self._key(part), kept))  # fmt: skip

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _key(self, part: Part) -> bytes:
        asked = part.request
        whole = [
            FORMAT, self._served, [[m.role, m.content] for m in asked.messages], asked.want,
            [[o.name, list(o.spellings)] for o in asked.options], part.spelling, part.top,
            asked.max_tokens, asked.sample, asked.seed,
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(whole)).digest()


def listing() -> list[Record]:
    """Every file: fingerprint, model, number of answers, size in bytes."""
    rows = []
    for path in sorted(folder().glob("*.sqlite")):
        with _checked(path), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            about = dict(base.execute("SELECT name, value FROM about").fetchall())
            [count] = base.execute("SELECT count(*) FROM answers").fetchone()
        rows.append({"name": about.get("name", "?"), "fingerprint": path.stem[:8],
                     "model": about.get("model"), "base_url": about.get("base_url"),
                     "answers": count, "bytes": _size(path)})  # fmt: skip
    return rows


def clear(which: str | None = None) -> list[str]:
    """Delete the files of a model's name or of a fingerprint's beginning; all without one.

    Raises
    ------
    InputError
        Nothing is kept under that name.
    """
    gone = []
    for path in sorted(folder().glob("*.sqlite")):
        if which is not None and not path.stem.startswith(which) and _name(path) != which:
            continue
        for file in (path, *_beside(path)):
            file.unlink(missing_ok=True)
        gone.append(path.stem[:8])
    if which is not None and not gone:
        raise InputError(f"cache clear {which}: nothing is kept under this name or fingerprint")
    return gone


def _name(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            row = base.execute("SELECT value FROM about WHERE name = 'name'").fetchone()
    except sqlite3.Error:
        return None
    return str(row[0]) if row else None


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in ("-wal", "-shm")]


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, *_beside(path)) if file.exists())


@contextmanager
def _checked(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise InputError(
            f"{path}: the cache of answers cannot be used: {error}; "
            f"`bias-harness cache clear {path.stem[:8]}` deletes it"
        ) from error
