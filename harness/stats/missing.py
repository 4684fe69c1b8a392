"""What missing cells could have changed: worst-case bounds and their interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    Bools,
    Contrast,
    Floats,
    Texts,
    check_margin,
    check_share,
    checked,
    family_size,
    is_constant,
    texts,
    verdicts,
    weights_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class MissingBounds:
    """Bounds of every group's effect; arrays per group in units of y, NaN where undefined.

    `lower, upper` bound the estimate whatever the missing cells hold. `low, high` covers the
    true effect at level 1 - alpha / m; `tost_low, tost_high` decides equivalence at level alpha.
    `missing` is the share of each group's cells that is missing, `n` the number of scenarios.
    """

    lower: Floats
    upper: Floats
    low: Floats
    high: Floats
    tost_low: Floats
    tost_high: Floats
    verdict: Texts
    material: Bools
    reason: Texts
    missing: Floats
    n: int


def missing_bounds(
    y: ArrayLike,
    *,
    margin: float,
    low: ArrayLike = 0.0,
    high: ArrayLike = 1.0,
    alpha: float = 0.05,
    contrast: Contrast = "leave_one_out",
    reference: int | None = None,
) -> MissingBounds:
    """Group effects when refused and unreadable cells may have held any possible score.

    Parameters
    ----------
    y : (scenarios, groups)
        Mean score of each cell, NaN where it was refused or could not be read. All scenarios
        count, also those with nothing but missing cells.
    margin : float
        Smallest difference that matters, in units of y.
    low, high : float or (scenarios, groups)
        The least and greatest score a missing cell can hold; -inf and inf for a score without
        bounds, for which a missing cell leaves every verdict open. Arrays where a cell is the
        mean of several answers and only some of them are missing. Default 0 and 1.
    alpha, contrast, reference
        As in `group_effects`.

    Returns
    -------
    MissingBounds

    Raises
    ------
    ValueError
        Bad shape, margin or alpha; low not below high; a score outside [low, high].

    Notes
    -----
    Formula: the upper bound U puts group k's missing cells at `high` and the others' at `low`;
    the lower bound L the reverse. Interval (L - c se, U + c se) with c from
    F(c + (U - L) / se) - F(-c) = 1 - alpha / m, F the t distribution with G - 1 degrees of
    freedom; se^2 = max(se_L, se_U)^2 + (w / 2)^2, w = (U - L) / (scenarios with a missing cell).
    Equivalence asks each end for itself: c = t_{1 - alpha}. With nothing missing both are the
    intervals of `group_effects`.

    Assumes nothing about why cells are missing; 3 % missing everywhere makes the bounds about
    .06 wide, so equivalence under refusals is strict on purpose. Neutral: 0.

    Simulated coverage where truth is at a bound (nominal .95, 10 to 300 scenarios of which 1 to
    30 % are missing, tests/statistics): .94 to 1 where any cell is missing. What never came up
    is not bounded: among 10 scenarios of which each refuses with chance 1 in 10, one run in
    eight shows no refusal, and its interval is that of the cells that are not refused.

    Reference: Imbens and Manski (2004). Their form has the normal quantile and each end's own se,
    and covered .88 to .95 at 10 to 100 scenarios, since the rate of refusals is itself estimated
    from few; t, the larger se and w (half of what one refusal more would add) mend that.
    """
    matrix = checked(y)
    check_margin(margin)
    check_share(alpha)
    n, groups = matrix.shape
    floor, ceiling = _limits(low, matrix.shape), _limits(high, matrix.shape)
    if not (floor <= ceiling).all() or (n and not (floor < ceiling).any()):
        raise ValueError(f"low must be below high, got {low!r} and {high!r}")
    if (matrix < floor).any() or (matrix > ceiling).any():
        raise ValueError(f"y holds scores outside [{low!r}, {high!r}]")
    weights_of(groups, contrast, reference)
    absent = np.isnan(matrix)
    own = reference if contrast == "reference" else None
    rest = absent.any(axis=1, keepdims=True) if own is None else absent[:, [own]]
    touched = (absent | rest).sum(axis=0)
    finite = bool(np.isfinite(floor).all() and np.isfinite(ceiling).all())
    least = np.where(absent, floor if finite else 0.0, matrix)
    most = np.where(absent, ceiling if finite else 0.0, matrix)
    lower, error_lower = _mean_and_error(_against(least, most, own))
    upper, error_upper = _mean_and_error(_against(most, least, own))
    unbounded = (touched > 0) & (not finite)
    scale = float(np.abs(least).max(initial=0.0))
    flat = is_constant(error_lower, scale) | is_constant(error_upper, scale) | unbounded
    unseen = (upper - lower) / np.maximum(touched, 1) / 2
    error = np.hypot(np.maximum(error_lower, error_upper), unseen)
    error[flat] = np.nan
    df = max(n - 1, 1)
    c = critical(upper - lower, error, alpha / family_size(groups, contrast), df)
    one_sided = float(stats.t.isf(alpha, df))
    lower[unbounded], upper[unbounded] = -np.inf, np.inf
    bounds = MissingBounds(
        lower=lower, upper=upper, low=lower - c * error, high=upper + c * error,
        tost_low=lower - one_sided * error, tost_high=upper + one_sided * error,
        verdict=texts(groups), material=np.zeros(groups, dtype=bool), reason=texts(groups),
        missing=absent.mean(axis=0) if n else np.full(groups, np.nan), n=n,
    )  # fmt: skip
    return _with_verdict(bounds, margin, np.asarray(touched > 0), unbounded, own)


def _limits(end: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """One limit for every cell."""
    limits = np.asarray(end, dtype=np.float64)
    if limits.ndim and limits.shape != shape:
        raise ValueError(f"low and high must be numbers or of shape {shape}, got {limits.shape}")
    return np.broadcast_to(limits, shape)


def _against(own: Floats, others: Floats, reference: int | None) -> Floats:
    """Contrast of each column of `own` with the other columns of `others`."""
    if reference is None:
        rest: Floats = (others.sum(axis=1, keepdims=True) - others) / (own.shape[1] - 1)
        return own - rest
    c: Floats = own - others[:, [reference]]
    c[:, reference] = 0.0
    return c


def _mean_and_error(c: Floats) -> tuple[Floats, Floats]:
    n, groups = c.shape
    if n < 2:
        return (c[0].copy() if n else np.full(groups, np.nan)), np.full(groups, np.nan)
    return c.mean(axis=0), c.std(axis=0, ddof=1) / np.sqrt(n)


def _with_verdict(
    bounds: MissingBounds, margin: float, touched: Bools, unbounded: Bools, own: int | None
) -> MissingBounds:
    """The same bounds with verdicts; below 6 scenarios without intervals."""
    few = bounds.n < FEWEST_SCENARIOS
    if own is not None and np.isnan(np.delete(bounds.low, own)).all():
        own = None  # nothing is known of any other group
    for edge in (bounds.low, bounds.high, bounds.tost_low, bounds.tost_high):
        if own is not None:
            edge[own] = 0.0
        if few:
            edge[:] = np.nan
    verdict, material, reason = verdicts(
        bounds.low, bounds.high, bounds.tost_low, bounds.tost_high, margin
    )
    reason[np.isnan(bounds.low)] = "zero variance: the contrast is the same in every scenario"
    reason[(verdict == "inconclusive") & touched] = "what is missing could change the verdict"
    reason[unbounded] = "cells are missing and the score has no bounds"
    if own is not None:
        reason[own] = "the reference group itself"
    if few:
        reason[:] = f"scenarios: {bounds.n}, at least {FEWEST_SCENARIOS} are needed"
    return replace(bounds, verdict=verdict, material=material, reason=reason)


def critical(width: Floats, error: Floats, alpha: float, df: float) -> Floats:
    """The c that solves F(c + width / error) - F(-c) = 1 - alpha, by bisection.

    It lies between the one-sided quantile (wide bounds) and the two-sided one (width 0).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(width == 0, 0.0, width / error)
    left = np.full(ratio.shape, stats.t.isf(alpha, df))
    right = np.full(ratio.shape, stats.t.isf(alpha / 2, df))
    for _ in range(50):
        middle = (left + right) / 2
        short = special.stdtr(df, middle + ratio) - special.stdtr(df, -middle) < 1 - alpha
        left, right = np.where(short, middle, left), np.where(short, right, middle)
    return right
