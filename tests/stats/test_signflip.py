from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from harness.stats import contrasts, sign_flip_max_t, sign_flip_p
from harness.stats.signflip import flipped_means


def test_enumeration_by_hand(rng) -> None:
    # All of one sign: only the identity and its mirror reach the mean, 2 of 2^6.
    assert sign_flip_p([1, 2, 3, 4, 5, 6], rng=rng) == 2 / 64
    # Four of 16 patterns of (1, 1, 1, -1) have |sum| >= 2 ... all but the six with sum 0: 10.
    assert sign_flip_p([1, 1, 1, -1], rng=rng) == 10 / 16


def test_enumeration_is_the_joint_max_t(rng) -> None:
    c = rng.normal(0.3, 1, (7, 3))

    def t(m: np.ndarray) -> np.ndarray:
        return np.abs(stats.ttest_1samp(m, 0).statistic)

    flips = [t(c * np.array(s)[:, None]) for s in itertools.product((1, -1), repeat=7)]
    found = sign_flip_max_t(c, rng=rng)
    expected = [np.mean([f.max() >= value - 1e-9 for f in flips]) for value in t(c)]
    np.testing.assert_allclose(found.p_adjusted, expected)
    np.testing.assert_allclose(found.p_value, np.mean([f >= t(c) - 1e-9 for f in flips], axis=0))
    assert found.exact
    assert found.draws == 128


def test_random_flips_agree_with_scipy(rng) -> None:
    c = rng.normal(0.15, 1, 80)
    ours = sign_flip_p(c, rng=rng, draws=9999)
    theirs = stats.permutation_test(
        (c,), np.mean, permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(0)
    ).pvalue
    assert ours == pytest.approx(theirs, abs=0.02)


def test_p_and_interval_agree(rng) -> None:
    for n in (6, 9, 12, 13, 30):
        for _ in range(20):
            found = sign_flip_max_t(rng.normal(0.4, 1, (n, 3)), rng=rng, draws=199)
            outside = (found.low > 0) | (found.high < 0)
            np.testing.assert_array_equal(found.p_adjusted <= 0.05, outside)
            assert (found.p_value <= found.p_adjusted + 1e-12).all()


@pytest.mark.parametrize(("n", "exact", "draws"), [(12, True, 4096), (13, False, 999)])
def test_twelve_scenarios_are_enumerated(rng, n, exact, draws) -> None:
    found = sign_flip_max_t(rng.normal(0.5, 1, (n, 2)), rng=rng, draws=999)
    assert (found.exact, found.draws) == (exact, draws)
    shares = found.p_adjusted * (4096 if exact else 1000)
    np.testing.assert_allclose(shares, np.round(shares))


def test_more_is_asked_than_the_draws_can_show(rng) -> None:
    found = sign_flip_max_t(rng.normal(9, 1, (30, 2)), rng=rng, draws=99, alpha=0.005)
    assert found.critical == np.inf
    np.testing.assert_array_equal(found.low, -np.inf)
    assert np.isfinite(
        sign_flip_max_t(
            np.ones((30, 1)) * rng.normal(9, 1, (30, 1)), rng=rng, draws=99, alpha=0.01
        ).low
    ).all()


def test_five_scenarios_cannot_reject(rng) -> None:
    found = sign_flip_max_t(np.linspace(10, 11, 5)[:, None], rng=rng)
    assert found.p_value[0] == 2 ** (1 - 5)
    assert found.low[0] < 0 < found.high[0]


def test_the_signs_are_balanced_and_the_identity_is_counted(rng) -> None:
    means = np.concatenate(list(flipped_means(np.eye(20), rng, 4000))) * 20
    assert set(np.unique(means)) == {-1.0, 1.0}
    assert np.abs(means.mean(axis=0)).max() < 0.08
    assert np.abs(np.corrcoef(means.T) - np.eye(20)).max() < 0.09
    (all_patterns,) = flipped_means(np.eye(3), rng, 99)
    np.testing.assert_allclose(all_patterns[0] * 3, 1)
    assert len({tuple(p) for p in all_patterns}) == 8


def test_the_same_seed_gives_the_same_digits(y) -> None:
    runs = [
        sign_flip_max_t(contrasts(y), rng=np.random.default_rng(5), draws=199) for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0].p_adjusted, runs[1].p_adjusted)


def test_few_scenarios_with_a_constant_endpoint_give_no_interval_and_no_warning(rng) -> None:
    found = sign_flip_max_t(np.column_stack([[0.2, -0.2], [0.2, 0.2]]), rng=rng)
    assert found.low[0] == -np.inf
    assert found.high[0] == np.inf
    assert np.isnan([found.low[1], found.high[1]]).all()


def test_constant_endpoints_are_undefined_and_leave_the_others_alone(rng, y) -> None:
    c = np.column_stack([contrasts(y)[:, 2], np.zeros(30), np.full(30, 0.2)])
    found = sign_flip_max_t(c, rng=np.random.default_rng(1), draws=199)
    alone = sign_flip_max_t(c[:, :1], rng=np.random.default_rng(1), draws=199)
    assert np.isnan(found.p_adjusted[1:]).all()
    assert np.isnan(found.t[1:]).all()
    assert found.p_adjusted[0] == alone.p_adjusted[0]
    nothing = sign_flip_max_t(np.zeros((9, 2)), rng=rng)
    assert np.isnan(nothing.p_value).all()
    assert np.isnan(nothing.low).all()


def test_incomplete_and_few_scenarios(rng) -> None:
    c = rng.normal(size=(20, 2))
    c[3, 1] = np.nan
    assert sign_flip_max_t(c, rng=rng, draws=99).n == 19
    few = sign_flip_max_t(c[:1], rng=rng)
    assert few.n == 1
    assert np.isnan(few.p_value).all()


@pytest.mark.parametrize(
    ("c", "options"),
    [(np.zeros(3), {}), (np.zeros((3, 0)), {}), (np.full((3, 1), np.inf), {}),
     (np.zeros((3, 1)), {"draws": 98}), (np.zeros((3, 1)), {"alpha": 0})],
)  # fmt: skip
def test_bad_input(rng, c, options) -> None:
    with pytest.raises(ValueError, match=r"shape|groups|infinite|draws|alpha"):
        sign_flip_max_t(c, rng=rng, **options)
    with pytest.raises(ValueError, match="shape"):
        sign_flip_p(np.zeros((3, 1)), rng=rng)
