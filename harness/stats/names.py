"""Names that stand for a group in more than one scenario: a second source of variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.stats.contrasts import Floats, leave_one_out
from harness.stats.weighted import cr2

FEWEST_NAMES = 4
"""With fewer names a group is not told apart from the few people its names call to mind."""


def checked_names(name_ids: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Names as integer codes of the given shape; a name is known by its group and its label.

    Raises
    ------
    ValueError
        Not one name per cell.
    """
    labels = np.asarray(name_ids)
    if labels.shape != shape:
        raise ValueError(f"name_ids must have shape {shape}, got {labels.shape}")
    return np.unique(labels, return_inverse=True)[1].reshape(shape).astype(np.int64)


def smallest_pool(names: NDArray[np.int64]) -> int:
    """The fewest different names that any group has."""
    return min(len(np.unique(column)) for column in names.T)


def name_variance(y: Floats, names: NDArray[np.int64], design: Floats) -> tuple[Floats, Floats]:
    """Standard error and df of mean contrasts when names are shared between scenarios.

    Parameters
    ----------
    y : (scenarios, groups)
        Cell means, complete, at least two scenarios.
    names : (scenarios, groups)
        The name used in each cell; names are nested in groups.
    design : (groups, groups)
        The contrast's weights a_kj.

    Returns
    -------
    standard_error, df : (groups,) each

    Notes
    -----
    Formula: V_k = max(V_T, V_T + sum_j a_kj^2 (V_N,j - V_I,j)). V_T is the variance over
    scenarios; V_N,j the CR2 variance of group j's mean when its scenarios are clustered by name;
    V_I,j the same with every cell by itself (it takes out the part of V_N that V_T has counted).
    Satterthwaite df: V^2 / (V_T^2 / (G - 1) + sum_j (a_kj^2 V_N,j (1 - df_j / (G - 1)))^2 / df_j),
    df_j the CR2 df of group j's names: the name part is taken to be as uncertain as all of V_N,j
    even where little of it is left after V_I, since a small remainder may be luck. (With the
    remainder itself the test rejects up to 9 % instead of 5 %, with this at most 6 %.) Names
    used once only add nothing: V = V_T and df = G - 1.

    Assumes that names are dealt to scenarios independently in each group. When the i-th names of
    all groups always appear together, their variance is counted K / (K - 1) times: the interval
    is then too wide (by up to 41 % at K = 2), never too narrow.

    Reference: two-way clustering after Cameron, Gelbach and Miller (2011); the problem is the
    stimulus-as-random-effect of Clark (1973) and Judd, Westfall and Kenny (2012).
    """
    scenarios, groups = y.shape
    within = (y @ design.T).var(axis=0, ddof=1) / scenarios
    excess, doubt = np.zeros(groups), np.zeros(groups)
    own = leave_one_out(y)
    for j in range(groups):
        codes, sizes = np.unique(names[:, j], return_inverse=True, return_counts=True)[1:]
        if len(sizes) < 2 or len(sizes) == scenarios:
            continue
        means = np.bincount(codes, own[:, j]) / sizes
        _, error, df = cr2(means[:, None], sizes)
        between = error[0] ** 2
        excess[j] = between - own[:, j].var(ddof=1) / scenarios
        doubt[j] = (between * max(0.0, 1.0 - df[0] / (scenarios - 1))) ** 2 / df[0]
    variance = np.maximum(within, within + design**2 @ excess)
    spread = within**2 / (scenarios - 1) + design**4 @ doubt
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(variance), np.where(spread > 0, variance**2 / spread, scenarios - 1.0)
