"""What a server's answer is worth beside its content: when to come back, what it says is wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import orjson


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a Retry-After header (a number or an HTTP date) asks for; 0 without one."""
    given = headers.get("Retry-After", "").strip()
    try:
        seconds = float(given)
    except ValueError:
        try:
            when = parsedate_to_datetime(given)
        except ValueError:
            return 0.0
        seconds = when.replace(tzinfo=when.tzinfo or UTC).timestamp() - time.time()
    return seconds if 0 < seconds < float("inf") else 0.0


def data_of(payload: bytes) -> Any:
    """The JSON of a body; half of a surrogate pair, which JSON may hold, reads as U+FFFD.

    Raises
    ------
    ValueError
        It is no JSON.
    """
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        if b"\\ud" not in payload.lower():
            raise
    try:
        text = json.dumps(json.loads(payload), ensure_ascii=False, allow_nan=False)
    except RecursionError as error:
        raise ValueError(str(error)) from error
    return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def words(data: Any) -> str:
    """What a server's error object says, its code first; "" where it says nothing."""
    if not isinstance(data, dict):
        return ""
    error = data.get("error") or data.get("detail") or data.get("message") or ""
    if isinstance(error, str):
        return short(error)
    if not isinstance(error, dict):
        return short(orjson.dumps(error).decode())
    parts = (error.get("code") or error.get("type"), error.get("message"))
    return short(": ".join(str(part) for part in parts if part))


def sort_of(payload: bytes) -> str:
    """In words, what a body is that is not the JSON that was due."""
    start = payload[:400].decode("utf-8", "replace").strip()
    if not start:
        return "nothing"
    if start.lower().startswith(("<!doctype", "<html", "<?xml")):
        return "an HTML page"
    if start.startswith("{"):
        return "broken JSON"
    return f"'{short(start)}'"


def short(words: str) -> str:
    """One printable line of at most 300 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return line if len(line) <= 300 else line[:297] + "..."
