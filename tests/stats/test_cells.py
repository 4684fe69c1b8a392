from __future__ import annotations

import numpy as np
import pytest

from harness.stats import cell_means


def test_by_hand() -> None:
    means, counts = cell_means([1.0, 2, 6, np.nan, 5], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], (2, 3))
    np.testing.assert_array_equal(means, [[1.5, np.nan, np.nan], [5, 6, np.nan]])
    np.testing.assert_array_equal(counts, [[2, 0, 0], [1, 1, 0]])


def test_nothing_is_missing_not_zero() -> None:
    means, counts = cell_means([], [], [], (2, 2))
    assert np.isnan(means).all()
    assert counts.sum() == 0


@pytest.mark.parametrize(
    ("values", "scenario", "group", "message"),
    [
        ([1.0], [0, 1], [0], "one length"),
        ([[1.0]], [[0]], [[0]], "one length"),
        ([np.inf], [0], [0], "infinite"),
        ([1.0], [2], [0], "scenario holds an index outside"),
        ([1.0], [0], [-1], "group holds an index outside"),
    ],
)
def test_bad_input(values, scenario, group, message) -> None:
    with pytest.raises(ValueError, match=message):
        cell_means(values, scenario, group, (2, 2))
