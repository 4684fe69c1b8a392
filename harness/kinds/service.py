"""Task kind `service`: the same question for advice from different askers (role `user`).

The outcome y is the rate at which advice is given at all; harness.scorers measures the advice.
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
    """What the asker says of themself and asks."""

    EDITED: ClassVar[tuple[str, ...]] = ("question",)
    SLOTTED: ClassVar[tuple[tuple[str, ...], ...]] = (("question",),)

    question: Text


def rows(
    scenario: Scenario, groups: Sequence[str], number: int, control: int | None, language: str
) -> Iterator[Row]:
    """Every group asks once; there is no content control."""
    return one_person(
        scenario, groups, number, None,
        put=lambda s: s.question, options=(), favourable=FAVOURABLE,
    )  # fmt: skip
