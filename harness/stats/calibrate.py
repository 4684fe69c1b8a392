"""Correcting a scorer by people: prediction-powered inference over scenarios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.agreement import Agreement, Level, agreement
from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    Bools,
    Contrast,
    Floats,
    Texts,
    check_margin,
    check_share,
    checked,
    complete,
    contrasts,
    family_size,
    is_constant,
    same_shape,
    verdicts,
)
from harness.stats.effects import group_effects
from harness.stats.intervals import t_intervals


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Group effects corrected by human labels; arrays per group, NaN where undefined.

    `lam` is the trust in the scorer that the labels justify (0: labels alone). `rectifier` is the
    mean of label - score in each group, `differential` its leave-one-out contrast with
    `differential_p` (adjusted): a scorer that errs more for one group is a finding on its own.
    `n_labelled + n_unlabelled + n_left_out` is the number of scenarios.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    tost_low: Floats
    tost_high: Floats
    p_value: Floats
    p_adjusted: Floats
    verdict: Texts | None
    material: Bools | None
    reason: Texts
    lam: Floats
    rectifier: Floats
    differential: Floats
    differential_p: Floats
    agreement: Agreement
    n_labelled: int
    n_unlabelled: int
    n_left_out: int


def calibrate(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    margin: float | None = None,
    alpha: float = 0.05,
    contrast: Contrast = "leave_one_out",
    reference: int | None = None,
    inclusion: ArrayLike | None = None,
    level: Level = "interval",
) -> Calibration:
    """Group effects from many automatic scores and a few human labels.

    Parameters
    ----------
    scores : (scenarios, groups)
        What the scorer says of each cell.
    labels : (scenarios, groups)
        What people say, on the same scale, for whole scenarios drawn at random before scoring;
        NaN rows are not labelled. A scenario labelled in part, or with a missing score, is left
        out.
    margin : float, optional
        Smallest difference that matters; without it there are no verdicts.
    alpha, contrast, reference
        As in `group_effects`.
    inclusion : (scenarios,), optional
        Probability with which each scenario was to be labelled, strictly between 0 and 1, when
        it was not the same for all.
    level : {"interval", "nominal"}
        For the agreement between labels and scores.

    Returns
    -------
    Calibration
        Without intervals, with a reason, below 6 labelled scenarios.

    Raises
    ------
    ValueError
        Shapes that differ, or a bad margin, alpha, contrast or inclusion.

    Notes
    -----
    Formula, for the contrasts y_c of labels and f_c of scores, L the n labelled scenarios and U
    the N others: theta = lam mean_U f_c + mean_L (y_c - lam f_c);
    lam = cov_L(y_c, f_c) / (var(f_c) (1 + n / N)) cut to [0, 1];
    V = lam^2 var_U(f_c) / N + var_L(y_c - lam f_c) / n, t with n - 1 degrees of freedom.
    With `inclusion` pi the means over L weigh by 1 / pi, those over U by 1 / (1 - pi).
    L and U are disjoint on purpose: a U that holds L as well covers too little.

    Reference: PPI++ of Angelopoulos, Duchi and Zrnic (2023), here with scenarios as units.
    """
    f_all, y_all = checked(scores, name="scores"), checked(labels, name="labels")
    same_shape(f_all, y_all, "scores and labels")
    check_share(alpha)
    if margin is not None:
        check_margin(margin)
    pi = _inclusion(inclusion, len(f_all))
    scored = complete(f_all)
    in_l = scored & complete(y_all)
    in_u = scored & np.isnan(y_all).all(axis=1)
    f = contrasts(f_all, contrast=contrast, reference=reference)
    y = contrasts(y_all[in_l], contrast=contrast, reference=reference)
    n, groups = y.shape
    w_l, w_u = 1 / pi[in_l], 1 / (1 - pi[in_u])
    estimate, error, lam = _ppi(y, f[in_l], f[in_u], w_l, w_u)
    undefined = is_constant(error, float(np.abs(y_all[in_l]).max(initial=0.0))) | np.isnan(error)
    undefined |= n < FEWEST_SCENARIOS
    many = family_size(groups, contrast)
    df = np.full(groups, max(n - 1.0, 1.0))
    t = t_intervals(estimate, error, df, undefined, alpha=alpha, many=many)
    verdict, material, reason = verdicts(t.low, t.high, t.tost_low, t.tost_high, margin or np.inf)
    reason[undefined] = (
        f"labelled scenarios: {n}, at least {FEWEST_SCENARIOS} are needed"
        if n < FEWEST_SCENARIOS
        else "zero variance: the labels make the same contrast in every scenario"
    )
    bias = group_effects(y_all[in_l] - f_all[in_l], margin=margin or 1.0, alpha=alpha)
    return Calibration(
        estimate=estimate, standard_error=error, low=t.low, high=t.high,
        tost_low=t.tost_low, tost_high=t.tost_high, p_value=t.p_value, p_adjusted=t.p_adjusted,
        verdict=verdict if margin else None, material=material if margin else None,
        reason=reason, lam=lam, rectifier=bias.mean, differential=bias.estimate,
        differential_p=bias.p_adjusted,
        agreement=agreement(np.stack([y_all[in_l], f_all[in_l]]), level=level),
        n_labelled=n, n_unlabelled=int(in_u.sum()),
        n_left_out=len(f_all) - n - int(in_u.sum()),
    )  # fmt: skip


def _inclusion(inclusion: ArrayLike | None, scenarios: int) -> Floats:
    pi = np.asarray(np.full(scenarios, 0.5) if inclusion is None else inclusion, dtype=np.float64)
    if pi.shape != (scenarios,) or not ((pi > 0) & (pi < 1)).all():
        raise ValueError(f"inclusion must hold {scenarios} numbers strictly between 0 and 1")
    return pi


def _ppi(
    y: Floats, f_l: Floats, f_u: Floats, w_l: Floats, w_u: Floats
) -> tuple[Floats, Floats, Floats]:
    """Estimate, standard error and lambda of every column."""
    n, groups = y.shape
    if n < 2:
        nothing = np.full(groups, np.nan)
        return (y[0].copy() if n else nothing), nothing, nothing
    if len(f_u) < 2:
        mean, variance = _weighted(y, w_l)
        return mean, np.sqrt(variance), np.zeros(groups)
    size_l, size_u = _effective(w_l), _effective(w_u)
    shift_y, shift_f = y - w_l @ y / w_l.sum(), f_l - w_l @ f_l / w_l.sum()
    covariance = w_l @ (shift_y * shift_f) / w_l.sum() * n / (n - 1)
    spread = np.concatenate([f_l, f_u]).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        lam = np.clip(covariance / (spread * (1 + size_l / size_u)), 0.0, 1.0)
    lam[~(spread > 0)] = 0.0
    mean_u, variance_u = _weighted(f_u, w_u)
    mean_l, variance_l = _weighted(y - lam * f_l, w_l)
    return lam * mean_u + mean_l, np.sqrt(lam**2 * variance_u + variance_l), lam


def _weighted(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and the variance of that mean; the usual ones for equal weights."""
    n, share = len(values), weights / weights.sum()
    mean = share @ values
    variance = share**2 @ (values - mean) ** 2 * (n / (n - 1))
    return mean, variance


def _effective(weights: Floats) -> float:
    return float(weights.sum() ** 2 / (weights**2).sum())
