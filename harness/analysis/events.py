"""Effects on an outcome, by the rule that fits it: numbers, or a yes or no that may be rare.

An outcome is a yes or no where every response counts 1 or 0: answers that were drawn, how a text
ended, whether there was an answer. Few yes or few no make a mean that no t test can be trusted
with: the event rule of docs/method.md.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.analysis.cells import Cells
from harness.columns import Floats
from harness.nouns import Verdict


def effects_of(
    matrix: Cells, *, margin: float, alpha: float, names: NDArray[np.object_] | None = None
) -> stats.GroupEffects:
    """Group effects of one family on one outcome.

    With fewer than 40 yes or 40 no in a group, bounds that assume no distribution stand in the
    place of intervals and decide; where they leave it open, a small p-value of the label
    permutation is a signal, and the reason says so. Counted is the rarer of both where yes is
    favourable and where no is, each by itself: a model that refuses nothing has many ends of
    either kind, and few that could differ. Where names return there are no such bounds: they
    would take scenarios for independent. Bounds come from no t distribution: `df` is undefined
    beside them.
    """
    found = stats.group_effects(matrix.mean, margin=margin, alpha=alpha, name_ids=names)
    if not matrix.binary:
        return found
    events = np.rint(matrix.mean * matrix.answered)  # NaN where nothing was answered
    rare = stats.rare_effects(
        events, matrix.answered, margin=margin, alpha=alpha, name_ids=names,
        strata=matrix.strata, rng=np.random.default_rng(0),
    )  # fmt: skip
    ends: stats.RareEffects | stats.ExactEffects = rare
    if rare.method == "permutation" and names is None:
        ends = stats.exact_effects(matrix.mean, margin=margin, alpha=alpha)
        found = replace(found, df=np.full(len(found.df), np.nan))
    verdict, reason = ends.verdict.copy(), ends.reason.copy()
    signal = (rare.verdict == "signal") & np.isin(verdict, ["signal", "inconclusive"])
    reason[signal] = [f"a signal only: {why}" for why in reason[signal]]
    verdict[signal] = str(Verdict.INCONCLUSIVE)
    return replace(
        found, low=ends.low, high=ends.high, tost_low=ends.tost_low, tost_high=ends.tost_high,
        p_value=rare.p_value, p_adjusted=rare.p_adjusted, verdict=verdict,
        material=ends.material, reason=reason,
    )  # fmt: skip


def few_events(matrix: Cells) -> bool:
    """Whether bounds by counting stand in the place of intervals: no number of scenarios that
    would be enough follows from a spread then."""
    whole = ~np.isnan(matrix.mean).any(axis=1)
    yes = np.rint(matrix.mean * matrix.answered)[whole]
    return matrix.binary and not stats.enough_events(
        yes, matrix.answered[whole], matrix.strata[whole]
    )


def answered(matrix: Cells) -> Cells:
    """Whether there was an answer, as an outcome of its own."""
    return replace(
        matrix, mean=matrix.answered / matrix.asked, answered=matrix.asked, binary=True
    )  # fmt: skip


def sampling_noise(matrix: Cells) -> Floats | float:
    """Variance of every cell's mean that comes from drawing its answers.

    0 for numbers that are not drawn. Of a yes or no p (1 - p) / (n - 1), which also counts what
    differs between variants; NaN for a single answer, whose noise is not known.
    """
    if not matrix.binary:
        return 0.0
    spread = matrix.mean * (1 - matrix.mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(matrix.answered > 1, spread / (matrix.answered - 1), np.nan)
