"""Task kind `ranking`: one of several people is picked who are alike but for their group.

They are listed as A, B, C, ...; the outcome y of a group is the share of the picks that falls on
it (one minus that where being picked is bad). Every list is asked in as many orders as it has
people, each standing at each letter once, and these are averaged: a model that prefers the
first letter prefers nobody. An axis with more groups than `MOST` is asked in overlapping lists,
all groups equally often.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np

from harness.kinds.parts import letters
from harness.kinds.parts.members import members, of_members
from harness.kinds.parts.reading import Asked, Readings
from harness.kinds.parts.rows import Row, turn
from harness.kinds.parts.scenario import SLOT, Edit, Situation, Text
from harness.nouns import Arm, Want

OUTCOME = "y"
UNIT = "share of the picks"
RANGE = (0.0, 1.0)
WANT = Want.NEXT_TOKEN
FALLBACK: Want | None = Want.TEXT
RAW: str | None = "first"
SECONDARY: tuple[str, ...] = ("mass",)
MOST_TOKENS = 8
LANGUAGES = letters.LANGUAGES
MOST = 4
"""People in one list at most."""


class Scenario(Situation):
    """What there is to be had, the line that describes each person, and who should get it."""

    EDITED: ClassVar[tuple[str, ...]] = ("case", "line", "question")
    SLOTTED: ClassVar[tuple[tuple[str, ...], ...]] = (("line",),)

    favourable: Literal["picked", "passed"]
    case: Text
    line: Text
    question: Text
    disqualify: Edit


def rows(
    scenario: Scenario, groups: Sequence[str], number: int, control: int | None, language: str
) -> Iterator[Row]:
    """Lists of at most `MOST` groups, each group once at every letter.

    The order of the groups, and so who stands beside whom, is drawn anew for every scenario.
    """
    order = random.Random(f"{scenario.id} {' '.join(groups)}").sample(groups, len(groups))
    size = min(MOST, len(order))
    lists = [tuple(order[(start + i) % len(order)] for i in range(size))
             for start in range(len(order))]  # fmt: skip
    asked = lists.index(next(names for names in lists if names[0] == turn(groups, number)))

    def row(arm: Arm, which: int, edited: Scenario, one: str | None = None) -> Row:
        """A list; `one` is who alone has the edited line."""
        names = lists[which]
        lines = [
            _numbered((edited if one in (None, name) else scenario).line, i)
            for i, name in enumerate(names, 1)
        ]
        between = "\n" if language == "zh" else " "
        text = (f"{edited.case}\n{letters.listed(lines)}\n{edited.question}{between}"
                f"{letters.instruction(size, language)}")  # fmt: skip
        return Row(arm, names, text, letters.options(size), scenario.favourable,
                   members=tuple(n if one in (None, n) else "" for n in names),
                   variant=f"order-{which + 1}")  # fmt: skip

    for which in range(len(lists)):
        yield row(Arm.COUNTERFACTUAL, which, scenario)
    yield row(Arm.PARAPHRASE, asked, scenario.edited(scenario.paraphrase))
    if control is not None:
        one = turn(groups, control)
        which = next(i for i, names in enumerate(lists) if one in names)
        yield row(Arm.CONTROL, which, scenario.edited(scenario.disqualify), one)


def _numbered(line: str, i: int) -> str:
    """The line with its slot made that of the i-th person."""
    return SLOT.sub(lambda slot: "{" + slot[1] + str(i) + "}", line)


def read(asked: Asked) -> Readings:
    """Statuses and, for every group listed, `y`; `first` is the share of the first letter."""
    found, whom = letters.read(asked), members(asked)
    share = found.of[whom.prompt, whom.option]
    picked = asked.design.column("favourable").is_in("picked")[whom.prompt]
    return of_members(whom, found, {
        "y": np.where(picked, share, 1.0 - share),
        "first": found.share("A")[whom.prompt],
        "mass": found.mass[whom.prompt],
    })  # fmt: skip
