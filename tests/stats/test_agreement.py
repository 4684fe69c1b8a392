from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats import agreement


def table(rng, wrong: float, scenarios: int = 40) -> np.ndarray:
    truth = rng.integers(0, 2, (scenarios, 3)).astype(float)
    return np.stack([truth, np.where(rng.random(truth.shape) < wrong, 1 - truth, truth)])


def test_nominal_by_hand() -> None:
    # Four cells: 00, 11, 11, 01. D_o = 2 / 8; values 3 x 0 and 5 x 1: D_e = 30 / 56.
    a, b = np.array([[0.0], [1], [1], [0]]), np.array([[0.0], [1], [1], [1]])
    found = agreement([a, b], level="nominal")
    assert found.alpha == pytest.approx(1 - (2 / 8) / (30 / 56))
    assert agreement([a, b]).alpha == pytest.approx(found.alpha)  # 0 and 1: the same distances
    assert found.n == 4


@pytest.mark.parametrize("level", ["nominal", "interval"])
def test_against_the_krippendorff_package(rng, level) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    ratings = rng.integers(0, 4, (3, 12, 5)).astype(float)
    ratings[0] = np.where(rng.random((12, 5)) < 0.7, ratings[1], ratings[0])
    ratings[rng.random(ratings.shape) < 0.25] = np.nan
    expected = krippendorff.alpha(ratings.reshape(3, -1), level_of_measurement=level)
    assert agreement(ratings, level=level).alpha == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [0.2, 0.0])
def test_the_interval_by_hand(rng, wrong) -> None:
    """Jackknife: below on the log with two more halves of the worst scenario, above on the root."""
    ratings = table(rng, wrong, 12)
    other = ratings.sum(axis=0) == 1
    disagreed = 2.0 * other.sum(axis=1)  # two ordered pairs a cell
    values = np.stack([(ratings == v).sum(axis=(0, 2)) for v in (0, 1)], axis=1).astype(float)
    worst = (disagreed.max() or 2.0) / 2

    def apart(d: np.ndarray, v: np.ndarray) -> float:
        n = v.sum()
        return (n - 1) * d.sum() / (n**2 - (v.sum(axis=0) ** 2).sum())

    def end(d: np.ndarray, v: np.ndarray, scale, side: int) -> float:
        out = [scale(apart(np.delete(d, i), np.delete(v, i, 0))) for i in range(len(d))]
        error = np.sqrt((len(d) - 1) ** 2 / len(d) * np.var(out, ddof=1))
        return scale(apart(d, v)) + side * stats.t.ppf(0.975, len(d) - 1) * error

    found = agreement(ratings, level="nominal")
    more = np.vstack([values, values.mean(axis=0), values.mean(axis=0)])
    low = end(np.append(disagreed, [worst, worst]), more, np.log, +1)
    assert found.low == pytest.approx(1 - np.exp(low))
    assert found.high == pytest.approx(1 - max(0, end(disagreed, values, np.sqrt, -1)) ** 2)
    if not wrong:  # as numbers: one cell rated at both ends of the scale, 2 * (5 - 3) ** 2
        scaled = agreement(3 + 2 * ratings)
        assert scaled.low == pytest.approx(agreement(ratings).low)


def test_order_of_raters_scenarios_and_groups_does_not_matter(rng) -> None:
    ratings = table(rng, 0.2)
    one, two = agreement(ratings), agreement(ratings[::-1, ::-1, ::-1])
    assert (one.alpha, one.low, one.high) == pytest.approx((two.alpha, two.low, two.high))
    np.testing.assert_allclose(one.per_group, two.per_group[::-1])


def test_a_shift_and_a_scale_do_not_matter_for_numbers(rng) -> None:
    ratings = rng.normal(size=(2, 30, 3))
    assert agreement(1e6 + 7 * ratings).alpha == pytest.approx(agreement(ratings).alpha, abs=1e-6)


def test_the_gate_is_on_the_lower_end(rng) -> None:
    good, fair, chance = (agreement(table(rng, w, 200), level="nominal") for w in (0.02, 0.17, 0.5))
    assert good.low < good.alpha < good.high <= 1
    assert good.reliable
    assert fair.alpha < 0.75
    assert not fair.reliable
    assert chance.alpha == pytest.approx(0, abs=0.15)


def test_a_judge_without_an_error_yet_is_not_perfect(rng) -> None:
    for n, reliable in ((4, False), (200, True)):
        for level in ("nominal", "interval"):
            found = agreement(table(rng, 0.0, n), level=level)
            assert (found.alpha, found.high) == (1, 1)
            assert found.low < 1
            assert found.reliable is reliable


def test_one_scenario_that_alone_differs_shows_nothing() -> None:
    """Without it all ratings are the same: perfect agreement so far, and no lower end."""
    ratings = np.zeros((2, 20, 1))
    ratings[:, 3] = 1
    found = agreement(ratings, level="nominal")
    assert (found.alpha, found.high) == (1, 1)
    assert found.low < 0
    assert not found.reliable


def test_per_group_shows_who_is_judged_badly(rng) -> None:
    ratings = table(rng, 0.02, 200)
    ratings[1, :, 2] = rng.integers(0, 2, 200)
    found = agreement(ratings, level="nominal")
    assert found.per_group[:2].min() > 0.8
    assert found.per_group[2] < 0.3
    assert (found.group_low <= found.per_group).all()
    assert (found.per_group <= found.group_high).all()
    assert found.group_low[:2].min() > found.group_high[2]
    assert found.gap > 0.5
    alone = agreement(ratings[:, :, [2]], level="nominal")
    assert (found.group_low[2], found.group_high[2]) == (alone.low, alone.high)


def test_a_group_with_ratings_in_two_scenarios_has_no_interval() -> None:
    ratings = np.array([[[0.0, 1.0], [1.0, 0.0], [1.0, np.nan]]] * 2)
    found = agreement(ratings, level="nominal")
    assert np.isfinite(found.group_low[0])
    assert np.isnan([found.group_low[1], found.group_high[1]]).all()


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [(np.ones((2, 9, 3)), "the same"), (np.full((2, 9, 3), np.nan), "0 scenarios"),
     (np.zeros((2, 0, 3)), "0 scenarios"), (np.eye(2)[:, :, None], "2 scenarios")],
)  # fmt: skip
def test_undefined(ratings, reason) -> None:
    for level in ("nominal", "interval"):
        found = agreement(ratings, level=level)
        assert (found.alpha, found.low, found.reliable) == (None, None, False)
        assert reason in found.reason


def test_single_ratings_do_not_count(rng) -> None:
    ratings = table(rng, 0.1)
    holed = np.concatenate([ratings, np.full((1, *ratings.shape[1:]), np.nan)])
    holed[1, :10] = np.nan
    assert agreement(holed).alpha == pytest.approx(agreement(ratings[:, 10:]).alpha)
    assert agreement(holed).n == 30


@pytest.mark.parametrize(
    ("ratings", "options"),
    [(np.ones((2, 9)), {}), (np.ones((1, 9, 3)), {}), (np.full((2, 9, 3), np.inf), {}),
     (np.ones((2, 9, 3)), {"level": "ordinal"}), (np.ones((2, 9, 3)), {"confidence": 95})],
)  # fmt: skip
def test_bad_input(ratings, options) -> None:
    with pytest.raises(ValueError, match=r"shape|infinite|level|confidence"):
        agreement(ratings, **options)
