from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats import group_effects, impact_ratio, logit_effects


@pytest.fixture
def rates(rng) -> np.ndarray:
    p = np.clip(rng.normal(0.5, 0.1, (40, 1)) + rng.normal(0, 0.05, (40, 4)), 0, 1)
    p[:, 1] *= 0.5
    return p


def test_ratio_by_hand(rng) -> None:
    y = np.tile([0.2, 0.4], (6, 1)) + np.array([0.1, -0.1, 0.05, -0.05, 0, 0])[:, None]
    found = impact_ratio(y)
    np.testing.assert_allclose(found.ratio, [0.5, 2.0])
    np.testing.assert_allclose(found.regulatory, [0.5, 1.0])
    np.testing.assert_allclose(found.rate, [0.2, 0.4])


def test_half_the_rate_is_shown_to_be_below_four_fifths(rates) -> None:
    found = impact_ratio(rates)
    assert found.below_four_fifths.tolist() == [False, True, False, False]
    assert found.low[1] < found.ratio[1] < found.high[1] < 0.8
    assert found.p_adjusted[1] < 0.001
    order = [2, 1, 0, 3]
    np.testing.assert_allclose(impact_ratio(rates[::-1][:, order]).high, found.high[order])


def test_the_ends_are_the_ratios_a_t_test_just_rejects(rates) -> None:
    found = impact_ratio(rates)
    own, rest = rates[:, 1], rates[:, [0, 2, 3]].mean(axis=1)
    for end in (found.low[1], found.high[1]):
        assert stats.ttest_1samp(own - end * rest, 0).pvalue == pytest.approx(0.05 / 4)
    np.testing.assert_allclose(found.p_adjusted, group_effects(rates, margin=1).p_adjusted)


def test_the_interval_leaves_out_1_exactly_where_the_difference_is_shown(rng) -> None:
    shown = 0
    for base in (0.03, 0.1, 0.5):
        for _ in range(200):
            yes = rng.binomial(20, base * np.array([0.6, 1.0, 1.4]), (12, 3)) / 20
            found = impact_ratio(yes)
            defined = np.isfinite(found.p_adjusted)
            apart = (found.low > 1) | (found.high < 1)
            np.testing.assert_array_equal(apart[defined], found.p_adjusted[defined] < 0.05)
            assert (found.low[defined] <= found.ratio[defined]).all()
            assert (found.ratio[defined] <= found.high[defined]).all()
            shown += int(apart.sum())
    assert shown > 200


def test_a_rate_that_may_be_0_bounds_no_ratio() -> None:
    """Others with one yes in 8 scenarios: the ratio has a lower end at most."""
    y = np.full((8, 2), 0.0)
    y[0, 1] = 0.2
    y[:, 0] = [0.5, 0.6, 0.4, 0.5, 0.5, 0.6, 0.5, 0.4]
    found = impact_ratio(y)
    assert 1 < found.low[0] < found.ratio[0]
    assert found.high[0] == np.inf
    assert found.p_adjusted[0] < 0.05
    assert found.high[1] < 0.8
    y[:, 0] = [0, 0.4, 0, 0, 0, 0, 0, 0]
    nothing = impact_ratio(y)
    assert (nothing.low[0], nothing.high[0]) == (0, np.inf)
    assert np.isnan(nothing.p_adjusted[0])
    assert "any ratio is possible" in nothing.reason[0]
    assert not nothing.below_four_fifths.any()


def test_neutral_is_one(rng) -> None:
    found = impact_ratio(np.clip(rng.normal(0.5, 0.05, (200, 3)), 0, 1))
    assert ((found.low < 1) & (found.high > 1)).all()
    np.testing.assert_allclose(found.ratio, 1, atol=0.05)


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        (np.zeros((9, 3)), "rate is 0"),
        (np.ones((9, 3)), "zero variance"),
        (np.full((9, 3), 0.5), "zero variance"),
        (np.full((9, 3), np.nan), "at least 6"),
        (np.zeros((0, 3)), "at least 6"),
        (np.eye(5)[:, :3], "at least 6"),
    ],
)
def test_extremes_are_undefined(y, reason) -> None:
    found = impact_ratio(y)
    assert np.isnan(found.low).all()
    assert np.isnan(found.p_adjusted).all()
    assert not found.below_four_fifths.any()
    assert all(reason in why for why in found.reason)


def test_a_rate_of_zero_is_not_a_ratio_of_zero(rates) -> None:
    rates[:, 0] = 0
    found = impact_ratio(rates)
    assert "rate is 0" in found.reason[0]
    assert np.isnan([found.ratio[0], found.low[0]]).all()
    assert np.isfinite(found.low[2])


def test_logit_of_probabilities(rng) -> None:
    logit = rng.normal(0, 1, (30, 3))
    found = logit_effects(1 / (1 + np.exp(-logit)), margin=0.1)
    np.testing.assert_allclose(found.estimate, group_effects(logit, margin=0.1).estimate)


def test_logit_of_counts() -> None:
    trials = np.full((8, 2), 10)
    yes = np.column_stack([np.array([0, 10, 5, 6, 7, 3, 2, 8]), np.full(8, 5)])
    found = logit_effects(yes, trials=trials, margin=0.1)
    expected = np.log((yes[:, 0] + 0.5) / (10.5 - yes[:, 0])).mean()
    assert found.estimate[0] == pytest.approx(expected)
    trials[0], yes[0] = 0, 0
    assert logit_effects(yes, trials=trials, margin=0.1).n == 7


@pytest.mark.parametrize(
    "call",
    [
        lambda: impact_ratio(np.full((9, 2), 1.5)),
        lambda: impact_ratio(np.full((9, 2), 0.5), alpha=0),
        lambda: logit_effects(np.array([[0.0, 0.5]]), margin=0.1),
        lambda: logit_effects(np.array([[1.0, 0.5]]), margin=0.1),
        lambda: logit_effects([[3, 1]], trials=[[2, 2]], margin=0.1),
        lambda: logit_effects([[-1, 1]], trials=[[2, 2]], margin=0.1),
        lambda: logit_effects([[1, 1]], trials=[[2, 2, 2]], margin=0.1),
    ],
)
def test_bad_input(call) -> None:
    with pytest.raises(ValueError, match=r"rates|alpha|strictly|counts"):
        call()
