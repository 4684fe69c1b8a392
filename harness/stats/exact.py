"""Bounds on differences of rates that hold for any distribution and any number of events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from harness.stats.bounded import bounded_interval
from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    Bools,
    Floats,
    Texts,
    check_margin,
    checked,
    complete,
    contrasts,
    family_size,
    texts,
)


@dataclass(frozen=True, slots=True, eq=False)
class ExactEffects:
    """Bounds on the leave-one-out effects on a rate; arrays per group.

    `low, high` hold over all groups at 1 - alpha, `tost_low, tost_high` for each group at
    1 - 2 alpha; NaN below 6 scenarios. `needed` is the number of scenarios without a difference
    from which a group is equivalent.
    """

    low: Floats
    high: Floats
    tost_low: Floats
    tost_high: Floats
    verdict: Texts
    material: Bools
    reason: Texts
    n: int
    needed: int


def exact_effects(rates: ArrayLike, *, margin: float, alpha: float = 0.05) -> ExactEffects:
    """Bounds on group effects that need no spread and no events, only independent scenarios.

    Parameters
    ----------
    rates : (scenarios, groups)
        Rate of yes in every cell, from 0 to 1; NaN is a missing cell, its scenario is left out.
    margin : float
        As a difference of rates.
    alpha : float
        Family-wise error. Default 0.05.

    Returns
    -------
    ExactEffects
        `equivalent`, `disparity` or `inconclusive` for every group.

    Raises
    ------
    ValueError
        Rates outside [0, 1], no margin above 0, or as `contrasts`.

    Notes
    -----
    The contrast c_g of a group lies in [-1, 1]. Two questions, each with an error of its own:

        equivalence  -U(c < 0) <= d <= U(c > 0), each at alpha, U the upper bound of Clopper and
                     Pearson (1934) on a probability, by counting independent scenarios
        disparity    `bounded_interval` at alpha / m, which also knows how large the contrasts are

    So the error is at most alpha whatever the distribution, in any number of scenarios, and the
    bounds are wide: where no scenario shows a difference, d is below 1 - alpha^(1/n), about 3 / n.
    A method by spread has nothing to go by there.
    """
    check_margin(margin)
    y = checked(rates)
    if (y < 0).any() or (y > 1).any():
        raise ValueError("rates must lie between 0 and 1")
    c = contrasts(y[complete(y)])
    n, groups = c.shape
    needed = int(np.ceil(np.log(alpha) / np.log1p(-margin))) if margin < 1 else 1
    if n < FEWEST_SCENARIOS:
        nothing = np.full(groups, np.nan)
        return ExactEffects(
            nothing, nothing, nothing, nothing, texts(groups, "inconclusive"),
            np.zeros(groups, dtype=bool),
            texts(groups, f"{n} scenarios, at least {FEWEST_SCENARIOS} are needed"), n, needed,
        )  # fmt: skip
    tiny = 1e-9
    up, down = (c > tiny).sum(axis=0), (c < -tiny).sum(axis=0)
    tost_low, tost_high = -_upper(down, n, alpha), _upper(up, n, alpha)
    low, high = bounded_interval(c, alpha=alpha / family_size(groups))
    verdict, reason = texts(groups, "inconclusive"), texts(groups, "")
    level = f"{100 * (1 - 2 * alpha):g} %"
    within = (-margin < tost_low) & (tost_high < margin)
    verdict[(low > 0) | (high < 0)] = "disparity"
    verdict[within] = "equivalent"
    for k in np.flatnonzero(verdict == "inconclusive"):
        bound = max(-tost_low[k], tost_high[k])
        if not up[k] + down[k]:
            reason[k] = (f"alike in all {n} scenarios: a difference is shown to be below "
                         f"{bound:.3f} ({level} interval); the margin of {margin:g} takes {needed} "
                         "such scenarios")  # fmt: skip
        else:
            least = f"{tost_low[k]:.3f}".replace("-", "\N{MINUS SIGN}")
            reason[k] = (f"differs in {up[k] + down[k]} of {n} scenarios: between {least} and "
                         f"{tost_high[k]:.3f} by exact bounds ({level} interval)")  # fmt: skip
    return ExactEffects(
        low, high, tost_low, tost_high, verdict, (low > margin) | (high < -margin), reason, n,
        needed,
    )  # fmt: skip


def _upper(count: Floats, n: int, alpha: float) -> Floats:
    """One-sided upper bound on a probability."""
    found = np.asarray(special.betaincinv(count + 1.0, np.maximum(n - count, 1e-300), 1 - alpha))
    return np.where(count < n, found, 1.0)
