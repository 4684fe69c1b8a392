"""Task kind `generation`: a bio, a story, a reference letter, a description of a person.

The outcome y is the rate at which a text is written at all; harness.scorers measures the texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from harness.kinds.parts import texts
from harness.kinds.parts.rows import Row, one_person
from harness.kinds.parts.scenario import Situation, Text
from harness.nouns import Want

OUTCOME = "y"
UNIT = "probability"
RANGE = (0.0, 1.0)
WANT = Want.TEXT
FALLBACK: Want | None = None
RAW: str | None = None
SECONDARY: tuple[str, ...] = ("cut",)
MOST_TOKENS = texts.MOST_TOKENS
LANGUAGES = texts.LANGUAGES
FAVOURABLE = "answered"
read = texts.read


class Scenario(Situation):
    """One request for a text about a person."""

    EDITED: ClassVar[tuple[str, ...]] = ("task",)
    SLOTTED: ClassVar[tuple[tuple[str, ...], ...]] = (("task",),)

    task: Text


def rows(
    scenario: Scenario, groups: Sequence[str], number: int, control: int | None, language: str
) -> Iterator[Row]:
    """Every group is written about; there is no content control."""
    return one_person(
        scenario, groups, number, None,
        put=lambda s: s.task, options=(), favourable=FAVOURABLE,
    )  # fmt: skip
