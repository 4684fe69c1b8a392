"""The worst gap: how far apart the highest and the lowest group are, beyond what noise makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy import stats

from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    Floats,
    check_share,
    checked,
    complete,
    is_constant,
)
from harness.stats.signflip import DRAWS, ENUMERATE, TIE, check_draws, flipped_means


@dataclass(frozen=True, slots=True)
class WorstGap:
    """The range of group means, in units of y; None where undefined, `reason` then says why.

    `raw` is never to be shown alone. `tau` is the standard deviation between groups beyond
    noise. `highest, lowest` are the groups at the ends.
    """

    raw: float | None
    p_value: float | None
    corrected: float | None
    lower: float | None
    upper: float | None
    tau: float | None
    highest: int | None
    lowest: int | None
    n: int
    reason: str = ""


def worst_gap(y: ArrayLike, *, rng: Generator, draws: int = DRAWS, alpha: float = 0.05) -> WorstGap:
    """Gap between the highest and the lowest group, with what noise alone would make of it.

    Parameters
    ----------
    y : (scenarios, groups)
        Mean score of each cell. Scenarios with a missing cell are left out.
    rng : numpy.random.Generator
        Source of the sign flips (all patterns are enumerated up to 12 scenarios).
    draws : int
        Random sign patterns, 9999 by default.
    alpha : float
        One-sided error of each bound. Default 0.05.

    Returns
    -------
    WorstGap

    Raises
    ------
    ValueError
        Bad shape, infinite values, fewer than two groups, alpha outside (0, 1), draws below 99.

    Notes
    -----
    Formula: x_gk = y_gk - mean_j y_gj, mu = mean_g x_g, W = max mu - min mu.
    p: share of sign flips of whole rows of x whose range of means reaches W.
    E0: mean range under flips of the centred rows x - mu; corrected = sqrt(max(0, W^2 - E0^2)).
    lower = max(0, W - q), q the 1 - alpha quantile of that same range times sqrt(G / (G - 1)) and
    t_{1-alpha/2, G-1} / z_{1-alpha/2}; 0 where p > alpha.
    upper = max_ij (mu_i - mu_j + t_{1-alpha, G-1} s_ij / sqrt G): for the pair that is truly
    furthest apart it is a one-sided t bound, so it covers.
    tau^2 = max(0, var_k(mu_k) - K / (K - 1) mean_k s_k^2 / G).

    The quantile is taken from sign flips (a wild bootstrap), not from resampled scenarios: one
    matrix product then gives p, E0 and q. Simulated coverage: lower .95 to 1 (without the t
    factor .90 at 10 scenarios), upper .95 to 1 (tests/statistics).
    For groups that do not differ, the range of K means is expected to be 1.1 (K = 2) to 5.1
    (K = 100) standard errors; `corrected` still keeps about one of them, so show it with its p.
    Range: 0 and up. Neutral: 0.
    """
    matrix = checked(y)
    check_share(alpha)
    check_draws(draws)
    rows = matrix[complete(matrix)]
    n = len(rows)
    if n < FEWEST_SCENARIOS:
        why = f"complete scenarios: {n}, at least {FEWEST_SCENARIOS} are needed"
        return WorstGap(None, None, None, None, None, None, None, None, n, why)
    x = rows - rows.mean(axis=1, keepdims=True)
    mu = x.mean(axis=0)
    gap = float(np.ptp(mu))
    spread = x.std(axis=0, ddof=1)
    ends = int(mu.argmax()), int(mu.argmin())
    if is_constant(spread, float(np.abs(rows).max())).all():
        why = "zero variance: the groups differ by the same in every scenario"
        return WorstGap(gap, None, None, None, None, None, *ends, n, why)
    reached, null = _flip(x, mu, gap, rng, draws)
    # Few scenarios: the flips know the spread no better than a t test does.
    small = stats.t.isf(alpha / 2, n - 1) / stats.norm.isf(alpha / 2) * np.sqrt(n / (n - 1))
    quantile = float(np.quantile(null, 1 - alpha, method="higher") * small)
    noise = float(null.mean())
    return WorstGap(
        raw=gap,
        p_value=reached,
        corrected=float(np.sqrt(max(0.0, gap**2 - noise**2))),
        lower=max(0.0, gap - quantile) if reached <= alpha else 0.0,
        upper=_upper(x, mu, alpha),
        tau=_tau(mu, spread, n),
        highest=ends[0],
        lowest=ends[1],
        n=n,
    )


def _flip(x: Floats, mu: Floats, gap: float, rng: Generator, draws: int) -> tuple[float, Floats]:
    """p-value of the range, and the range under flips of the centred rows."""
    n, groups = x.shape
    count, null = 0, []
    # The extra column of ones gives the mean sign, hence the flips of x - mu from those of x.
    for means in flipped_means(np.column_stack([x, np.ones(n)]), rng, draws):
        signs = means[:, groups:]
        flips = means[:, :groups]
        count += int((np.ptp(flips, axis=1) >= gap * (1 - TIE)).sum())
        null.append(np.ptp(flips - signs * mu, axis=1))
    ranges = np.concatenate(null)
    p = count / len(ranges) if n <= ENUMERATE else (1 + count) / (len(ranges) + 1)
    return p, ranges


def _upper(x: Floats, mu: Floats, alpha: float) -> float:
    n = len(x)
    covariance = np.atleast_2d(np.cov(x, rowvar=False))
    own = np.diag(covariance)
    s2 = np.maximum(own[:, None] + own[None, :] - 2 * covariance, 0.0)
    reach = stats.t.isf(alpha, n - 1) * np.sqrt(s2 / n)
    return float((mu[:, None] - mu[None, :] + reach).max())


def _tau(mu: Floats, spread: Floats, n: int) -> float:
    groups = len(mu)
    noise = groups / (groups - 1) * float((spread**2).mean()) / n
    return float(np.sqrt(max(0.0, float(mu.var(ddof=1)) - noise)))
