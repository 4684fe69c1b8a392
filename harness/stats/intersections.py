"""Two axes at once: what a combination adds to its two parts, shrunk towards nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from harness.stats.contrasts import LARGEST, Bools, Floats, is_constant
from harness.stats.multiplicity import holm

FEWEST_TO_SHOW = 5
FEWEST_TO_TEST = 20


@dataclass(frozen=True, slots=True, eq=False)
class Intersections:
    """Combinations of two axes; matrices (groups of a, groups of b), NaN where undefined.

    `raw, additive, shrunk` are effects against the mean of all cells: as observed, as the two
    axes alone predict, and with the interaction shrunk. `interaction` is raw - additive, its
    p adjusted over the cells (Holm). `beyond` marks interactions that are called. They never
    gate alone, and are only worth a word when one of the two axes itself shows a disparity.
    """

    raw: Floats
    additive: Floats
    shrunk: Floats
    interaction: Floats
    standard_error: Floats
    p_adjusted: Floats
    beyond: Bools
    sd: float
    n: int
    reason: str = ""


def intersections(
    y: ArrayLike, *, asked: ArrayLike | None = None, alpha: float = 0.05
) -> Intersections:
    """Additive effects of two axes and the empirical-Bayes interaction of every cell.

    Parameters
    ----------
    y : (scenarios, groups of a, groups of b)
        Mean score of each cell. Scenarios with a missing cell are left out.
    asked : (groups of a, groups of b), bool
        Cells that are part of the design; the others (structural zeros) are left out and NaN in
        the result. All by default.
    alpha : float
        Family-wise error over the cells. Default 0.05.

    Returns
    -------
    Intersections
        All NaN below 5 complete scenarios, or where the cells asked leave no interaction apart
        from the two axes; without p-values below 20.

    Raises
    ------
    ValueError
        Not three-dimensional, fewer than two groups on an axis, infinite values.

    Notes
    -----
    Formula: theta_ab = alpha_a + beta_b + gamma_ab. q_gab is what the least-squares fit of the two
    axes leaves of the cell within scenario g (with all cells asked: the cell minus its row mean
    minus its column mean plus the mean); gamma_ab = mean_g q_gab with se = sd / sqrt G and a t
    test. Shrunken gamma = gamma t2 / (t2 + s2), s2 the sampling variance of a cell, mean var(q) / G
    * cells / df, t2 = max(0, sum gamma^2 / df - s2), df = cells - rank of the fit (all asked:
    (A - 1)(B - 1)). `sd` is sqrt(t2). Neutral: 0.
    """
    cube = np.asarray(y, dtype=np.float64)
    if cube.ndim != 3 or min(cube.shape[1:]) < 2:
        raise ValueError(f"y must have shape (scenarios, 2 or more, 2 or more), got {cube.shape}")
    if np.isinf(cube).any():
        raise ValueError("y holds infinite values; use NaN for a missing cell")
    if (np.abs(cube) > LARGEST).any():
        raise ValueError(f"y holds values beyond {LARGEST:g}; rescale the scores")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
    design = np.ones(cube.shape[1:], bool) if asked is None else np.asarray(asked, dtype=bool)
    if design.shape != cube.shape[1:]:
        raise ValueError(f"asked must have shape {cube.shape[1:]}, got {design.shape}")
    x = cube[:, design]
    x = x[~np.isnan(x).any(axis=1)]
    n, cells = x.shape
    left, df = _interaction(design)
    why = ""
    if df < 1:
        why = "the cells asked do not tell an interaction from the two axes"
    elif n < FEWEST_TO_SHOW:
        why = f"complete scenarios: {n}, at least {FEWEST_TO_SHOW} are needed"
    if why:
        no = np.full(design.shape, np.nan)
        return Intersections(no, no, no, no, no, no, np.zeros_like(design), np.nan, n, why)
    scale = float(np.abs(x).max())
    x = x - x.mean(axis=1, keepdims=True)
    q = x @ left
    raw, gamma = x.mean(axis=0), q.mean(axis=0)
    error = q.std(axis=0, ddof=1) / np.sqrt(n)
    s2 = float((error**2).mean()) * cells / df
    t2 = max(0.0, float((gamma**2).sum()) / df - s2)
    kept = t2 / (t2 + s2) if t2 > 0 else 0.0
    p = np.full(cells, np.nan)
    if n >= FEWEST_TO_TEST:
        flat = is_constant(error, scale)
        with np.errstate(divide="ignore", invalid="ignore"):
            p = np.asarray(2 * stats.t.sf(np.abs(gamma) / error, n - 1))
        p[flat] = np.nan
        p = holm(p)
    else:
        why = f"{n} scenarios: shown, not tested (that takes {FEWEST_TO_TEST})"

    def placed(values: Floats) -> Floats:
        whole = np.full(design.shape, np.nan)
        whole[design] = values
        return whole

    additive = raw - gamma
    beyond = np.zeros_like(design)
    beyond[design] = p < alpha
    return Intersections(
        placed(raw), placed(additive), placed(additive + kept * gamma), placed(gamma),
        placed(error), placed(p), beyond, float(np.sqrt(t2)), n, why,
    )  # fmt: skip


def _interaction(asked: Bools) -> tuple[Floats, int]:
    """The projection (cells, cells) on what rows and columns do not fit, and its rank."""
    a, b = np.nonzero(asked)
    parts = np.hstack(
        [a[:, None] == np.arange(asked.shape[0]), b[:, None] == np.arange(asked.shape[1])]
    )
    fit = parts @ np.linalg.pinv(parts.astype(float))
    left = np.eye(len(a)) - fit
    return left, round(float(np.trace(left)))
