from __future__ import annotations

import numpy as np
import pytest

from harness.stats import contrasts, heterogeneity


def test_without_noise_it_counts_scenarios() -> None:
    d = np.array([0.1, -0.1, 0.1, -0.1, 0.02, 0.0])
    found = heterogeneity(np.column_stack([d, np.zeros(6)]), margin=0.05)
    assert found.share_above[0] == pytest.approx(2 / 6)
    assert found.share_below[0] == pytest.approx(2 / 6)
    assert found.share[0] == pytest.approx(4 / 6)
    assert found.sd[0] == pytest.approx(d.std(ddof=1))
    assert found.share_above[1] == found.share_below[0]


def test_known_noise_is_taken_out(rng) -> None:
    y = rng.normal(0.5, 0.05, (500, 4))
    raw, known = heterogeneity(y, margin=0.05), heterogeneity(y, margin=0.05, noise=0.05**2)
    assert raw.share.min() > 0.2
    assert known.share.max() < 0.05
    assert known.sd.max() < 0.02


def test_the_shrunken_spread_is_the_true_one(rng) -> None:
    effect = np.zeros((3000, 3))
    effect[:, 0] = rng.normal(0, 0.06, 3000)
    noise = rng.uniform(0.02, 0.06, (3000, 3))
    found = heterogeneity(effect + rng.normal(0, noise), margin=0.05, noise=noise**2)
    assert found.sd[0] == pytest.approx(0.06, rel=0.05)
    true = np.abs(contrasts(effect)[:, 0]) > 0.05
    assert found.share[0] == pytest.approx(true.mean(), abs=0.03)


def test_the_formula(rng) -> None:
    y, noise = rng.normal(0, 0.1, (40, 4)), rng.uniform(0.001, 0.01, (40, 4))
    y[:, 0] += 0.03
    c = contrasts(y)[:, 0]
    v = noise[:, 0] + noise[:, 1:].sum(axis=1) / 9
    between = max(0.0, c.var(ddof=1) - v.mean())
    assert between > 0
    shrunk = c.mean() + np.sqrt(between / (between + v)) * (c - c.mean())
    found = heterogeneity(y, margin=0.05, noise=noise)
    assert found.sd[0] == pytest.approx(np.sqrt(between))
    assert found.share_above[0] == pytest.approx((shrunk > 0.05).mean())
    assert found.share_below[0] == pytest.approx((shrunk < -0.05).mean())
    assert 0 < found.share_above[0] != found.share_below[0] > 0


def test_extremes() -> None:
    same = heterogeneity(np.full((9, 3), 0.5), margin=0.05, noise=0.01)
    np.testing.assert_array_equal(same.share, 0)
    np.testing.assert_array_equal(same.sd, 0)
    few = heterogeneity(np.full((5, 3), 0.5), margin=0.05)
    assert np.isnan(few.share).all()
    assert "at least 6" in few.reason
    assert heterogeneity(np.full((9, 3), np.nan), margin=0.05).n == 0


def test_a_scenario_of_unknown_noise_is_left_out(rng) -> None:
    y, noise = rng.normal(size=(9, 2)), np.full((9, 2), 0.1)
    noise[0, 1] = np.nan
    assert heterogeneity(y, margin=0.05, noise=noise).n == 8


@pytest.mark.parametrize(
    "options", [{"margin": 0}, {"noise": -1}, {"noise": np.ones((3, 2))}, {"noise": np.inf}]
)
def test_bad_input(options) -> None:
    with pytest.raises(ValueError, match=r"margin|noise"):
        heterogeneity(np.ones((9, 2)), **{"margin": 0.05, **options})
