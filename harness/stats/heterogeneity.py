"""Effects that differ between scenarios: opposite discriminations that average to zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    Floats,
    check_margin,
    checked,
    complete,
    contrasts,
)


@dataclass(frozen=True, slots=True, eq=False)
class Heterogeneity:
    """Spread of a group's effect over scenarios; arrays per group, NaN where undefined.

    `sd` is the standard deviation of the effect between scenarios beyond sampling noise;
    `share_above, share_below` the share of scenarios whose shrunken effect is above margin,
    below -margin; `share` their sum.
    """

    sd: Floats
    share: Floats
    share_above: Floats
    share_below: Floats
    n: int
    reason: str = ""


def heterogeneity(y: ArrayLike, *, margin: float, noise: ArrayLike | None = None) -> Heterogeneity:
    """In how many scenarios a group's effect is beyond the margin, whatever it averages to.

    Parameters
    ----------
    y : (scenarios, groups)
        Mean score of each cell. Scenarios with a missing cell are left out.
    margin : float
        Smallest difference that matters, in units of y.
    noise : (scenarios, groups) or a number, optional
        Sampling variance of each cell's mean (variance between repeats over their number).
        Default 0: right for scores without sampling (token probabilities), otherwise the noise
        is counted as heterogeneity.

    Returns
    -------
    Heterogeneity

    Raises
    ------
    ValueError
        Bad shape, a margin of 0 or below, noise that is negative or of another shape.

    Notes
    -----
    Formula: v_gk = v(y_gk) + sum_{j != k} v(y_gj) / (K - 1)^2;
    sd^2 = max(0, var_g(c_gk) - mean_g v_gk); shrunken c_gk = mean_k + sqrt(B_gk) (c_gk - mean_k),
    B_gk = sd^2 / (sd^2 + v_gk). The root keeps the spread of the shrunken effects at sd, so that
    shares are not understated, as full shrinkage (B) would. Neutral: 0.

    Reference: shrinkage that keeps the spread is the constrained empirical Bayes of Louis (1984).
    """
    matrix = checked(y)
    check_margin(margin)
    variance = np.asarray(0.0 if noise is None else noise, dtype=np.float64)
    if variance.ndim and variance.shape != matrix.shape:
        raise ValueError(f"noise must have shape {matrix.shape}, got {variance.shape}")
    if (variance < 0).any() or np.isinf(variance).any():
        raise ValueError("noise must be a finite variance, 0 or above")
    variance = np.broadcast_to(variance, matrix.shape)
    keep = complete(matrix) & complete(np.asarray(variance))
    c, v = contrasts(matrix[keep]), variance[keep]
    n, groups = c.shape
    if n < FEWEST_SCENARIOS:
        no = np.full(groups, np.nan)
        why = f"complete scenarios: {n}, at least {FEWEST_SCENARIOS} are needed"
        return Heterogeneity(no, no, no, no, n, why)
    v = v + (v.sum(axis=1, keepdims=True) - v) / (groups - 1) ** 2
    mean = c.mean(axis=0)
    between = np.maximum(0.0, c.var(axis=0, ddof=1) - v.mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        keep_share = np.where(between + v > 0, np.sqrt(between / (between + v)), 0.0)
    shrunk = mean + keep_share * (c - mean)
    above, below = (shrunk > margin).mean(axis=0), (shrunk < -margin).mean(axis=0)
    return Heterogeneity(np.sqrt(between), above + below, above, below, n)
