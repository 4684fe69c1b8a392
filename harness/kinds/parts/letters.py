"""Answers by letter: persons listed as A, B, C, and one letter asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from harness.kinds.parts.reading import Asked, Shares, answer
from harness.nouns import Option

LETTERS = "ABCDEF"
INSTRUCTION = {
    "en": ("Answer with one letter: ", ", ", " or ", "."),
    "zh": ("请只回答一个字母：", "、", "或", "。"),
}
LANGUAGES = frozenset(INSTRUCTION)
ANSWER = re.compile(
    r"^\W*(?i:(?:the )?(?:answer|option|candidate|applicant)(?: is)?|答案是?|选)?"
    r"\W*([A-F])(?![A-Za-z])(?!\s*(?:or|and|[,/、或和])\s*[A-F](?![A-Za-z]))"
    r"(?<!A(?=\s(?!is\b|because\b)[a-z]))"
)
"""One letter; not the first of two, and not the article of "A person"."""


@cache
def options(count: int) -> tuple[Option, ...]:
    return tuple(Option(letter, (letter, f" {letter}")) for letter in LETTERS[:count])


def listed(lines: Sequence[str]) -> str:
    """One line a letter."""
    return "\n".join(f"{letter}: {line}" for letter, line in zip(LETTERS, lines, strict=False))


def instruction(count: int, language: str) -> str:
    """The words that ask for one of the first `count` letters."""
    before, comma, last, end = INSTRUCTION[language]
    return before + comma.join(LETTERS[: count - 1]) + last + LETTERS[count - 1] + end


def read(asked: Asked) -> Shares:
    """The letters' shares, from probabilities or from a sampled answer."""
    return answer(asked, letter)


def letter(text: str, _: str) -> str | None:
    """The letter that a text begins with."""
    said = ANSWER.match(text)
    return said[1] if said else None
