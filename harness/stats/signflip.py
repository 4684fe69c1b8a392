"""Sign flips of whole scenarios: one engine for joint tests and for the worst gap.

Flipping the sign of a scenario's contrasts is the restricted wild cluster bootstrap with
Rademacher weights: under the null hypothesis the contrasts are their own residuals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from harness.stats.contrasts import Floats, check_share, checked, complete, is_constant

ENUMERATE = 12
"""Up to this many scenarios all 2 ** n sign patterns are used, so the p-value is exact."""

DRAWS = 9999
CHUNK = 1000
TIE = 1e-5
"""Statistics this close (relative; single precision) count as equal, which favours no finding."""


@dataclass(frozen=True, slots=True, eq=False)
class JointTest:
    """Endpoints tested together; arrays per endpoint, NaN where undefined.

    `low, high = estimate -+ critical * standard_error` excludes 0 exactly where
    `p_adjusted <= alpha`. `exact` says that all sign patterns were enumerated.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    t: Floats
    p_value: Floats
    p_adjusted: Floats
    critical: float
    draws: int
    exact: bool
    n: int


def sign_flip_max_t(
    c: ArrayLike, *, rng: Generator, draws: int = DRAWS, alpha: float = 0.05
) -> JointTest:
    """Joint test of many correlated endpoints: studentised sign-flip max-T.

    Parameters
    ----------
    c : (scenarios, endpoints)
        Contrasts per scenario. Scenarios with NaN are left out.
    rng : numpy.random.Generator
        Source of the signs; not used when the patterns are enumerated.
    draws : int
        Random sign patterns, 9999 by default.
    alpha : float
        Family-wise error. Default 0.05.

    Returns
    -------
    JointTest
        `p_value` is the sign-flip p of each endpoint alone, `p_adjusted` that of the family.

    Raises
    ------
    ValueError
        Bad shape, infinite values, draws below 99, alpha outside (0, 1).

    Notes
    -----
    Formula: M = S C / G for sign patterns S; T = sqrt(G) |M| / sd, with the sum of squares
    invariant under flips; p_adjusted = (1 + #{max_k T >= t_k}) / (draws + 1). Up to 12
    scenarios all patterns are used and p = #{max_k T >= t_k} / 2 ** G, the identity included.

    Assumes that contrasts are symmetric about 0 under the null hypothesis; holds its level
    closely without that from about 30 scenarios. It gains over Holm where endpoints are
    correlated (several scorers of one output), not for the groups of one endpoint. For rare
    outcomes in many groups it rejects too often: see `rare_effects`. Never below p = 2 ** (1-G).
    """
    matrix = checked(c, name="c", groups=1)
    check_share(alpha)
    check_draws(draws)
    matrix = matrix[complete(matrix)]
    n, endpoints = matrix.shape
    if n < 2:
        no = np.full(endpoints, np.nan)
        return JointTest(no, no, no, no, no, no, no, np.nan, 0, False, n)
    mean = matrix.mean(axis=0)
    error = matrix.std(axis=0, ddof=1) / np.sqrt(n)
    live = ~is_constant(error, float(np.abs(matrix).max(initial=0.0)))
    t = np.full(endpoints, np.nan)
    t[live] = mean[live] / error[live]
    flipped = np.concatenate(
        [_studentised(m, matrix[:, live]) for m in flipped_means(matrix[:, live], rng, draws)]
    )
    largest = flipped.max(axis=1, initial=0.0)
    exact = n <= ENUMERATE
    single, family, critical = np.full(endpoints, np.nan), np.full(endpoints, np.nan), np.nan
    if live.any():
        size = np.abs(t[live]) * (1 - TIE)
        single[live] = _p((flipped >= size).sum(axis=0), len(flipped), exact)
        family[live] = _p((largest[:, None] >= size).sum(axis=0), len(flipped), exact)
        critical = _critical(largest, alpha, exact)
    reach = np.full(endpoints, np.nan)
    reach[live] = critical * error[live]
    return JointTest(
        mean, error, mean - reach, mean + reach, t, single, family, critical, len(flipped), exact, n
    )


def check_draws(draws: int) -> None:
    """Raise ValueError below 99 draws, where no p-value can reach .01."""
    if draws < 99:
        raise ValueError(f"draws must be at least 99, got {draws}")


def flipped_means(c: Floats, rng: Generator, draws: int) -> Iterator[Floats]:
    """Column means of `c` under sign patterns of its rows, in chunks of (patterns, columns).

    All 2 ** n patterns for n <= 12 (the first is the identity), else `draws` random ones.
    """
    n = len(c)
    if n <= ENUMERATE:
        patterns = np.arange(2**n)[:, None] >> np.arange(n) & 1
        yield (1.0 - 2.0 * patterns) @ c / n
        return
    single = np.asarray(c, dtype=np.float32)
    half = single.sum(axis=0)
    for start in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - start)
        # Bits b in {0, 1} stand for signs 2b - 1, so that the product needs no second array.
        bits = np.unpackbits(
            np.frombuffer(rng.bytes(rows * (-(-n // 8))), dtype=np.uint8).reshape(rows, -1),
            axis=1, count=n,
        )  # fmt: skip
        yield (2.0 * (bits.astype(np.float32) @ single) - half).astype(np.float64) / n


def _studentised(means: Floats, c: Floats) -> Floats:
    n = len(c)
    spread = np.maximum((c**2).sum(axis=0) - n * means**2, 0.0) / (n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t: Floats = np.sqrt(n) * np.abs(means) / np.sqrt(spread)
    t[np.isnan(t)] = 0.0
    return t


def _p(count: NDArray[np.int64], draws: int, exact: bool) -> Floats:
    return count / draws if exact else (1 + count) / (draws + 1)


def _critical(largest: Floats, alpha: float, exact: bool) -> float:
    """The statistic above which p <= alpha: the interval and the p-value then agree."""
    draws = len(largest)
    rank = int(np.floor(alpha * draws if exact else alpha * (draws + 1) - 1))
    if rank < 0:
        return np.inf
    return float(np.sort(largest)[::-1][rank] / (1 - TIE))


def sign_flip_p(c: ArrayLike, *, rng: Generator, draws: int = DRAWS) -> float:
    """Sign-flip p-value that the mean of one column (scenarios,) is 0; NaN below 2 scenarios.

    Shown beside the t test for 6 to 19 scenarios. Raises ValueError for a wrong shape.
    """
    column = np.asarray(c, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"c must have shape (scenarios,), got {column.shape}")
    return float(sign_flip_max_t(column[:, None], rng=rng, draws=draws).p_value[0])
