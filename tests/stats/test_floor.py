from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from harness.stats import floor_excess, spread_between, spread_under_edit


def test_spread_is_the_mean_over_pairs(rng) -> None:
    y = rng.normal(size=(6, 5))
    pairs = [np.abs(y[:, i] - y[:, j]) for i, j in itertools.combinations(range(5), 2)]
    np.testing.assert_allclose(spread_between(y), np.mean(pairs, axis=0))
    np.testing.assert_allclose(spread_between([[1.0, 4.0]]), [3.0])


def test_spread_of_missing_and_equal_cells() -> None:
    found = spread_between([[0.1, 0.1, 0.1], [0.1, np.nan, 0.3]])
    assert found[0] == 0
    assert np.isnan(found[1])


def test_edit_spread_uses_the_pairs_there_are() -> None:
    before, after = (
        [[1.0, 2.0], [1.0, np.nan], [np.nan, 1.0]],
        [[2.0, 5.0], [3.0, 1.0], [1.0, np.nan]],
    )
    np.testing.assert_array_equal(spread_under_edit(before, after), [2.0, 2.0, np.nan])


def test_excess_is_a_one_sided_paired_t(rng) -> None:
    cf, pp = rng.uniform(0.1, 0.3, 20), rng.uniform(0.0, 0.25, 20)
    found = floor_excess(cf, pp)
    test = stats.ttest_rel(cf, pp, alternative="greater")
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.low == pytest.approx(test.confidence_interval(0.95).low)
    assert found.estimate == pytest.approx((cf - pp).mean())
    assert (found.df, found.n, found.reason) == (19, 20, "")


def test_sign_is_positive_above_the_floor(rng) -> None:
    cf = rng.uniform(0.2, 0.3, 20)
    assert floor_excess(cf + 0.1, cf[::-1]).p_value < 0.001
    assert floor_excess(cf, cf[::-1] + 0.1).p_value > 0.999


def test_undefined(rng) -> None:
    few = floor_excess([0.1] * 4 + [np.nan] * 9, [0.1] * 13)
    assert (few.n, few.p_value) == (4, None)
    assert "at least 6" in few.reason
    assert floor_excess([], []).estimate is None
    flat = floor_excess([0.2] * 9, [0.1] * 9)
    assert (flat.p_value, flat.low) == (None, None)
    assert "zero variance" in flat.reason


@pytest.mark.parametrize(("cf", "pp"), [([0.1], [0.1, 0.2]), ([[0.1]], [[0.1]]), ([np.inf], [0.1])])
def test_bad_input(cf, pp) -> None:
    with pytest.raises(ValueError, match=r"shape|infinite"):
        floor_excess(cf, pp)
    with pytest.raises(ValueError, match="same shape"):
        spread_under_edit([[1.0, 2.0]], [[1.0]])
