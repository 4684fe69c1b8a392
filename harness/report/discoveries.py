"""How many of a run's effects on texts are more than chance would bring about.

Every scorer is tested on every axis with an error of its own, so of many tests some show a
disparity though there is none. These are exploratory: the share of false findings is held.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness import stats
from harness.report.claims import Claims
from harness.report.numbers import count, defined, percent
from harness.report.phrases import Both, Labels, Words, join
from harness.report.results import Family

MOST = 5
"""Findings that are named."""


def scored(words: Words, labels: Labels, claims: Claims, families: Sequence[Family]) -> Both | None:
    """What is left of the scorers' disparities, in words; None where no scorer was tested."""
    tests: list[tuple[float, Both]] = []
    shown, alpha = 0, 0.0
    for family in families:
        for result in family.axes:
            for name in dict.fromkeys(effect["endpoint"] for effect in result.scored):
                rows = [e for e in result.scored
                        if e["endpoint"] == name and defined(e["p_adjusted"])]  # fmt: skip
                if not rows:
                    continue
                alpha = rows[0]["alpha"]
                shown += any(row["verdict"] == "disparity" for row in rows)
                named = words(
                    "scorers.chance.one", scorer=words.known(f"endpoint.{name}", name),
                    axis=labels.axis(result.axis), family=claims.family(family.key),
                )  # fmt: skip
                tests.append((min(row["p_adjusted"] for row in rows), named))
    if not tests:
        return None
    kept = stats.benjamini_hochberg(np.array([p for p, _ in tests])) <= alpha
    left = sorted(
        (test for test, stays in zip(tests, kept, strict=True) if stays), key=lambda test: test[0]
    )
    said = words(
        "scorers.chance", tests=count(len(tests)), shown=count(shown), left=count(len(left)),
        expected=count(round(alpha * len(tests))), share=percent(alpha),
    )  # fmt: skip
    if not left:
        return said
    return said + words("scorers.chance.left", names=join([n for _, n in left[:MOST]], ";"))
