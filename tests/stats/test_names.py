from __future__ import annotations

import numpy as np
import pytest

from harness.stats.contrasts import contrasts, weights_of
from harness.stats.names import checked_names, name_variance, smallest_pool


def dealt(rng, scenarios: int, groups: int, names: int) -> np.ndarray:
    """Every group deals its names evenly, in an order of its own."""
    return np.column_stack([rng.permutation(np.arange(scenarios) % names) for _ in range(groups)])


def test_names_without_effect_leave_the_scenario_variance(rng) -> None:
    y, names = rng.normal(size=(40, 3)), dealt(rng, 40, 3, 40)
    error, df = name_variance(y, names, weights_of(3, "leave_one_out", None))
    np.testing.assert_allclose(error, contrasts(y).std(axis=0, ddof=1) / np.sqrt(40))
    np.testing.assert_allclose(df, 39)


def test_the_variance_is_that_of_the_names_when_nothing_else_varies(rng) -> None:
    """4 names a group, 400 scenarios: the mean of a group is the mean of its 4 names."""
    names, quirk = dealt(rng, 400, 2, 4), rng.normal(0, 1, (2, 4))
    y = quirk[np.arange(2), names] + rng.normal(0, 1e-3, (400, 2))
    error, df = name_variance(y, names, weights_of(2, "leave_one_out", None))
    expected = np.sqrt(sum(row.var(ddof=1) / 4 for row in quirk))
    np.testing.assert_allclose(error, expected, rtol=0.1)
    assert (df < 8).all()


def test_the_formula(rng) -> None:
    """Two groups, 12 scenarios, 4 names each used 3 times: every part from plain variances."""
    names, quirk = dealt(rng, 12, 2, 4), rng.normal(0, 2, (2, 4))
    y = quirk[np.arange(2), names] + rng.normal(size=(12, 2))
    c = y[:, 0] - y[:, 1]
    within = c.var(ddof=1) / 12
    between = [np.var([c[names[:, j] == m].mean() for m in range(4)], ddof=1) / 4 for j in range(2)]
    variance = within + sum(b - within for b in between)
    assert variance > within
    doubt = within**2 / 11 + sum((b * (1 - 3 / 11)) ** 2 / 3 for b in between)
    error, df = name_variance(y, names, weights_of(2, "leave_one_out", None))
    np.testing.assert_allclose(error, np.sqrt(variance))
    np.testing.assert_allclose(df, variance**2 / doubt)


def test_nothing_varies(rng) -> None:
    names = dealt(rng, 12, 2, 4)
    error, df = name_variance(np.ones((12, 2)), names, weights_of(2, "leave_one_out", None))
    assert error.tolist() == [0, 0]
    assert df.tolist() == [11, 11]


def test_both_contrasts_of_two_groups_have_one_error(rng) -> None:
    y, names = rng.normal(size=(30, 2)), dealt(rng, 30, 2, 5)
    error, df = name_variance(y, names, weights_of(2, "leave_one_out", None))
    assert error[0] == pytest.approx(error[1])
    assert df[0] == pytest.approx(df[1])


def test_it_is_never_below_the_scenario_variance(rng) -> None:
    for _ in range(50):
        y, names = rng.normal(size=(20, 4)), dealt(rng, 20, 4, 5)
        error, df = name_variance(y, names, weights_of(4, "leave_one_out", None))
        assert (error >= contrasts(y).std(axis=0, ddof=1) / np.sqrt(20) - 1e-12).all()
        assert np.isfinite(df).all()


def test_a_reference_counts_only_its_two_groups(rng) -> None:
    names, quirk = dealt(rng, 200, 3, 4), np.array([[0.0] * 4, [0.0] * 4, [-3.0, -1, 1, 3]])
    y = quirk[np.arange(3), names] + rng.normal(0, 0.01, (200, 3))
    error, _ = name_variance(y, names, weights_of(3, "reference", 0))
    assert error[2] > 100 * error[0]
    assert error[0] == 0


def test_names_belong_to_groups() -> None:
    codes = checked_names([["Kim", "Kim"], ["Lee", "Kim"]], (2, 2))
    assert smallest_pool(codes) == 1
    with pytest.raises(ValueError, match="name_ids must have shape"):
        checked_names([["Kim"]], (2, 2))
