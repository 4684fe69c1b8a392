"""A row of releases: spending alpha over them, and confirming a failure before it blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.contrasts import Bools, Contrast, Texts, check_share
from harness.stats.effects import GroupEffects, group_effects
from harness.stats.versions import VersionComparison


def alpha_spending(release: int, alpha: float = 0.05) -> float:
    """The share of alpha that the t-th release may spend, t = 1, 2, ...

    Over endless releases the shares add up to alpha, so that a model line that never changes is
    blocked at any time with probability alpha at most. ValueError for a release below 1.

    Formula: 6 alpha / (pi^2 t^2).
    """
    check_share(alpha)
    if release < 1:
        raise ValueError(f"releases are counted from 1, got {release}")
    return 6 * alpha / (np.pi**2 * release**2)


@dataclass(frozen=True, slots=True, eq=False)
class Confirmation:
    """Whether a failure held on fresh scenarios: only `confirmed` groups should block.

    `verdict` is "fail" or "not confirmed" ("inconclusive" when the fresh data are too few).
    """

    verdict: str
    suspects: Bools
    confirmed: Bools
    reason: Texts
    n: int


def confirm(
    first: VersionComparison,
    y_old: ArrayLike | None,
    y_new: ArrayLike,
    *,
    margin: float,
    alpha: float = 0.05,
    contrast: Contrast = "leave_one_out",
    reference: int | None = None,
) -> Confirmation:
    """Test the groups that failed once more, on scenarios held out from the first run.

    Parameters
    ----------
    first : VersionComparison
        The comparison that failed.
    y_old, y_new : (scenarios, groups)
        Scores on held-out scenarios. The same scenarios with new seeds are no confirmation: they
        share what is peculiar to the scenario.
    margin, alpha, contrast, reference
        As in `compare_versions`.

    Returns
    -------
    Confirmation

    Raises
    ------
    ValueError
        `first` did not fail, another number of groups, or as `group_effects`.

    Notes
    -----
    A family of its own: the suspects only. A disparity is confirmed when its interval excludes
    [-margin, margin] again, a worsening when its interval excludes 0, both on the same side as
    before.
    """
    if first.verdict != "fail":
        raise ValueError("only a failed comparison needs confirmation")
    suspects = first.blocking
    many = int(suspects.sum())
    new = group_effects(
        y_new, margin=margin, alpha=alpha, contrast=contrast, reference=reference,
        comparisons=many,
    )  # fmt: skip
    if len(new.estimate) != len(suspects):
        raise ValueError(f"first has {len(suspects)} groups, y_new has {len(new.estimate)}")
    confirmed = first.new.material & _same_side(new, first.new.estimate > 0, margin)
    undecided = np.isnan(new.low)
    n = new.n
    if y_old is not None:
        step = np.asarray(y_new, dtype=np.float64) - np.asarray(y_old, dtype=np.float64)
        diff = group_effects(
            step, margin=margin, alpha=alpha, contrast=contrast, reference=reference,
            comparisons=many,
        )  # fmt: skip
        confirmed |= (first.change == "worse") & _same_side(diff, first.estimate > 0, 0.0)
        n = diff.n
    confirmed &= suspects
    verdict = "fail" if confirmed.any() else "not confirmed"
    if not confirmed.any() and undecided[suspects].all():
        verdict = "inconclusive"
    return Confirmation(verdict, suspects, confirmed, new.reason, n)


def _same_side(effects: GroupEffects, positive: Bools, beyond: float) -> Bools:
    return np.where(positive, effects.low > beyond, effects.high < -beyond)
