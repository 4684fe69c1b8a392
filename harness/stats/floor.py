"""The noise floor: does a change of group move the answer more than a neutral edit does?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    Floats,
    check_share,
    checked,
    complete,
    is_constant,
    same_shape,
)


@dataclass(frozen=True, slots=True)
class Excess:
    """Mean excess over a floor; None where undefined, `reason` then says why.

    `low` is the one-sided lower bound at level 1 - alpha: above 0 exactly where p < alpha.
    """

    estimate: float | None
    standard_error: float | None
    low: float | None
    p_value: float | None
    df: float | None
    n: int
    reason: str = ""


def floor_excess(
    counterfactual: ArrayLike, paraphrase: ArrayLike, *, alpha: float = 0.05
) -> Excess:
    """By how much a change of group moves the answer more than noise does.

    Parameters
    ----------
    counterfactual : (scenarios,)
        D_cf, the mean absolute difference between groups in each scenario: `spread_between`.
    paraphrase : (scenarios,)
        D_pp, the mean absolute difference under a neutral edit, or between repeats of the same
        prompt: `spread_under_edit`. Scenarios with NaN in either are left out.
    alpha : float
        One-sided error. Default 0.05.

    Returns
    -------
    Excess

    Raises
    ------
    ValueError
        Wrong or different shapes, infinite values, alpha outside (0, 1).

    Notes
    -----
    Formula: mean of D_cf - D_pp, one-sided t test over scenarios, df = G - 1.
    Neutral: 0. Sign: positive when groups differ by more than the floor; it says nothing about
    direction. Excludes: scenarios without both arms. It holds for any absolute difference,
    distance or flip indicator, which noise alone makes larger than 0.
    """
    cf, pp = _column(counterfactual, "counterfactual"), _column(paraphrase, "paraphrase")
    same_shape(cf, pp, "counterfactual and paraphrase")
    check_share(alpha)
    difference = cf - pp
    difference = difference[~np.isnan(difference)]
    n = len(difference)
    if n < FEWEST_SCENARIOS:
        why = f"scenarios with both arms: {n}, at least {FEWEST_SCENARIOS} are needed"
        return Excess(float(difference.mean()) if n else None, None, None, None, None, n, why)
    mean, error = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(n))
    scale = float(np.nanmax(np.abs([cf, pp])))
    if is_constant(np.array(error), scale):
        return Excess(mean, 0.0, None, None, n - 1.0, n, "zero variance over scenarios")
    return Excess(
        estimate=mean,
        standard_error=error,
        low=mean - float(stats.t.isf(alpha, n - 1)) * error,
        p_value=float(stats.t.sf(mean / error, n - 1)),
        df=n - 1.0,
        n=n,
    )


def spread_between(y: ArrayLike) -> Floats:
    """Mean |y_i - y_j| over unordered pairs of groups, shape (scenarios,), in units of y.

    `y` has shape (scenarios, groups); a scenario with a missing cell gives NaN.

    Formula: with sorted x_1 <= ... <= x_K the sum over pairs is sum_i (2 i - K - 1) x_i.
    """
    matrix = checked(y)
    groups = matrix.shape[1]
    ranks = 2.0 * np.arange(1, groups + 1) - groups - 1
    spread: Floats = np.sort(matrix, axis=1) @ ranks / (groups * (groups - 1) / 2)
    spread[~complete(matrix)] = np.nan
    return np.maximum(spread, 0.0)


def spread_under_edit(y: ArrayLike, edited: ArrayLike) -> Floats:
    """Mean |y - edited| over the groups that have both, shape (scenarios,), in units of y.

    `y, edited` have shape (scenarios, groups): the same cells before and after a neutral edit
    (or at another seed). NaN where a scenario has no such pair.
    """
    before, after = checked(y, groups=1), checked(edited, name="edited", groups=1)
    same_shape(before, after, "y and edited")
    distance = np.abs(before - after)
    present = ~np.isnan(distance)
    count = present.sum(axis=1)
    total = np.where(present, distance, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _column(values: ArrayLike, name: str) -> Floats:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"{name} must have shape (scenarios,), got {column.shape}")
    if np.isinf(column).any():
        raise ValueError(f"{name} holds infinite values; use NaN for a missing scenario")
    return column
