"""Student's t from an estimate and its standard error: both intervals and both p-values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from harness.stats.contrasts import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Arrays per group, NaN where undefined; the meaning is that of `GroupEffects`."""

    low: Floats
    high: Floats
    tost_low: Floats
    tost_high: Floats
    p_value: Floats
    p_adjusted: Floats


def finite(value: float | None) -> float | None:
    """The number as a plain float, None where it is undefined: NaN, infinite or None."""
    return float(value) if value is not None and np.isfinite(value) else None


def mean_interval(values: Floats, *, alpha: float) -> tuple[float, float]:
    """The t interval of a mean at 1 - alpha; at least two values, not all alike."""
    n = len(values)
    reach = -float(special.stdtrit(n - 1, alpha / 2)) * float(values.std(ddof=1)) / np.sqrt(n)
    return float(values.mean() - reach), float(values.mean() + reach)


def t_intervals(
    estimate: Floats, error: Floats, df: Floats, undefined: Bools, *, alpha: float, many: float
) -> Intervals:
    """Intervals at 1 - alpha / many and at 1 - 2 alpha, and two-sided p-values.

    One quantile and one p-value from one statistic, so `p_adjusted < alpha` exactly where
    `low, high` excludes 0. `many` need not be whole: m alpha / a spends only a of alpha. Where
    `undefined`, or the error is NaN, all are NaN.
    """
    held = np.where(undefined, np.nan, error)
    reach = -np.asarray(special.stdtrit(df, alpha / many / 2), dtype=np.float64) * held
    tost = -np.asarray(special.stdtrit(df, alpha), dtype=np.float64) * held
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * np.asarray(special.stdtr(df, -np.abs(estimate) / held), dtype=np.float64)
    return Intervals(
        estimate - reach, estimate + reach, estimate - tost, estimate + tost,
        p, np.minimum(1.0, many * p),
    )  # fmt: skip
