"""The bias scores of BBQ for every group of a `choice` probe, each group in turn the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from harness import stats
from harness.analysis.cells import Answers, Family, counted
from harness.kinds.choice import CLEAR
from harness.nouns import Arm, Record


def bbq(family: Family, answers: Answers) -> Iterator[Record]:
    """One record a group: scores, accuracies, and how many responses were no answer."""
    asked = answers.take(~answers["arm"].is_in(Arm.PARAPHRASE))
    for group in counted(asked.group):
        own = asked.take(asked.group.is_in(group))
        said = own.take(~np.isnan(own.value("named")))
        clear = said["variant"].of(lambda variant: variant.endswith(CLEAR), bool)
        scores = stats.bbq_scores(
            said.value("named"),
            said.value("other"),
            negative=~said["arm"].is_in(Arm.CONTRAST),
            ambiguous=~said["arm"].is_in(Arm.CONTROL) & ~clear,
            correct=said.value("correct"),
        )
        unanswered = len(own) - len(said)
        yield {**family._asdict(), "group": group, **asdict(scores), "unanswered": unanswered}
