from __future__ import annotations

import numpy as np
import pytest

from harness.stats import exact_effects


def alike(n: int, groups: int = 3, rate: float = 1.0) -> np.ndarray:
    return np.full((n, groups), rate)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_no_difference_in_n_scenarios_bounds_it_by_about_three_over_n(rate) -> None:
    found = exact_effects(alike(36, rate=rate), margin=0.03)
    bound = 1 - 0.05 ** (1 / 36)
    np.testing.assert_allclose(found.tost_high, bound)
    np.testing.assert_allclose(found.tost_low, -bound)
    assert set(found.verdict) == {"inconclusive"}
    assert found.reason[0] == (
        "alike in all 36 scenarios: a difference is shown to be below 0.080 (90 % interval); "
        "the margin of 0.03 takes 99 such scenarios"
    )


@pytest.mark.parametrize(("n", "verdict"), [(98, "inconclusive"), (99, "equivalent")])
def test_equality_is_shown_from_enough_scenarios_only(n, verdict) -> None:
    found = exact_effects(alike(n), margin=0.03)
    assert set(found.verdict) == {verdict}
    assert found.needed == 99


@pytest.mark.parametrize("sign", [1, -1])
def test_a_gross_difference_is_a_disparity_in_its_direction(sign) -> None:
    y = alike(36)
    y[:30, 1] = 0.0
    found = exact_effects(y if sign < 0 else 1 - y, margin=0.03)
    assert found.verdict[1] == "disparity"
    assert bool(found.material[1])
    assert np.sign(found.low[1]) == np.sign(found.high[1]) == sign
    assert np.sign(found.low[0]) == np.sign(found.high[0]) == -sign  # against the others' mean


@pytest.mark.parametrize("flip", [False, True])
def test_few_events_do_not_hide_a_gulf(flip) -> None:
    """One group gets nearly nothing, the others half, of eight drawn answers."""
    rng = np.random.default_rng(22)
    y = rng.binomial(8, [0.02, 0.5, 0.5, 0.5], (36, 4)) / 8
    found = exact_effects(1 - y if flip else y, margin=0.03)
    assert (found.verdict[0], bool(found.material[0])) == ("disparity", True)
    assert np.sign(found.low[0]) == np.sign(found.high[0]) == (1 if flip else -1)


def test_a_difference_in_few_scenarios_is_neither() -> None:
    y = alike(36)
    y[:3, 1] = 0.0
    found = exact_effects(y, margin=0.03)
    assert set(found.verdict) == {"inconclusive"}
    assert found.tost_low[1] < -3 / 36 < found.tost_high[1]
    assert found.reason[1].startswith("differs in 3 of 36 scenarios: between ")


def test_incomplete_scenarios_are_left_out_and_few_say_nothing() -> None:
    y = alike(40)
    y[:4, 0] = np.nan
    found = exact_effects(y, margin=0.03)
    assert found.n == 36
    few = exact_effects(alike(5), margin=0.03)
    assert np.isnan(few.low).all()
    assert set(few.verdict) == {"inconclusive"}
    none = exact_effects(np.full((8, 2), np.nan), margin=0.03)
    assert none.n == 0
    assert set(none.verdict) == {"inconclusive"}


@pytest.mark.parametrize("y", [[[1.2, 0.0]], [[-0.1, 0.0]], [[1.0], [0.0]]])
def test_what_is_no_rate_raises(y) -> None:
    with pytest.raises(ValueError):
        exact_effects(y, margin=0.03)
    with pytest.raises(ValueError):
        exact_effects(alike(9), margin=0.0)


def drawn(rng, chances: np.ndarray, n: int, samples: int = 2) -> np.ndarray:
    """Rates of cells whose scenario shifts every group's chance alike."""
    hard = rng.random((n, 1)) < 0.3
    return rng.binomial(samples, np.where(hard, chances, np.minimum(1, chances * 1.2))) / samples


@pytest.mark.parametrize("chances", [(0.98, 0.98, 0.98, 0.98), (0.5, 0.9, 0.9, 0.9), (0.05, 0.3)])
def test_the_bounds_hold_at_least_as_often_as_they_say(chances) -> None:
    """400 draws of 36 scenarios: errors of all groups at once are at most 5 %, three sd apart."""
    rng = np.random.default_rng(20)
    p = np.array(chances)
    truth = 0.3 * p + 0.7 * np.minimum(1, p * 1.2)
    delta = (truth - truth.mean()) * len(p) / (len(p) - 1)
    wrong = 0
    for _ in range(400):
        found = exact_effects(drawn(rng, p, 36), margin=0.03)
        wrong += bool(((found.low > delta) | (found.high < delta)).any())
    assert wrong / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_difference_of_the_margin_is_rarely_called_equivalent() -> None:
    """One group is refused in 5 % of the scenarios, with the margin at .05: error at most 5 %."""
    rng = np.random.default_rng(21)
    called = 0
    for _ in range(400):
        y = alike(80, groups=2)
        y[rng.random(80) < 0.05, 0] = 0.0
        called += exact_effects(y, margin=0.05).verdict[0] == "equivalent"
    assert called / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert called > 0  # the bound is tight where one group alone is refused
