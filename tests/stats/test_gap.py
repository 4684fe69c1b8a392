from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from harness.stats import worst_gap


def test_two_groups_by_hand(rng) -> None:
    d = np.array([1.0, 2, 3, 4, 5, 3])
    found = worst_gap(np.column_stack([d, np.zeros(6)]), rng=rng)
    assert found.raw == pytest.approx(3.0)
    assert (found.highest, found.lowest, found.n) == (0, 1, 6)
    assert found.p_value == 2 / 64
    error = np.sqrt(2 / 6)
    assert found.upper == pytest.approx(3 + stats.t.ppf(0.95, 5) * error)
    # tau^2 = var(1.5, -1.5) - 2 s^2 / G with s^2 = 2 / 4 the variance of d / 2.
    assert found.tau == pytest.approx(np.sqrt(4.5 - 2 * 0.5 / 6))
    assert 0 < found.corrected < found.raw


def test_null_and_bounds_from_every_pattern(rng) -> None:
    """All 2^n flips by hand, for three groups: p, noise, lower bound, tau."""
    y = rng.normal(0, 1, (12, 3)) + np.array([2.0, 0, 0])
    x = y - y.mean(axis=1, keepdims=True)
    mu, n = x.mean(axis=0), 12
    signs = np.array(list(itertools.product((1, -1), repeat=n)))
    gap = np.ptp(mu)
    p = np.mean(np.ptp(signs @ x / n, axis=1) >= gap - 1e-9)
    null = np.ptp(signs @ (x - mu) / n, axis=1)
    factor = np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1) / stats.norm.ppf(0.975)
    found = worst_gap(y, rng=rng)
    assert found.p_value == pytest.approx(p)
    assert found.corrected == pytest.approx(np.sqrt(gap**2 - null.mean() ** 2))
    assert p < 0.05
    assert found.lower == pytest.approx(gap - np.quantile(null, 0.95) * factor, abs=0.01)
    tau2 = mu.var(ddof=1) - 1.5 * x.var(axis=0, ddof=1).mean() / n
    assert found.tau == pytest.approx(np.sqrt(tau2))


def test_the_least_p_of_random_flips(rng) -> None:
    y = rng.normal(0, 0.01, (13, 3)) + np.array([1.0, 0, 0])
    found = worst_gap(y, rng=rng, draws=199)
    # 199 random patterns of 8192: the identity or its mirror is among them once in 20 times.
    assert found.p_value in (1 / 200, 2 / 200)


def test_order_and_shift_do_not_matter(rng, y) -> None:
    one = worst_gap(y, rng=np.random.default_rng(1), draws=999)
    groups = rng.permutation(5)
    two = worst_gap(
        y[:, groups] + rng.normal(size=(30, 1)), rng=np.random.default_rng(1), draws=999
    )
    for name in ("raw", "corrected", "upper", "tau"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-4)
    assert groups[two.highest] == one.highest == 2
    assert one.lower <= one.corrected <= one.raw <= one.upper


def test_the_lower_bound_and_p_agree(rng) -> None:
    for _ in range(30):
        found = worst_gap(rng.normal(0, 1, (15, 4)) + rng.normal(0, 0.4, 4), rng=rng, draws=199)
        assert found.lower == 0 or found.p_value <= 0.05


def test_a_fair_model_has_nothing_left(rng) -> None:
    found = worst_gap(rng.normal(0.5, 0.1, (200, 8)), rng=rng, draws=999)
    assert found.raw > 0
    assert found.p_value > 0.05
    assert found.lower == 0


@pytest.mark.parametrize("n", [0, 1, 5])
def test_too_few_scenarios(rng, y, n) -> None:
    found = worst_gap(y[:n], rng=rng)
    assert (found.raw, found.p_value, found.tau, found.n) == (None, None, None, n)
    assert "at least 6" in found.reason


@pytest.mark.parametrize(("step", "raw"), [(0.0, 0.0), (0.25, 0.25)])
def test_zero_variance(rng, step, raw) -> None:
    found = worst_gap(np.tile([0.5, 0.5 + step, 0.5], (9, 1)), rng=rng)
    assert found.raw == pytest.approx(raw)
    assert found.p_value is None
    assert "zero variance" in found.reason


@pytest.mark.parametrize(
    ("bad", "options", "message"),
    [(np.ones((9, 1)), {}, "groups"), (np.full((9, 2), np.inf), {}, "infinite"),
     (np.ones((9, 2)), {"alpha": 1}, "alpha"), (np.ones((9, 2)), {"draws": 5}, "draws")],
)  # fmt: skip
def test_bad_input(rng, bad, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        worst_gap(bad, rng=rng, **options)
