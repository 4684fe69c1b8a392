"""Checked input, contrasts between groups, and the one verdict rule.

Everything in this package starts from a matrix `y` of shape (scenarios, groups): the mean score
of each cell, NaN where a cell is missing. The scenario is the unit of analysis: its rows are
taken to be independent draws from the scenarios one could have written.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
Bools = NDArray[np.bool_]
Contrast = Literal["leave_one_out", "reference"]

FEWEST_SCENARIOS = 6
"""Below this no two-sided sign-flip test can reject at 5 % (its least p is 2 ** (1 - n))."""

LARGEST = 1e100
"""Scores beyond this would overflow when squared and summed."""

ZERO = 1e-12
"""A spread below this share of the scores' own size is rounding, not variation."""


def checked(y: ArrayLike, *, name: str = "y", groups: int = 2) -> Floats:
    """`y` as a float matrix with at least `groups` columns.

    Raises
    ------
    ValueError
        Not two-dimensional, too few groups, an infinite value, or one beyond 1e100.
    """
    matrix = np.asarray(y, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"{name} must have shape (scenarios, groups), got shape {matrix.shape}")
    if matrix.shape[1] < groups:
        raise ValueError(f"{name} needs at least {groups} groups, got {matrix.shape[1]}")
    if np.isinf(matrix).any():
        raise ValueError(f"{name} holds infinite values; use NaN for a missing cell")
    if (np.abs(matrix) > LARGEST).any():
        raise ValueError(f"{name} holds values beyond {LARGEST:g}; rescale the scores")
    return matrix


def check_margin(margin: float, name: str = "margin") -> None:
    """Raise ValueError unless `margin` is a finite number above 0."""
    if not 0 < margin < np.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {margin}")


def check_share(value: float, name: str = "alpha") -> None:
    """Raise ValueError unless `value` lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")


def same_shape(a: NDArray[Any], b: NDArray[Any], names: str) -> None:
    """Raise ValueError unless the two arrays have one shape; `names` says which they are."""
    if a.shape != b.shape:
        raise ValueError(f"{names} must have the same shape, got {a.shape} and {b.shape}")


def complete(y: Floats) -> Bools:
    """Which scenarios have a score for every group, shape (scenarios,)."""
    return np.asarray(~np.isnan(y).any(axis=1))


def weights_of(groups: int, contrast: Contrast, reference: int | None) -> Floats:
    """The contrast as a matrix A of shape (groups, groups): contrast k is row k of A times y.

    Formula
    -------
    leave_one_out: A = K / (K - 1) (I - 11' / K), group k minus the mean of the others.
    reference: row k is group k minus the reference; the reference's own row is 0.

    Raises
    ------
    ValueError
        An unknown contrast, a reference that is not a group, or one that is not used.
    """
    if contrast == "leave_one_out":
        if reference is not None:
            raise ValueError("a reference is only used with contrast='reference'")
        return (groups * np.eye(groups) - 1.0) / (groups - 1)
    if contrast != "reference":
        raise ValueError(f"contrast must be 'leave_one_out' or 'reference', got {contrast!r}")
    whole = isinstance(reference, int | np.integer) and not isinstance(reference, bool)
    if reference is None or not whole or not 0 <= reference < groups:
        raise ValueError(f"reference must be a group from 0 to {groups - 1}, got {reference!r}")
    matrix = np.eye(groups)
    matrix[:, reference] -= 1.0
    return matrix


def contrasts(
    y: ArrayLike, *, contrast: Contrast = "leave_one_out", reference: int | None = None
) -> Floats:
    """Contrast of every group in every scenario, shape (scenarios, groups), in units of y.

    A scenario with a missing cell gives NaN for all groups.
    """
    matrix = checked(y)
    groups = matrix.shape[1]
    weights_of(groups, contrast, reference)
    if contrast == "reference":
        c: Floats = matrix - matrix[:, [reference or 0]]
        c[~complete(matrix)] = np.nan
        return c
    return leave_one_out(matrix)


def leave_one_out(y: Floats) -> Floats:
    """Each column minus the mean of the others: K / (K - 1) (y_k - mean_j y_j)."""
    groups = y.shape[1]
    c: Floats = (y - y.mean(axis=1, keepdims=True)) / (1.0 - 1.0 / groups)
    return c


def family_size(groups: int, contrast: Contrast = "leave_one_out") -> int:
    """Tests in one family: K groups, K - 1 against a reference, 1 when K = 2 (one test twice)."""
    return groups if contrast == "leave_one_out" and groups > 2 else groups - 1


def is_constant(spread: Floats, scale: float) -> Bools:
    """Where a standard deviation is 0 up to rounding, for scores of size `scale`."""
    flat: Bools = spread <= ZERO * scale
    return flat


OPEN = "the interval holds 0 and reaches past the margin: more scenarios are needed"


def texts(count: int, text: str = "") -> Texts:
    """An array of `count` equal strings that elementwise comparison works on."""
    return np.full(count, text, dtype=object)


def verdicts(
    low: Floats, high: Floats, tost_low: Floats, tost_high: Floats, margin: float
) -> tuple[Texts, Bools, Texts]:
    """Verdict, material flag and reason of every group from its two intervals.

    The interval at 1 - 2 alpha inside (-margin, margin): `equivalent`. Else the simultaneous
    interval excludes 0: `disparity`, material when it excludes [-margin, margin]. Else, and
    where an interval is NaN, `inconclusive`.
    """
    with np.errstate(invalid="ignore"):
        equivalent = (tost_low > -margin) & (tost_high < margin)
        nonzero = (low > 0) | (high < 0)
        material = ~equivalent & ((low > margin) | (high < -margin))
    verdict, reason = texts(len(low), "inconclusive"), texts(len(low))
    reason[:] = OPEN
    reason[nonzero | equivalent] = ""
    reason[nonzero & equivalent] = "not zero, but below the margin"
    verdict[nonzero] = "disparity"
    verdict[equivalent] = "equivalent"
    return verdict, material, reason


def axis_verdict(verdict: ArrayLike) -> str:
    """One verdict from those of its groups.

    Any disparity is a disparity; else any inconclusive group leaves the axis inconclusive; else
    the axis is equivalent: no group differs from the mean of the others by the margin or more.
    Each equivalence is tested at alpha and all must hold, so none is adjusted.

    Raises
    ------
    ValueError
        No verdict at all, or an unknown word.
    """
    found = set(np.asarray(verdict, dtype=object).ravel().tolist())
    known = ("disparity", "inconclusive", "equivalent")
    if not found or not found <= set(known):
        raise ValueError(f"verdicts must be some of {known}, got {sorted(map(str, found))}")
    return next(word for word in known if word in found)
