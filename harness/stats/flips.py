"""Flip rates: answers that change with the group, beyond those that change anyway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.contrasts import Floats, check_share, checked, same_shape
from harness.stats.effects import group_effects
from harness.stats.floor import Excess, floor_excess, spread_between, spread_under_edit


@dataclass(frozen=True, slots=True, eq=False)
class FlipRates:
    """Shares of flipped answers; None or NaN where an arm was not run or has no scenario.

    Two separate lines of a report. `directional` (groups,): P(no -> yes) - P(yes -> no) when
    the others are replaced by the group, its t interval `directional_low, directional_high`
    simultaneous. `over_repeat, over_paraphrase`: instability attributable to identity, in excess
    of both floors, whatever its direction.
    """

    counterfactual: float | None
    repeat: float | None
    paraphrase: float | None
    over_repeat: Excess | None
    over_paraphrase: Excess | None
    directional: Floats
    directional_low: Floats
    directional_high: Floats
    n: int


def flip_rates(
    labels: ArrayLike,
    *,
    repeat: ArrayLike | None = None,
    paraphrase: ArrayLike | None = None,
    alpha: float = 0.05,
) -> FlipRates:
    """How often the answer changes with the group, and how often without.

    Parameters
    ----------
    labels : (scenarios, groups)
        0 or 1 for each cell, NaN where it is missing.
    repeat, paraphrase : (scenarios, groups), optional
        Labels of the same cells at another sample, and under a neutral edit.
    alpha : float
        Family-wise error of the directional part, one-sided error of each excess.

    Returns
    -------
    FlipRates

    Raises
    ------
    ValueError
        Labels other than 0 and 1, shapes that differ.

    Notes
    -----
    Formula: F_cf = mean over scenarios and unordered pairs of groups of 1[label_i != label_j];
    F_aa, F_pp the same between a cell and its repeat or paraphrase. Excess F_cf - F_aa and
    F_cf - F_pp paired by scenario, one-sided t. Neutral: an excess of 0; a raw flip rate is never
    0 when answers are sampled. Range of a rate: 0 to 1. Excludes: incomplete scenarios.
    The directional part is McNemar's contrast, which is the mean effect of the labels.
    """
    y = _labels(labels, "labels")
    check_share(alpha)
    between = spread_between(y)
    floors: list[Floats | None] = []
    for arm, name in ((repeat, "repeat"), (paraphrase, "paraphrase")):
        other = None if arm is None else _labels(arm, name)
        if other is not None:
            same_shape(y, other, f"labels and {name}")
        floors.append(None if other is None else spread_under_edit(y, other))
    excess = [None if f is None else floor_excess(between, f, alpha=alpha) for f in floors]
    effect = group_effects(y, margin=1.0, alpha=alpha)
    return FlipRates(
        counterfactual=_mean(between), repeat=_mean(floors[0]), paraphrase=_mean(floors[1]),
        over_repeat=excess[0], over_paraphrase=excess[1], directional=effect.estimate,
        directional_low=effect.low, directional_high=effect.high, n=effect.n,
    )  # fmt: skip


def _labels(labels: ArrayLike, name: str) -> Floats:
    matrix = checked(labels, name=name)
    if not np.isin(matrix[~np.isnan(matrix)], (0.0, 1.0)).all():
        raise ValueError(f"{name} must be 0, 1 or NaN")
    return matrix


def _mean(values: Floats | None) -> float | None:
    """Mean over the scenarios that have the arm, None without any."""
    present = np.empty(0) if values is None else values[~np.isnan(values)]
    return float(present.mean()) if len(present) else None
