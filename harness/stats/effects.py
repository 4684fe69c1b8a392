"""Group effects: the default procedure, from a matrix of cell means to three verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    OPEN,
    Bools,
    Contrast,
    Floats,
    Texts,
    check_margin,
    check_share,
    checked,
    complete,
    contrasts,
    family_size,
    is_constant,
    verdicts,
    weights_of,
)
from harness.stats.intervals import t_intervals
from harness.stats.names import (
    FEWEST_NAMES,
    OPEN_BY_NAMES,
    checked_names,
    name_variance,
    smallest_pool,
)
from harness.stats.weighted import cr2


@dataclass(frozen=True, slots=True, eq=False)
class GroupEffects:
    """One family of group effects; every array has one entry per group, NaN where undefined.

    `estimate, standard_error, low, high, tost_low, tost_high` are in units of y. `low, high` is
    the simultaneous interval (level 1 - alpha / m), `tost_low, tost_high` the one that decides
    equivalence (level 1 - 2 alpha). `p_adjusted < alpha` exactly where `low, high` excludes 0.
    `reason` is "" where there is nothing to say. `n` counts the scenarios complete on the axis,
    `mean` is each group's mean score over them.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    tost_low: Floats
    tost_high: Floats
    p_value: Floats
    p_adjusted: Floats
    verdict: Texts
    material: Bools
    reason: Texts
    df: Floats
    n: int
    mean: Floats


def group_effects(
    y: ArrayLike,
    *,
    margin: float,
    alpha: float = 0.05,
    contrast: Contrast = "leave_one_out",
    reference: int | None = None,
    weights: ArrayLike | None = None,
    name_ids: ArrayLike | None = None,
    comparisons: int | None = None,
) -> GroupEffects:
    """How far each group's score lies from the mean of the others, with a verdict.

    Parameters
    ----------
    y : (scenarios, groups)
        Mean score of each cell; NaN where it is missing. A scenario with a missing cell is left
        out for all groups: see `missing_bounds` for what it could have changed.
    margin : float
        Smallest difference that matters, in units of y, fixed before the run.
    alpha : float
        Family-wise error of `disparity`, and error of each `equivalent`. Default 0.05.
    contrast, reference
        "leave_one_out" (default, no privileged group) or "reference" with the group's index.
    weights : (scenarios,), optional
        Record counts, when a scenario shall weigh by them. Default: scenarios weigh equally.
    name_ids : (scenarios, groups), optional
        Which name stood for the group in each cell (any labels; names belong to their group).
        Adds the variance of the names where a name is used in more than one scenario.
    comparisons : int, optional
        Tests in the family m, when it is wider than one axis. Default: the number of groups,
        1 when there are two, one fewer against a reference.

    Returns
    -------
    GroupEffects

    Raises
    ------
    ValueError
        Wrong shape, infinite values, fewer than two groups, a margin of 0 or below, alpha
        outside (0, 1), a reference that is not a group, weights that are not positive.

    Notes
    -----
    Formula: c_gk = y_gk - mean_{j != k} y_gj; estimate = mean_g c_gk; t interval with G - 1
    degrees of freedom on the column c_.k. With equal weights this is the cluster-robust CR2
    interval exactly. Neutral: 0. Sign: positive when the group scores above the others.
    Excludes: scenarios with a missing cell.

    A true shift of one group by d moves every other group's effect by -d / (K - 1).

    Data at fault give `inconclusive` with a reason and no interval: fewer than 6 complete
    scenarios; fewer than 4 names in a group; or a contrast that is the same in every scenario.
    The last also holds when that contrast is exactly 0 everywhere: an observed spread of 0 says
    nothing about the scenarios one did not write, and is more often a cue that never reached the
    model, or a saturated scale, than proof of equal treatment.

    The reference group's own row is 0 by definition and `equivalent` whenever the data allow a
    verdict on any other group.
    """
    matrix = checked(y)
    check_margin(margin)
    check_share(alpha)
    groups = matrix.shape[1]
    design = weights_of(groups, contrast, reference)
    keep = complete(matrix)
    sizes = _checked_weights(weights, len(matrix))
    names = None if name_ids is None else checked_names(name_ids, matrix.shape)
    if sizes is not None and names is not None:
        raise ValueError("give weights or name_ids, not both: their joint variance is not defined")
    if comparisons is not None and comparisons < 1:
        raise ValueError(f"comparisons must be at least 1, got {comparisons}")
    many = comparisons or family_size(groups, contrast)
    reason = _data_at_fault(matrix, keep)
    rows = matrix[keep]
    sizes = None if sizes is None else sizes[keep]
    c = contrasts(rows, contrast=contrast, reference=reference)
    estimate, error, df = _mean_and_error(c, sizes)
    if names is not None and len(rows) >= 2:
        error, df = name_variance(rows, names[keep], design)
        if not reason and smallest_pool(names[keep]) < FEWEST_NAMES:
            reason = f"fewer than {FEWEST_NAMES} names in a group: names and group are confounded"
    scale = float(np.abs(rows).max(initial=0.0))
    mean = _mean(rows, sizes)
    undefined = is_constant(error, scale) | np.isnan(error) | bool(reason)
    itself = np.arange(groups) == (reference if contrast == "reference" else -1)
    itself &= not undefined.all()
    t = t_intervals(estimate, error, df, undefined, alpha=alpha, many=many)
    if not reason:
        for bound in (t.low, t.high, t.tost_low, t.tost_high):
            bound[itself] = 0.0
        t.p_value[itself], t.p_adjusted[itself] = 1.0, 1.0
    verdict, material, why = verdicts(t.low, t.high, t.tost_low, t.tost_high, margin)
    if names is not None and len(rows) and smallest_pool(names[keep]) < len(rows):
        why[why == OPEN] = OPEN_BY_NAMES
    why[undefined] = reason or "zero variance: the contrast is the same in every scenario"
    if not reason:
        why[itself] = "the reference group itself"
    return GroupEffects(
        estimate=estimate, standard_error=error, low=t.low, high=t.high, tost_low=t.tost_low,
        tost_high=t.tost_high, p_value=t.p_value, p_adjusted=t.p_adjusted,
        verdict=verdict, material=material, reason=why, df=df, n=len(rows), mean=mean,
    )  # fmt: skip


def _checked_weights(weights: ArrayLike | None, scenarios: int) -> Floats | None:
    if weights is None:
        return None
    sizes = np.asarray(weights, dtype=np.float64)
    if sizes.shape != (scenarios,):
        raise ValueError(f"weights must have shape ({scenarios},), got {sizes.shape}")
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise ValueError("weights must be finite and above 0")
    return sizes


def _data_at_fault(matrix: Floats, keep: Bools) -> str:
    """Why no group can have a verdict, or ""."""
    if keep.sum() >= FEWEST_SCENARIOS:
        return ""
    empty = np.flatnonzero(np.isnan(matrix).all(axis=0)).tolist()
    if len(matrix) == 0 or len(empty) == matrix.shape[1]:
        return "no scores at all"
    if empty:
        return f"no score for group {', '.join(map(str, empty))}"
    return f"complete scenarios: {keep.sum()}, at least {FEWEST_SCENARIOS} are needed"


def _mean(rows: Floats, sizes: Floats | None) -> Floats:
    if not len(rows):
        return np.full(rows.shape[1], np.nan)
    return np.asarray(np.average(rows, axis=0, weights=sizes), dtype=np.float64)


def _mean_and_error(c: Floats, sizes: Floats | None) -> tuple[Floats, Floats, Floats]:
    """Mean, standard error and degrees of freedom of every column of contrasts."""
    n, groups = c.shape
    if n < 2:
        nothing = np.full(groups, np.nan)
        return (c[0].copy() if n else nothing), nothing, nothing.copy()
    if sizes is not None:
        return cr2(c, sizes)
    return c.mean(axis=0), c.std(axis=0, ddof=1) / np.sqrt(n), np.full(groups, n - 1.0)
