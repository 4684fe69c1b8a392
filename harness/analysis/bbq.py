"""The bias scores of BBQ for every group of a `choice` probe, each group in turn the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from harness import stats
from harness.analysis.cells import Answer, Family
from harness.kinds.choice import CLEAR
from harness.nouns import Arm, Record


def bbq(family: Family, answers: Sequence[Answer]) -> Iterator[Record]:
    """One record a group: scores, accuracies, and how many responses were no answer."""
    asked = [a for a in answers if a.prompt.arm is not Arm.PARAPHRASE]
    for group in dict.fromkeys(a.group for a in asked):
        own = [a for a in asked if a.group == group]
        said = [a for a in own if "named" in a.values]
        scores = stats.bbq_scores(
            [a.values["named"] for a in said],
            [a.values["other"] for a in said],
            negative=[a.prompt.arm is not Arm.CONTRAST for a in said],
            ambiguous=[a.prompt.arm is not Arm.CONTROL and not a.prompt.variant.endswith(CLEAR)
                       for a in said],
            correct=[a.values["correct"] for a in said],
        )  # fmt: skip
        unanswered = len(own) - len(said)
        yield {**family._asdict(), "group": group, **asdict(scores), "unanswered": unanswered}
