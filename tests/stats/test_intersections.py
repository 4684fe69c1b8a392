from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats import holm, intersections


def cube(rng, table: np.ndarray, scenarios: int, noise: float = 0.02) -> np.ndarray:
    level = rng.normal(0.5, 0.1, (scenarios, 1, 1))
    return level + table + rng.normal(0, noise, (scenarios, *table.shape))


def test_additive_parts_by_hand(rng) -> None:
    a, b = np.array([0.1, 0.0, -0.1]), np.array([0.05, -0.05])
    found = intersections(cube(rng, a[:, None] + b[None, :], 400, 0.01))
    np.testing.assert_allclose(found.additive, a[:, None] + b[None, :], atol=0.005)
    np.testing.assert_allclose(found.interaction, 0, atol=0.004)
    assert not found.beyond.any()


def test_one_cell_beyond_its_parts(rng) -> None:
    table = np.zeros((4, 3))
    table[1, 2] = 0.2
    found = intersections(cube(rng, table, 60))
    assert np.unravel_index(np.argmax(found.interaction), (4, 3)) == (1, 2)
    # Centred twice: .2 (1 - 1/4)(1 - 1/3) of the cell's own effect is left.
    assert found.interaction[1, 2] == pytest.approx(0.1, abs=0.01)
    assert found.beyond[1, 2]
    np.testing.assert_allclose(found.raw - found.additive, found.interaction, atol=1e-12)


def test_the_formula(rng) -> None:
    y = cube(rng, rng.normal(0, 0.05, (4, 3)), 25, 0.1)
    within = y - y.mean(axis=2, keepdims=True) - y.mean(axis=1, keepdims=True)
    q = within + y.mean(axis=(1, 2), keepdims=True)
    gamma, s2 = q.mean(axis=0), q.var(axis=0, ddof=1).mean() / 25 * 12 / 6
    t2 = max(0.0, (gamma**2).sum() / 6 - s2)
    assert t2 > 0
    found = intersections(y)
    np.testing.assert_allclose(found.interaction, gamma)
    assert found.sd == pytest.approx(np.sqrt(t2))
    np.testing.assert_allclose(found.shrunk, found.additive + gamma * t2 / (t2 + s2))
    p = stats.ttest_1samp(q.reshape(25, -1), 0).pvalue
    np.testing.assert_allclose(found.p_adjusted.ravel(), holm(p))


def test_shrinkage_lies_between_additive_and_raw(rng) -> None:
    found = intersections(cube(rng, rng.normal(0, 0.02, (5, 4)), 30, 0.1))
    share = (found.shrunk - found.additive) / found.interaction
    assert 0 <= share.min() <= share.max() <= 1
    assert np.ptp(share) < 1e-9
    flat = intersections(cube(rng, np.zeros((3, 3)), 6, 0.3))
    assert flat.sd >= 0


def test_scenario_effects_and_order_do_not_matter(rng) -> None:
    y = cube(rng, rng.normal(0, 0.05, (3, 4)), 25)
    one = intersections(y)
    two = intersections((y + rng.normal(size=(25, 1, 1)))[::-1, ::-1])
    np.testing.assert_allclose(one.p_adjusted, two.p_adjusted[::-1], rtol=1e-6)
    np.testing.assert_allclose(one.shrunk, two.shrunk[::-1], atol=1e-9)


@pytest.mark.parametrize(
    ("n", "shown", "tested"),
    [(4, False, False), (5, True, False), (19, True, False), (20, True, True)],
)
def test_least_numbers(rng, n, shown, tested) -> None:
    y = cube(rng, np.zeros((2, 2)), n + 1)
    y[0, 1, 1] = np.nan
    found = intersections(y)
    assert found.n == n
    assert np.isfinite(found.raw).all() == shown
    assert np.isfinite(found.p_adjusted).all() == tested
    assert bool(found.reason) != tested


def test_constant_cells_have_no_p() -> None:
    found = intersections(np.full((30, 2, 2), 0.5))
    assert np.isnan(found.p_adjusted).all()
    assert not found.beyond.any()
    np.testing.assert_array_equal(found.shrunk, 0)


@pytest.mark.parametrize("bad", [np.ones((9, 4)), np.ones((9, 1, 4)), np.full((9, 2, 2), np.inf)])
def test_bad_input(bad) -> None:
    with pytest.raises(ValueError, match=r"shape|infinite"):
        intersections(bad)
    with pytest.raises(ValueError, match="alpha"):
        intersections(np.ones((9, 2, 2)), alpha=0)


def test_scores_too_large_to_square_are_refused() -> None:
    with pytest.raises(ValueError, match="rescale"):
        intersections(np.full((9, 2, 2), 1e300))


def test_cells_that_are_not_asked_are_fitted_around(rng) -> None:
    asked = np.ones((4, 3), dtype=bool)
    asked[0, 2] = asked[3, 0] = False
    a, b = np.array([0.1, 0.0, -0.1, 0.2]), np.array([0.05, -0.05, 0.1])
    y = cube(rng, a[:, None] + b[None, :], 40)
    y[:, 1, 1] += 0.2
    y[:, ~asked] = np.nan
    found = intersections(y, asked=asked)
    assert found.n == 40
    for name in ("raw", "additive", "shrunk", "interaction", "standard_error", "p_adjusted"):
        assert (np.isnan(getattr(found, name)) == ~asked).all()
    assert not found.beyond[~asked].any()
    assert found.beyond[1, 1]
    # by hand: least squares of the cell means on the two axes
    rows, columns = np.nonzero(asked)
    parts = np.column_stack([rows[:, None] == np.arange(4), columns[:, None] == np.arange(3)])
    means = y.mean(axis=0)[asked]
    rest = means - parts @ np.linalg.lstsq(parts.astype(float), means, rcond=None)[0]
    np.testing.assert_allclose(found.interaction[asked], rest, atol=1e-12)
    s2 = (found.standard_error[asked] ** 2).mean() * 10 / 4  # ten cells, rank 4 + 3 - 1
    assert found.sd == pytest.approx(np.sqrt((rest**2).sum() / 4 - s2))
    none = cube(rng, a[:, None] + b[None, :], 400, 0.01)
    np.testing.assert_allclose(intersections(none, asked=asked).interaction[asked], 0, atol=0.004)


def test_asking_all_cells_is_the_default(rng) -> None:
    y = cube(rng, rng.normal(0, 0.05, (3, 4)), 25)
    one, two = intersections(y), intersections(y, asked=np.ones((3, 4), dtype=bool))
    np.testing.assert_array_equal(one.p_adjusted, two.p_adjusted)


def test_too_few_cells_tell_no_interaction(rng) -> None:
    asked = np.array([[True, True], [True, False]])
    found = intersections(cube(rng, np.zeros((2, 2)), 30), asked=asked)
    assert np.isnan(found.raw).all()
    assert "do not tell an interaction" in found.reason
    with pytest.raises(ValueError, match="asked must have shape"):
        intersections(np.ones((9, 2, 2)), asked=np.ones((3, 2)))
