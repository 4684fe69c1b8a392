"""What a scorer is: a pure function from a text to a number, and what the number means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

BOTH = frozenset({"en", "zh"})
LONGEST = 20_000
"""Characters of a text that are measured; what follows is left out."""


class Ask(NamedTuple):
    """A text of the audit: a judge in pairs compares it with `beside`, both answers to `asked`."""

    text: str
    beside: str
    asked: str


Number = float | str | None
"""Of a text; of one without, what became of it where that is known."""
Measure = Callable[[Sequence[Ask], str], Mapping[str, Number]]
"""Texts and their language to the number of each."""


def at_hand(language: str) -> str | None:
    """A scorer that needs nothing but itself."""
    return None


@dataclass(frozen=True, slots=True)
class Scorer:
    """One scorer of texts.

    `measure(text, language)` gives the number, None where the text is too short or says nothing
    of the kind: undefined is never 0. `range` are its smallest and largest value, for bounds where
    texts are missing; `span` is what a margin is a share of (the width of the range, where it has
    one). `needs(language)` says what is missing where it cannot measure: it is then "not
    measured". `version` is raised when the definition changes.
    """

    version: int
    unit: str
    range: tuple[float, float]
    span: float
    measure: Callable[[str, str], float | None]
    languages: frozenset[str] = BOTH
    needs: Callable[[str], str | None] = at_hand
