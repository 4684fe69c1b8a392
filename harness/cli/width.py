"""Text in the columns of a terminal, where a Chinese character takes two."""

from __future__ import annotations

import re
import unicodedata

from harness.nouns import counted, visible

WIDTH = 80
PIECE = re.compile(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+")
"""A Chinese character, a word of anything else, or the space between words."""


def columns(text: str) -> int:
    """How many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def short(text: str, most: int) -> str:
    """The text, cut to `most` columns where it is wider, with an ellipsis as the last."""
    if columns(text) <= most:
        return text
    return _head(text, most - 1).rstrip() + "…"


def pad(text: str, width: int) -> str:
    """The text cut or filled up to `width` columns."""
    text = short(visible(text), width)
    return text + " " * (width - columns(text))


def fit(start: str, middle: str, end: str) -> str:
    """A line of a table as wide as the terminal; what is in the middle gives way."""
    room = max(1, WIDTH - columns(start) - columns(end) - 2)
    return f"{start} {pad(middle, room)} {end}"


def wrap(text: str, indent: int = 0, *, hang: bool = False) -> list[str]:
    """Lines of at most 80 columns; broken at spaces or between Chinese characters.

    What is wider than a line by itself is broken where the line ends. With `hang` the first line
    is not indented.
    """
    lines: list[str] = []
    line = "" if hang else " " * indent
    empty = True
    for piece in PIECE.findall(counted(visible(text))):
        if piece.isspace():
            line += "" if empty else " " * len(piece)
            continue
        if columns(line + piece) > WIDTH and not empty:
            lines.append(line.rstrip())
            line, empty = " " * indent, True
        while columns(line + piece) > WIDTH:
            head = _head(piece, WIDTH - columns(line))
            lines.append(line + head)
            line, piece = " " * indent, piece[len(head) :]
        line += piece
        empty = False
    return lines if empty else [*lines, line.rstrip()]


def _head(text: str, most: int) -> str:
    """The beginning of a text that fits into `most` columns."""
    used = 0
    for i, sign in enumerate(text):
        used += columns(sign)
        if used > most:
            return text[:i]
    return text
