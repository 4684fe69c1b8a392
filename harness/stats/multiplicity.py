"""Many tests at once: Holm, Benjamini-Hochberg and Benjamini-Yekutieli.

Which one when: the simultaneous intervals of `group_effects` within a family (probe x kind x
language x cue kind x axis); `sign_flip_max_t` for correlated endpoints of one axis; `holm`
across axes; `benjamini_hochberg` for exploratory tables that gate nothing. Languages and kinds
of cue are never pooled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from harness.stats.contrasts import Floats


def holm(p: ArrayLike) -> Floats:
    """Holm's adjusted p-values: reject where they are at most alpha.

    Controls the family-wise error under any dependence. `p` has any shape; NaN (a test that
    could not be made) stays NaN and counts as a test that was planned. ValueError outside [0, 1].

    Formula: with p_(1) <= ... <= p_(m), adjusted_(i) = max_{j <= i} min(1, (m - j + 1) p_(j)).

    Reference: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    values = _checked(p)
    flat = np.where(np.isnan(values), 1.0, values).ravel()
    order = np.argsort(flat, kind="stable")
    steps = np.minimum(1.0, flat[order] * np.arange(flat.size, 0, -1))
    adjusted = np.empty_like(flat)
    adjusted[order] = np.maximum.accumulate(steps)
    return np.where(np.isnan(values), np.nan, adjusted.reshape(values.shape))


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Adjusted p-values that control the share of false findings; exploratory only.

    Holds for independent and positively dependent tests. NaN and errors as in `holm`.

    Reference: Benjamini and Hochberg (1995), Controlling the false discovery rate.
    """
    return _discoveries(p, "bh")


def benjamini_yekutieli(p: ArrayLike) -> Floats:
    """As `benjamini_hochberg`, without any assumption on dependence, and less powerful.

    Reference: Benjamini and Yekutieli (2001), The control of the false discovery rate in
    multiple testing under dependency.
    """
    return _discoveries(p, "by")


def _discoveries(p: ArrayLike, method: str) -> Floats:
    values = _checked(p)
    if values.size == 0:
        return values.copy()
    filled = np.where(np.isnan(values), 1.0, values)
    adjusted = stats.false_discovery_control(
        filled.ravel(), method="bh" if method == "bh" else "by"
    )
    return np.where(np.isnan(values), np.nan, np.asarray(adjusted).reshape(values.shape))


def _checked(p: ArrayLike) -> Floats:
    values = np.asarray(p, dtype=np.float64)
    if ((values < 0) | (values > 1)).any():
        raise ValueError("p-values must lie in [0, 1]")
    return values
