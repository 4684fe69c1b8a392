from __future__ import annotations

import numpy as np
import pytest

from harness.stats import cr2


def by_definition(c: np.ndarray, sizes: np.ndarray) -> tuple[float, float, float]:
    """CR2 and its df from matrices over records, without the closed form."""
    owner = np.repeat(np.arange(len(c)), sizes)
    x = np.ones((len(owner), 1))
    value = c[owner]
    bread = 1 / len(owner)
    hat = bread * x @ x.T
    residual = value - value.mean()
    variance, vectors = 0.0, []
    for g in range(len(c)):
        rows = owner == g
        block = np.eye(rows.sum()) - hat[np.ix_(rows, rows)]
        values, basis = np.linalg.eigh(block)
        root = basis @ np.diag(values**-0.5) @ basis.T
        variance += (bread * x[rows].T @ root @ residual[rows]).item() ** 2
        vectors.append((np.eye(len(owner)) - hat)[:, rows] @ root @ x[rows] * bread)
    p = np.hstack(vectors)
    m = p.T @ p
    return value.mean(), variance**0.5, np.trace(m) ** 2 / (m**2).sum()


def test_closed_form_is_the_definition(rng) -> None:
    c, sizes = rng.normal(size=7), rng.integers(1, 9, 7)
    found = cr2(c[:, None], sizes)
    assert [f[0] for f in found] == pytest.approx(by_definition(c, sizes))


def test_equal_sizes_are_the_t_test(rng) -> None:
    c = rng.normal(size=(12, 3))
    mean, error, df = cr2(c, np.full(12, 4.0))
    np.testing.assert_allclose(mean, c.mean(axis=0))
    np.testing.assert_allclose(error, c.std(axis=0, ddof=1) / np.sqrt(12))
    np.testing.assert_allclose(df, 11)


def test_only_ratios_of_sizes_matter(rng) -> None:
    c, sizes = rng.normal(size=(9, 2)), rng.integers(1, 9, 9)
    for a, b in zip(cr2(c, sizes), cr2(c, 1000 * sizes), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize(
    ("c", "sizes"),
    [(np.ones((3, 1)), np.ones(2)), (np.ones((1, 1)), np.ones(1)), (np.ones(3), np.ones(3)),
     (np.ones((3, 1)), np.array([1.0, 0, 1])), (np.full((3, 1), np.nan), np.ones(3)),
     (np.ones((3, 1)), np.array([1.0, np.inf, 1])), (np.full((3, 1), np.inf), np.ones(3))],
)  # fmt: skip
def test_bad_input(c, sizes) -> None:
    with pytest.raises(ValueError, match="cluster"):
        cr2(c, sizes)
