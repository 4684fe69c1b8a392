from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from harness.stats import contrasts, group_effects, missing_bounds

PER_GROUP = (
    "estimate", "standard_error", "low", "high", "tost_low", "tost_high", "p_value", "p_adjusted",
    "verdict", "material", "reason", "df", "mean",
)  # fmt: skip


def test_small_case_by_hand() -> None:
    # Contrasts of group 0 with two groups: y0 - y1 = 1, 2, 3, 4, 5, 3; mean 3, variance 2.
    y = np.array([[1.0, 0], [2, 0], [3, 0], [4, 0], [5, 0], [3, 0]])
    found = group_effects(y, margin=0.5)
    np.testing.assert_allclose(found.estimate, [3.0, -3.0])
    np.testing.assert_allclose(found.standard_error, np.sqrt(2 / 6))
    # t_{.975, 5} = 2.570582, t_{.95, 5} = 2.015048.
    np.testing.assert_allclose(found.low, [3 - 2.570582 / np.sqrt(3), -3 - 2.570582 / np.sqrt(3)])
    np.testing.assert_allclose(found.tost_high[0], 3 + 2.015048 / np.sqrt(3), rtol=1e-6)
    np.testing.assert_allclose(found.mean, [3.0, 0.0])
    assert found.df.tolist() == [5, 5]
    assert found.n == 6
    assert found.verdict.tolist() == ["disparity", "disparity"]
    assert found.material.tolist() == [True, True]
    np.testing.assert_array_equal(found.p_value, found.p_adjusted)  # two contrasts, one test


def test_the_columns_are_one_sample_t_tests(y) -> None:
    found = group_effects(y, margin=0.03, alpha=0.10)
    for k, column in enumerate(contrasts(y).T):
        test = stats.ttest_1samp(column, 0)
        assert found.p_value[k] == pytest.approx(test.pvalue)
        assert found.p_adjusted[k] == pytest.approx(min(1, 5 * test.pvalue))
        assert (found.low[k], found.high[k]) == pytest.approx(
            tuple(test.confidence_interval(1 - 0.10 / 5))
        )
        assert (found.tost_low[k], found.tost_high[k]) == pytest.approx(
            tuple(test.confidence_interval(1 - 0.20))
        )


def test_a_planted_shift_has_the_right_sign_and_size(rng) -> None:
    base = rng.normal(0.5, 0.1, (40, 1)) + rng.normal(0, 0.001, (40, 5))
    shifted = base.copy()
    shifted[:, 3] += 0.08
    moved = group_effects(shifted, margin=0.03).estimate - group_effects(base, margin=0.03).estimate
    np.testing.assert_allclose(moved, [-0.02, -0.02, -0.02, 0.08, -0.02], atol=1e-12)


def test_order_of_groups_and_scenarios_does_not_matter(rng, y) -> None:
    found = group_effects(y, margin=0.03)
    groups, rows = rng.permutation(5), rng.permutation(30)
    again = group_effects(y[rows][:, groups], margin=0.03)
    for name in PER_GROUP:
        a, b = getattr(found, name)[groups], getattr(again, name)
        if a.dtype == float:
            np.testing.assert_allclose(a, b, rtol=1e-9)
        else:
            assert a.tolist() == b.tolist()


def test_units_scale(y) -> None:
    one, hundred = group_effects(y, margin=0.03), group_effects(100 * y, margin=3)
    np.testing.assert_allclose(100 * one.low, hundred.low)
    assert one.verdict.tolist() == hundred.verdict.tolist()


def test_p_interval_and_verdict_agree(rng) -> None:
    for alpha in (0.01, 0.05, 0.2):
        for _ in range(50):
            y = rng.normal(0, 0.05, (12, 4)) + rng.normal(0, 0.03, 4)
            found = group_effects(y, margin=0.03, alpha=alpha)
            outside = (found.low > 0) | (found.high < 0)
            np.testing.assert_array_equal(found.p_adjusted < alpha, outside)
            called = found.verdict == "disparity"
            equivalent = found.verdict == "equivalent"
            np.testing.assert_array_equal(called, outside & ~equivalent)
            assert not (found.material & ~called).any()


def test_a_missing_cell_leaves_its_scenario_out(y) -> None:
    holed = y.copy()
    holed[4, 1] = np.nan
    found, without = (
        group_effects(holed, margin=0.03),
        group_effects(np.delete(y, 4, 0), margin=0.03),
    )
    assert found.n == 29
    np.testing.assert_array_equal(found.low, without.low)


def test_reference(y) -> None:
    found = group_effects(y, margin=0.03, contrast="reference", reference=1)
    test = stats.ttest_rel(y[:, 2], y[:, 1])
    assert found.p_adjusted[2] == pytest.approx(4 * test.pvalue)  # four tests, not five
    assert found.estimate[2] == pytest.approx((y[:, 2] - y[:, 1]).mean())
    assert (found.estimate[1], found.low[1], found.high[1], found.p_value[1]) == (0, 0, 0, 1)
    assert (found.verdict[1], found.reason[1]) == ("equivalent", "the reference group itself")


def test_two_groups_mirror_each_other(y) -> None:
    found = group_effects(y[:, :2], margin=0.03)
    np.testing.assert_allclose(found.estimate[0], -found.estimate[1])
    np.testing.assert_allclose(found.low[0], -found.high[1])
    against = group_effects(y[:, :2], margin=0.03, contrast="reference", reference=1)
    assert against.low[0] == pytest.approx(found.low[0])


def test_a_wider_family(y) -> None:
    found = group_effects(y, margin=0.03, comparisons=60)
    test = stats.ttest_1samp(contrasts(y)[:, 0], 0)
    assert found.low[0] == pytest.approx(test.confidence_interval(1 - 0.05 / 60).low)
    alone = group_effects(y, margin=0.03, comparisons=1)
    np.testing.assert_array_equal(alone.p_adjusted, alone.p_value)


def assert_no_verdict(found, reason: str) -> None:
    assert found.verdict.tolist() == ["inconclusive"] * len(found.verdict)
    assert all(reason in why for why in found.reason), found.reason
    for name in ("low", "high", "tost_low", "tost_high", "p_value", "p_adjusted"):
        assert np.isnan(getattr(found, name)).all()
    assert not found.material.any()


@pytest.mark.parametrize("options", [{}, {"contrast": "reference", "reference": 0}])
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_too_few_scenarios(y, n, options) -> None:
    found = group_effects(y[:n], margin=0.03, **options)
    assert_no_verdict(found, "at least 6" if n else "no scores at all")
    assert found.n == n
    assert np.isnan(found.estimate).all() == (n == 0)
    group_effects(y[:6], margin=0.03, **options)


def test_a_group_or_everything_missing(y) -> None:
    holed = y.copy()
    holed[:, 3] = np.nan
    assert_no_verdict(group_effects(holed, margin=0.03), "no score for group 3")
    assert_no_verdict(group_effects(np.full((9, 3), np.nan), margin=0.03), "no scores at all")


@pytest.mark.parametrize("value", [0.0, 0.1, 1.0, 1e6])
@pytest.mark.parametrize("step", [0.0, 0.1])
def test_zero_variance_is_never_equivalent(value, step) -> None:
    scores = np.linspace(0, value, 12)[:, None] + np.array([0.0, 0.0, step])
    found = group_effects(scores, margin=0.5)
    assert_no_verdict(found, "zero variance")
    np.testing.assert_allclose(found.estimate, np.array([-0.5, -0.5, 1]) * step, atol=1e-9)


def test_a_reference_is_not_equivalent_where_nothing_varies() -> None:
    for found in (
        group_effects(np.full((9, 3), 0.4), margin=0.03, contrast="reference", reference=0),
        missing_bounds(np.full((9, 3), 0.4), margin=0.03, contrast="reference", reference=0),
    ):
        assert set(found.verdict) == {"inconclusive"}
        assert all("zero variance" in reason for reason in found.reason)


def test_scores_too_large_to_square_are_refused(y) -> None:
    with pytest.raises(ValueError, match="rescale"):
        group_effects(y * 1e300, margin=0.03)


def test_only_the_constant_contrast_is_undefined(rng) -> None:
    noise = rng.normal(0, 0.01, 20)
    # Groups 1 and 2 move against each other, so the contrast of group 0 is always .2.
    y = np.column_stack([np.full(20, 0.5), 0.3 + noise, 0.3 - noise])
    found = group_effects(y, margin=0.03)
    assert found.verdict.tolist() == ["inconclusive", "disparity", "disparity"]
    assert "zero variance" in found.reason[0]


def test_equal_weights_change_nothing_and_unequal_ones_do(rng, y) -> None:
    plain, equal = (
        group_effects(y, margin=0.03),
        group_effects(y, margin=0.03, weights=np.full(30, 7)),
    )
    for name in ("estimate", "low", "high", "df", "p_adjusted"):
        np.testing.assert_allclose(getattr(plain, name), getattr(equal, name), rtol=1e-9)
    size = rng.integers(1, 50, 30)
    weighted = group_effects(y, margin=0.03, weights=size)
    np.testing.assert_allclose(weighted.estimate, np.average(contrasts(y), axis=0, weights=size))
    np.testing.assert_allclose(weighted.mean, np.average(y, axis=0, weights=size))
    assert (weighted.df < 29).all()


def test_weights_follow_their_scenarios_when_one_is_left_out(rng, y) -> None:
    size, holed = rng.integers(1, 50, 30), y.copy()
    holed[7, 0] = np.nan
    found = group_effects(holed, margin=0.03, weights=size)
    rest = group_effects(np.delete(y, 7, 0), margin=0.03, weights=np.delete(size, 7))
    np.testing.assert_allclose(found.low, rest.low)


def test_names_used_once_change_nothing(y) -> None:
    ids = np.arange(150).reshape(30, 5)
    plain, named = group_effects(y, margin=0.03), group_effects(y, margin=0.03, name_ids=ids)
    np.testing.assert_allclose(plain.low, named.low)
    np.testing.assert_allclose(plain.df, named.df)


def test_an_open_group_whose_names_return_wants_names_too(rng) -> None:
    y = rng.normal(0, 1, (36, 3))
    own = np.arange(y.size).reshape(y.shape)
    returning = np.column_stack([np.arange(36) % 6 + 6 * g for g in range(3)])
    for ids, said in ((None, "more scenarios are needed"), (own, "more scenarios are needed"),
                      (returning, "names or hints of their own are needed")):  # fmt: skip
        found = group_effects(y, margin=0.01, name_ids=ids)
        assert (found.verdict == "inconclusive").all()
        assert all(why.endswith(said) for why in found.reason)


def test_fewer_than_four_names_is_refused(y) -> None:
    ids = np.array([["Ann", "Bo", "Cy", "Di", "Ed"], ["Flo", "Gus", "Hal", "Ida", "Jo"]] * 15)
    found = group_effects(y, margin=0.03, name_ids=ids)
    assert_no_verdict(found, "fewer than 4 names")
    four = np.arange(30)[:, None] % 4 + 10 * np.arange(5)
    assert np.isfinite(group_effects(y, margin=0.03, name_ids=four).low).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0}, "margin"),
        ({"margin": -0.1}, "margin"),
        ({"margin": np.nan}, "margin"),
        ({"margin": np.inf}, "margin"),
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1}, "alpha"),
        ({"contrast": "reference", "reference": 5}, "reference must be a group"),
        ({"contrast": "reference", "reference": 1.5}, "reference must be a group"),
        ({"contrast": "reference", "reference": True}, "reference must be a group"),
        ({"contrast": "reference", "reference": "1"}, "reference must be a group"),
        ({"contrast": "grand_mean"}, "contrast"),
        ({"weights": np.ones(29)}, "weights must have shape"),
        ({"weights": np.zeros(30)}, "weights must be finite and above 0"),
        ({"weights": np.full(30, np.nan)}, "weights must be finite and above 0"),
        ({"name_ids": np.zeros((30, 4))}, "name_ids must have shape"),
        ({"name_ids": np.zeros((30, 5)), "weights": np.ones(30)}, "not both"),
        ({"comparisons": 0}, "comparisons"),
    ],
)
def test_bad_options(y, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        group_effects(y, **{"margin": 0.03, **options})


@pytest.mark.parametrize("bad", [[1.0], [[1.0], [2.0]], [[np.inf, 1.0]], np.zeros((2, 2, 2))])
def test_bad_matrix(bad) -> None:
    with pytest.raises(ValueError, match=r"shape|groups|infinite"):
        group_effects(bad, margin=0.03)


def test_the_result_is_frozen_and_the_input_untouched(y) -> None:
    before = y.copy()
    found = group_effects(y, margin=0.03)
    np.testing.assert_array_equal(y, before)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.n = 3
