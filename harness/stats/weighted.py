"""Scenarios of unequal weight: the CR2 variance with Satterthwaite degrees of freedom."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.contrasts import Floats


def cr2(c: ArrayLike, sizes: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Weighted mean of clusters with its CR2 standard error and Satterthwaite df.

    Parameters
    ----------
    c : (clusters, columns)
        Mean of each cluster, at least two clusters, no NaN.
    sizes : (clusters,)
        Size of each cluster, above 0. Only their ratios matter.

    Returns
    -------
    mean, standard_error, df : (columns,) each

    Raises
    ------
    ValueError
        Fewer than two clusters, NaN or infinite means, or sizes that are not positive or not
        one per cluster.

    Notes
    -----
    Formula, for an intercept and a working model of independence, N = sum of n_g:
    u_g = n_g (c_g - mean); V = sum u_g^2 / (1 - n_g / N) / N^2;
    df = tr(M)^2 / ||M||_F^2 with M_gg = n_g and
    M_gh = -n_g n_h / (N sqrt((1 - n_g / N)(1 - n_h / N))).
    Equal sizes give the one-sample t test: V = s^2 / G and df = G - 1.

    Reference: the bias-reduced linearisation of Bell and McCaffrey (2002), here in closed form
    for a mean; see also Pustejovsky and Tipton (2018).
    """
    values = np.asarray(c, dtype=np.float64)
    n = np.asarray(sizes, dtype=np.float64)
    if values.ndim != 2 or n.shape != values.shape[:1] or len(n) < 2:
        raise ValueError(f"need one size per cluster, two or more: {values.shape}, {n.shape}")
    if not np.isfinite(values).all() or not (np.isfinite(n) & (n > 0)).all():
        raise ValueError("cluster means must be finite and sizes must be finite and above 0")
    share = n / n.sum()
    mean = share @ values
    variance = (share**2 / (1 - share)) @ (values - mean) ** 2
    # With sizes as shares of N, tr(M) = 1, and the off-diagonal squares are (b_g b_h)^2.
    b2 = share**2 / (1 - share)
    norm = (share**2).sum() + b2.sum() ** 2 - (b2**2).sum()
    df = np.full(values.shape[1], 1.0 / norm)
    return mean, np.sqrt(variance), df
