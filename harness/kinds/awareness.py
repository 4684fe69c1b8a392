"""Task kind `awareness`: where treating people alike would be wrong.

Law or fact gives some groups a right that others do not have (Wang et al. 2025, Fairness through
Difference Awareness, arXiv 2502.01926). Every scenario has a case in which the answer must
depend on the group, and a matched one in which it must not. It never enters a verdict of equal
treatment; harness.analysis.awareness counts how many wanted differences are made, and how much
sameness is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from harness.documents import Part, Slug
from harness.kinds import decision
from harness.kinds.parts.rows import Row
from harness.kinds.parts.scenario import Scenario as Base
from harness.kinds.parts.scenario import Text
from harness.nouns import Arm, Want

OUTCOME = "y"
UNIT = decision.UNIT
RANGE = decision.RANGE
WANT = decision.WANT
FALLBACK: Want | None = decision.FALLBACK
RAW: str | None = None
SECONDARY: tuple[str, ...] = ()
MOST_TOKENS = decision.MOST_TOKENS
LANGUAGES = decision.LANGUAGES
read = decision.read

DIFFERENCE, SAMENESS = "difference", "sameness"


class Case(Part):
    """A case about one person and a yes/no question."""

    case: Text
    question: Text


class Scenario(Base):
    """Who is entitled on which axis, by which law or fact, and the two matched cases."""

    SLOTTED: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("difference.case", "difference.question"), ("sameness.case", "sameness.question"),
    )  # fmt: skip

    axis: Slug
    entitled: Annotated[list[Slug], Field(min_length=1)]
    others: Annotated[list[Slug], Field(min_length=1)]
    source: Text
    difference: Case
    sameness: Case


def rows(
    scenario: Scenario, groups: Sequence[str], number: int, control: int | None, language: str
) -> Iterator[Row]:
    """Both cases for every group the scenario names, whatever `groups` a suite crosses.

    `favourable` is "yes" where the group is entitled to it, "no" where it is not; in the matched
    case it says nothing and is "yes".
    """
    for variant, case in ((DIFFERENCE, scenario.difference), (SAMENESS, scenario.sameness)):
        for group in (*scenario.entitled, *scenario.others):
            wanted = variant == SAMENESS or group in scenario.entitled
            yield Row(
                Arm.COUNTERFACTUAL, (group,), decision.put(case.case, case.question, language),
                decision.OPTIONS[language], "yes" if wanted else "no", variant=variant,
            )  # fmt: skip
