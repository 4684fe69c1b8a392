from __future__ import annotations

import numpy as np
import pytest

from harness.stats import enough_events, group_effects, rare_effects, shuffle_p


def counts(rng, chance, scenarios: int = 60) -> tuple[np.ndarray, np.ndarray]:
    trials = np.full((scenarios, len(chance)), 20)
    return rng.binomial(trials, chance), trials


def test_enough_events_keeps_the_rates_and_tests_the_transform(rng) -> None:
    yes, trials = counts(rng, [0.08, 0.20, 0.08])
    found = rare_effects(yes, trials, margin=0.03, rng=rng)
    raw = group_effects(yes / trials, margin=0.03)
    assert found.method == "arcsine"
    np.testing.assert_array_equal(found.low, raw.low)
    transform = np.arcsin(np.sqrt((yes + 0.375) / 20.75))
    np.testing.assert_allclose(found.p_value, group_effects(transform, margin=1).p_value)
    assert (found.verdict[1], bool(found.material[1])) == ("disparity", True)
    assert found.events.tolist() == yes.sum(axis=0).tolist()


def test_a_disparity_needs_the_transform_too(rng) -> None:
    for _ in range(200):
        yes, trials = counts(rng, [0.08, 0.10, 0.08])
        found = rare_effects(yes, trials, margin=0.005, rng=rng)
        called = found.verdict == "disparity"
        assert not (called & (found.p_adjusted >= 0.05)).any()
        assert not (called & (found.low <= 0) & (found.high >= 0)).any()
        assert not (found.material & ~called).any()


@pytest.mark.parametrize("flip", [False, True])
def test_few_events_can_at_most_signal(rng, flip) -> None:
    yes, trials = counts(rng, [0.005, 0.06, 0.005], 30)
    found = rare_effects(trials - yes if flip else yes, trials, margin=0.5, rng=rng, draws=499)
    assert found.method == "permutation"
    assert set(found.verdict) <= {"signal", "inconclusive"}
    assert found.verdict[1] == "signal"
    assert np.sign(found.estimate[1]) == (-1 if flip else 1)
    assert np.isnan(found.low).all()
    assert not found.material.any()
    assert "40" in found.reason[0]


def test_names_that_return_widen_the_intervals(rng) -> None:
    yes, trials = counts(rng, [0.01, 0.5, 0.5], 30)
    ids = np.tile(np.arange(30)[:, None] % 5, (1, 3))
    raw = group_effects(yes[:, 1:] / 20, margin=0.03, name_ids=ids[:, 1:])
    both = rare_effects(yes[:, 1:], trials[:, 1:], margin=0.03, rng=rng, name_ids=ids[:, 1:])
    np.testing.assert_array_equal(both.low, raw.low)


def test_a_missing_cell_and_an_empty_one_are_the_same(rng) -> None:
    yes, trials = counts(rng, [0.2, 0.3, 0.2])
    empty, absent = trials.astype(float), yes.astype(float)
    empty[0, 1] = 0
    absent[0, 1] = np.nan
    one = rare_effects(np.where(empty > 0, yes, 0), empty, margin=0.03, rng=rng)
    two = rare_effects(absent, trials, margin=0.03, rng=rng)
    assert one.n == two.n == 59
    np.testing.assert_array_equal(one.p_value, two.p_value)
    np.testing.assert_array_equal(one.events, two.events)


@pytest.mark.parametrize("value", [0, 20])
def test_all_one_extreme_is_inconclusive(rng, value) -> None:
    trials = np.full((30, 3), 20)
    found = rare_effects(np.full((30, 3), value), trials, margin=0.03, rng=rng, draws=99)
    assert found.verdict.tolist() == ["inconclusive"] * 3
    assert found.p_adjusted.tolist() == [1, 1, 1]


def test_nothing_to_judge(rng) -> None:
    nothing = np.full((9, 3), np.nan)
    for events, trials in ((nothing, nothing), (np.zeros((9, 3)), np.zeros((9, 3)))):
        found = rare_effects(events, trials, margin=0.03, rng=rng)
        assert found.verdict.tolist() == ["inconclusive"] * 3
        assert found.n == 0


def test_the_event_rule_counts_yes_and_no() -> None:
    assert enough_events([[40, 50]], [[80, 140]])
    assert not enough_events([[39, 50]], [[129, 140]])
    assert not enough_events([[90, 50]], [[180, 89]])
    assert not enough_events([[0, 0], [90, 90]], [[90, 90]] * 2, strata=[0, 1])
    assert enough_events([[0, 0], [90, 90]], [[90, 90]] * 2, strata=[0, 0])
    assert enough_events([[20, 20], [70, 70]], [[90, 90]] * 2, strata=[0, 1])


def test_shuffled_labels_by_hand(rng) -> None:
    # Two groups, 6 scenarios, all in favour of group 0: a random order does so in 2 of 64.
    y = np.tile([1.0, 0.0], (6, 1))
    own, family = shuffle_p(y, rng=rng, draws=9999)
    np.testing.assert_allclose(own, 2 / 64, atol=0.006)
    np.testing.assert_allclose(family, own)
    assert shuffle_p(np.ones((6, 3)), rng=rng, draws=99)[1].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("events", "trials", "options"),
    [
        ([[1, 2]], [[1, 1]], {}),
        ([[-1, 0]], [[1, 1]], {}),
        ([[1, 1]], [[1, 1, 1]], {}),
        ([[1, 1]], [[1, 1]], {"margin": 0}),
        ([[1, 1]], [[1, 1]], {"draws": 3}),
    ],
)
def test_bad_input(rng, events, trials, options) -> None:
    with pytest.raises(ValueError, match=r"events|margin|draws|shape"):
        rare_effects(events, trials, **{"margin": 0.03, "rng": rng, **options})
    with pytest.raises(ValueError, match="complete"):
        shuffle_p([[1.0, np.nan]], rng=rng)
