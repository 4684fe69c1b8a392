from __future__ import annotations

import numpy as np
from scipy import stats

from harness.stats.intervals import t_intervals


def test_against_scipy() -> None:
    estimate, error, df = np.array([1.0, -2.0]), np.array([0.5, 0.5]), np.array([4.0, 9.5])
    found = t_intervals(estimate, error, df, np.zeros(2, dtype=bool), alpha=0.05, many=10)
    np.testing.assert_allclose(found.low, estimate - stats.t.ppf(0.9975, df) * error)
    np.testing.assert_allclose(found.tost_high, estimate + stats.t.ppf(0.95, df) * error)
    np.testing.assert_allclose(found.p_value, 2 * stats.t.sf(np.abs(estimate) / error, df))
    np.testing.assert_allclose(found.p_adjusted, np.minimum(1, 10 * found.p_value))


def test_undefined_is_nan_and_silent() -> None:
    found = t_intervals(
        np.zeros(2), np.array([0.0, np.nan]), np.ones(2), np.array([True, False]), alpha=0.1, many=1
    )
    for values in (found.low, found.high, found.tost_low, found.p_value, found.p_adjusted):
        assert np.isnan(values).all()
