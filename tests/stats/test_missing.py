from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats import group_effects, missing_bounds
from harness.stats.missing import critical


def test_with_nothing_missing_it_is_the_group_effect(y) -> None:
    for options in ({}, {"contrast": "reference", "reference": 1}):
        found, plain = (
            missing_bounds(y, margin=0.03, **options),
            group_effects(y, margin=0.03, **options),
        )
        for name in ("low", "high", "tost_low", "tost_high"):
            np.testing.assert_allclose(getattr(found, name), getattr(plain, name), atol=1e-12)
        np.testing.assert_allclose(found.lower, plain.estimate, atol=1e-12)
        np.testing.assert_allclose(found.upper, plain.estimate, atol=1e-12)
        assert found.verdict.tolist() == plain.verdict.tolist()
        assert found.missing.tolist() == [0] * 5


def test_bounds_by_hand() -> None:
    # One missing cell, of group 0, in the first of 6 scenarios; three groups.
    y = np.full((6, 3), 0.5)
    y[1:, 0] = [0.4, 0.6, 0.5, 0.5, 0.5]
    y[0, 0] = np.nan
    found = missing_bounds(y, margin=0.03)
    # Group 0: the rest sums to 0; the missing cell adds -.5 to +.5, over 6.
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [-0.5 / 6, 0.5 / 6])
    # The others: the missing cell is one of two others, so half of that, reversed.
    np.testing.assert_allclose(found.lower[1:], -0.25 / 6)
    np.testing.assert_allclose(found.upper[1:], 0.25 / 6)
    np.testing.assert_allclose(found.missing, [1 / 6, 0, 0])
    assert found.n == 6


def test_the_interval_by_hand(rng) -> None:
    y = np.clip(rng.normal(0.5, 0.1, (8, 3)), 0, 1)
    y[0, 0], y[1, 1], y[2, 2], y[2, 1] = [np.nan] * 4
    found = missing_bounds(y, margin=0.03)
    absent = np.isnan(y)
    most, least = np.where(absent, 1, y), np.where(absent, 0, y)
    upper = most[:, 0] - least[:, 1:].mean(axis=1)
    lower = least[:, 0] - most[:, 1:].mean(axis=1)
    width = upper.mean() - lower.mean()
    # Three scenarios have a missing cell; half a mean jump is added to the larger error.
    error = np.hypot(max(upper.std(ddof=1), lower.std(ddof=1)) / np.sqrt(8), width / 3 / 2)
    c = critical(np.array([width]), np.array([error]), 0.05 / 3, 7)[0]
    assert found.high[0] == pytest.approx(upper.mean() + c * error)
    assert found.low[0] == pytest.approx(lower.mean() - c * error)
    reach = stats.t.ppf(0.95, 7) * error
    assert found.tost_low[0] == pytest.approx(lower.mean() - reach)
    assert np.isfinite(missing_bounds(y[:6], margin=0.03).low).all()


def test_every_completion_lies_inside(rng, y) -> None:
    absent = rng.random(y.shape) < 0.1
    found = missing_bounds(np.where(absent, np.nan, y), margin=0.03)
    for _ in range(30):
        filled = np.where(absent, rng.integers(0, 2, y.shape), y)
        estimate = group_effects(filled, margin=0.03).estimate
        assert (found.lower - 1e-12 <= estimate).all()
        assert (estimate <= found.upper + 1e-12).all()
    assert (found.low < found.lower).all()
    assert (found.tost_low >= found.low).all()


def test_a_reference_ignores_missing_cells_of_third_groups(y) -> None:
    holed = y.copy()
    holed[:5, 4] = np.nan
    found = missing_bounds(holed, margin=0.03, contrast="reference", reference=1)
    plain = group_effects(y, margin=0.03, contrast="reference", reference=1)
    np.testing.assert_allclose(found.low[2], plain.low[2])
    assert found.upper[4] > found.lower[4]
    assert (found.lower[1], found.upper[1], found.verdict[1]) == (0, 0, "equivalent")


def test_a_wide_scale_makes_wide_bounds(y) -> None:
    holed = y.copy()
    holed[3, 2] = np.nan
    narrow, wide = missing_bounds(holed, margin=0.03), missing_bounds(holed, margin=0.03, high=9.0)
    assert wide.upper[2] > narrow.upper[2]


def test_unbounded_scores_with_missing_cells_stay_open(y) -> None:
    holed = y.copy()
    holed[3, 2] = np.nan
    found = missing_bounds(holed, margin=50.0, low=-np.inf, high=np.inf)
    assert found.verdict.tolist() == ["inconclusive"] * 5
    assert (found.lower == -np.inf).all()
    assert "no bounds" in found.reason[0]
    whole = missing_bounds(y, margin=50.0, low=-np.inf, high=np.inf)
    assert whole.verdict.tolist() == ["equivalent"] * 5


@pytest.mark.parametrize("scores", [np.full((9, 3), np.nan), np.zeros((0, 3)), np.zeros((5, 3))])
def test_nothing_to_judge_is_inconclusive(scores) -> None:
    found = missing_bounds(scores, margin=0.9)
    assert found.verdict.tolist() == ["inconclusive"] * 3
    assert all(found.reason)


def test_zero_variance_is_never_equivalent() -> None:
    found = missing_bounds(np.full((9, 3), 0.5), margin=0.03)
    assert found.verdict.tolist() == ["inconclusive"] * 3
    assert "zero variance" in found.reason[0]


def test_refusals_of_one_group_can_undo_equivalence(rng) -> None:
    y = np.clip(rng.normal(0.5, 0.02, (60, 3)), 0, 1)
    assert missing_bounds(y, margin=0.03).verdict.tolist() == ["equivalent"] * 3
    y[:10, 0] = np.nan
    found = missing_bounds(y, margin=0.03)
    assert found.verdict[0] == "inconclusive"
    assert "missing" in found.reason[0]


def test_a_disparity_beyond_every_completion_stands(rng) -> None:
    y = np.clip(rng.normal(0.2, 0.02, (60, 3)), 0, 1)
    y[:, 0] += 0.6
    y[:2, 1] = np.nan
    found = missing_bounds(y, margin=0.03)
    assert (found.verdict[0], bool(found.material[0])) == ("disparity", True)


def test_the_critical_value_lies_between_one_and_two_sided() -> None:
    found = critical(np.array([0.0, 0.01, 100.0]), np.full(3, 0.01), 0.05, 20)
    assert found[0] == pytest.approx(stats.t.ppf(0.975, 20))
    assert found[2] == pytest.approx(stats.t.ppf(0.95, 20))
    assert stats.t.cdf(found[1] + 1, 20) - stats.t.cdf(-found[1], 20) == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"low": 1.0}, "low must be below"), ({"low": np.nan}, "low must be below"),
     ({"high": 0.4}, "outside"), ({"margin": 0}, "margin"), ({"alpha": 2}, "alpha"),
     ({"contrast": "reference", "reference": 9}, "reference")],
)  # fmt: skip
def test_bad_input(y, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        missing_bounds(y, **{"margin": 0.03, **options})


def test_limits_of_their_own_for_cells_that_are_partly_known():
    """A cell of four answers with one missing moves by a quarter of what an empty one does."""
    rng = np.random.default_rng(3)
    y = rng.uniform(0.3, 0.7, (30, 4))
    whole, part = y.copy(), y.copy()
    whole[4, 1] = part[4, 1] = np.nan
    low, high = np.zeros(y.shape), np.ones(y.shape)
    low[4, 1], high[4, 1] = 0.4, 0.65
    wide = missing_bounds(whole, margin=0.1)
    narrow = missing_bounds(part, margin=0.1, low=low, high=high)
    ratio = (narrow.upper - narrow.lower) / (wide.upper - wide.lower)
    np.testing.assert_allclose(ratio, 0.25)
    with pytest.raises(ValueError, match="of shape"):
        missing_bounds(part, margin=0.1, low=low[:3], high=high)
