from __future__ import annotations

import numpy as np
import pytest

from harness.stats import bounded_interval


def test_the_end_by_hand() -> None:
    """Ten contrasts of .5: at the lower end the mean of the products is 2 / alpha."""
    low, high = bounded_interval(np.full((10, 1), 0.5))
    for c, end in ((0.5, low[0]), (-0.5, -high[0])):
        products = [(1 + bet * (c - end) / (1 + end)) ** 10 for bet in (0.1, 0.25, 0.5, 0.75, 0.95)]
        assert np.mean(products) == pytest.approx(40, rel=1e-6)
    assert low[0] < 0.5 < high[0]


def test_sides_and_more_scenarios(rng) -> None:
    c = rng.uniform(-0.2, 0.6, (40, 3))
    low, high = bounded_interval(c)
    mirrored = bounded_interval(-c)
    np.testing.assert_allclose(mirrored[0], -high)
    np.testing.assert_allclose(mirrored[1], -low)
    assert ((low < c.mean(axis=0)) & (c.mean(axis=0) < high)).all()
    more = bounded_interval(np.tile(c, (4, 1)))
    assert (more[0] > low).all()
    assert (more[1] < high).all()
    wide = bounded_interval(c, alpha=0.001)
    assert (wide[0] < low).all()


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_all_one_value_is_not_certain(value) -> None:
    low, high = bounded_interval(np.full((20, 1), value))
    assert -1 <= low[0] <= value <= high[0] <= 1
    assert high[0] - low[0] > 0.1


def test_nothing_is_known_of_nothing() -> None:
    low, high = bounded_interval(np.zeros((0, 2)))
    assert low == pytest.approx([-1, -1])
    assert high == pytest.approx([1, 1])


@pytest.mark.parametrize("scenarios", [6, 40])
def test_rare_jumps_are_covered(rng, scenarios) -> None:
    """Mean .02, from one scenario in fifty: a t interval of 6 misses it nine times in ten."""
    c = (rng.random((scenarios, 4000)) < 0.02).astype(float)
    low, high = bounded_interval(c)
    assert ((low > 0.02) | (high < 0.02)).mean() < 0.05


@pytest.mark.parametrize(
    ("c", "alpha"), [(np.full((3, 1), 2.0), 0.05), ([[np.nan]], 0.05), ([1.0], 0.05), ([[0.0]], 0)]
)
def test_bad_input(c, alpha) -> None:
    with pytest.raises(ValueError, match=r"\[-1, 1\]|shape|alpha"):
        bounded_interval(c, alpha=alpha)
