"""An interval for the mean of bounded numbers that assumes nothing else of their distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.contrasts import Floats, check_share, checked

BETS = (0.1, 0.25, 0.5, 0.75, 0.95)
HALVINGS = 40


def bounded_interval(c: ArrayLike, *, alpha: float = 0.05) -> tuple[Floats, Floats]:
    """Interval for the mean of every column, valid for any number of scenarios.

    Parameters
    ----------
    c : (scenarios, columns)
        Numbers in [-1, 1], contrasts of rates say; complete.
    alpha : float
        Error, half at each end. Default 0.05.

    Returns
    -------
    low, high : (columns,) each
        -1 and 1 without a scenario.

    Raises
    ------
    ValueError
        Bad shape or alpha, missing numbers, or one outside [-1, 1].

    Notes
    -----
    Formula: low is the least m with mean over lambda of prod_g (1 + lambda (c_g - m) / (1 + m))
    < 2 / alpha, lambda = .1, .25, .5, .75, .95; high the same of -c. If m is the mean, the
    expected value of that product is at most 1, so by Markov's inequality it reaches 2 / alpha
    with probability alpha / 2 at most: for columns of any shape, also of scenarios that differ.
    The price is width: two to four times that of a t interval at 36 to 200 scenarios.

    Assumes independent scenarios. Reference: betting on bounded means after Waudby-Smith and
    Ramdas, at one look.
    """
    matrix = checked(c, name="c", groups=1)
    check_share(alpha)
    if not (np.abs(matrix) <= 1 + 1e-9).all():
        raise ValueError("c must be complete and lie in [-1, 1]")
    matrix = np.clip(matrix, -1.0, 1.0)
    return _low(matrix, alpha), -_low(-matrix, alpha)


def _low(c: Floats, alpha: float) -> Floats:
    """By bisection: the product falls as m rises."""
    left, right = np.full(c.shape[1], -1.0), np.full(c.shape[1], 1.0)
    bets = np.array(BETS)[:, None, None]
    for _ in range(HALVINGS):
        m = (left + right) / 2
        log_e = np.log1p(bets * (c - m) / (1 + m)).sum(axis=1)
        top = log_e.max(axis=0)
        log_e = top + np.log(np.exp(log_e - top).mean(axis=0))
        beaten = log_e >= np.log(2 / alpha)
        left, right = np.where(beaten, m, left), np.where(beaten, right, m)
    return left
