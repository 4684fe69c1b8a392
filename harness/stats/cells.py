"""Records to cells: the mean score of every scenario and group."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.stats.contrasts import Floats


def cell_means(
    values: ArrayLike, scenario: ArrayLike, group: ArrayLike, shape: tuple[int, int]
) -> tuple[Floats, NDArray[np.int64]]:
    """Mean score and number of records of every cell.

    Parameters
    ----------
    values : (records,)
        One score per record; NaN (refused, not readable) is left out.
    scenario, group : (records,)
        Row and column of each record, counted from 0.
    shape : (scenarios, groups)

    Returns
    -------
    means : (scenarios, groups)
        NaN where a cell has no record.
    counts : (scenarios, groups)

    Raises
    ------
    ValueError
        Different lengths, infinite values, or an index outside `shape`.

    Notes
    -----
    Variants of one situation share a scenario: average each variant first where their records
    differ in number, or the variant with more of them weighs more.
    """
    score = np.asarray(values, dtype=np.float64)
    row, column = np.asarray(scenario, dtype=np.int64), np.asarray(group, dtype=np.int64)
    if not score.shape == row.shape == column.shape or score.ndim != 1:
        raise ValueError("values, scenario and group must be three vectors of one length")
    if np.isinf(score).any():
        raise ValueError("values holds infinite numbers; use NaN for a missing score")
    for index, size, name in ((row, shape[0], "scenario"), (column, shape[1], "group")):
        if len(index) and not (index.min() >= 0 and index.max() < size):
            raise ValueError(f"{name} holds an index outside 0 to {size - 1}")
    cell = row * shape[1] + column
    absent = np.isnan(score)
    if absent.any():
        cell, score = cell[~absent], score[~absent]
    counts = np.bincount(cell, minlength=shape[0] * shape[1])
    sums = np.bincount(cell, score, minlength=shape[0] * shape[1])
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means.reshape(shape), counts.reshape(shape).astype(np.int64)
