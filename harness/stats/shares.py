"""A share of independent scenarios, with its exact interval."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True, slots=True)
class Share:
    """`estimate` of `n`, with a two-sided interval; all None without any."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int


def share(count: int, n: int, *, alpha: float = 0.05) -> Share:
    """`count` of `n` with the exact interval of Clopper and Pearson (1934) at 1 - alpha.

    Range 0 to 1. Conservative: it covers at least 1 - alpha of the time.

    Raises
    ------
    ValueError
        A count below 0 or above n.
    """
    if not 0 <= count <= n:
        raise ValueError(f"count must lie between 0 and n = {n}, got {count}")
    if n == 0:
        return Share(None, None, None, 0)
    found = stats.binomtest(count, n).proportion_ci(1 - alpha, method="exact")
    return Share(count / n, float(found.low), float(found.high), n)
