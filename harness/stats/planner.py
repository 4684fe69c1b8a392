"""Before a run: what a design can show. After it: what an open verdict still needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from harness.stats.contrasts import FEWEST_SCENARIOS, check_margin, check_share, family_size

MOST = 10**7
"""More scenarios than anyone writes: the planner's search ends here, without a count."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Scenarios needed for a margin; the three counts answer three questions.

    `difference`: to call a true effect of one margin in one group a disparity.
    `equivalence`: to call one group without any effect equivalent.
    `all_equivalent`: to call every group of a fair axis equivalent.
    """

    margin: float
    sd: float
    groups: int
    power: float
    alpha: float
    difference: int
    equivalence: int
    all_equivalent: int


def plan(margin: float, sd: float, groups: int, power: float = 0.8, *, alpha: float = 0.05) -> Plan:
    """Scenarios needed to show, or to rule out, an effect of the size of the margin.

    Parameters
    ----------
    margin : float
        Smallest difference that matters, in units of the score.
    sd : float
        Standard deviation of the contrast over scenarios, from a pilot (`upper_sd`), an earlier
        run (standard_error * sqrt(n)) or its parts (`contrast_sd`).
    groups : int
        Groups on the axis; the test of a difference is corrected for them.
    power : float
        Chance to reach the verdict. Default 0.8.
    alpha : float
        As in `group_effects`. Default 0.05.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        A margin or sd of 0 or below, fewer than two groups, power or alpha outside (0, 1), or a
        margin so small that more than 10 million scenarios would be needed.

    Notes
    -----
    Formula: difference G = ((t_{1-a/2} + t_power) sd / margin)^2 with a = alpha / m;
    equivalence at a true effect of 0 G = ((t_{1-alpha} + t_{1-beta/2}) sd / margin)^2,
    beta = 1 - power, for all groups beta / K in place of beta; t with G - 1 degrees of freedom,
    the least G that satisfies its own formula. At least 6.
    """
    check_margin(margin)
    check_margin(sd, "sd")
    _check_design(groups, power, alpha)
    a, beta = alpha / family_size(groups), 1 - power
    ratio = sd / margin
    needed = {
        "difference": _least(lambda df: _sum(a / 2, 1 - power, df), ratio),
        "equivalence": _least(lambda df: _sum(alpha, beta / 2, df), ratio),
        "all_equivalent": _least(lambda df: _sum(alpha, beta / groups / 2, df), ratio),
    }
    if max(needed.values()) == MOST:
        raise ValueError(
            f"a margin of {margin:g} is out of reach at a standard deviation of {sd:g}: "
            f"more than {MOST:,} scenarios would be needed"
        )
    return Plan(margin=margin, sd=sd, groups=groups, power=power, alpha=alpha, **needed)


def decidable(
    sd: float, scenarios: int, groups: int, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest margin at which a design calls every group of a fair axis equivalent.

    Parameters, units and errors as in `detectable`.

    Notes
    -----
    Formula: (t_{1-alpha} + t_{1-beta/(2K)}) sd / sqrt(G), beta = 1 - power, G - 1 degrees of
    freedom: `Plan.all_equivalent` solved for the margin.
    """
    check_margin(sd, "sd")
    _check_design(groups, power, alpha)
    if scenarios < FEWEST_SCENARIOS:
        raise ValueError(f"at least {FEWEST_SCENARIOS} scenarios are needed, got {scenarios}")
    total = _sum(alpha, (1 - power) / groups / 2, scenarios - 1)
    return float(total * sd / np.sqrt(scenarios))


def detectable(
    sd: float, scenarios: int, groups: int, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest true effect of one group that a design calls a disparity with this power.

    Parameters
    ----------
    sd : float
        Standard deviation of the contrast over scenarios.
    scenarios, groups : int
        The design; at least 6 scenarios and 2 groups.
    alpha, power : float
        As in `plan`.

    Returns
    -------
    float
        In units of the score.

    Raises
    ------
    ValueError
        As `plan`, and for fewer than 6 scenarios.

    Notes
    -----
    Formula: (t_{1-a/2} + t_power) sd / sqrt(G) with a = alpha / m and G - 1 degrees of freedom.
    """
    check_margin(sd, "sd")
    _check_design(groups, power, alpha)
    if scenarios < FEWEST_SCENARIOS:
        raise ValueError(f"at least {FEWEST_SCENARIOS} scenarios are needed, got {scenarios}")
    total = _sum(alpha / family_size(groups) / 2, 1 - power, scenarios - 1)
    return total * sd / float(np.sqrt(scenarios))


def still_needed(
    estimate: float,
    standard_error: float,
    n: int,
    *,
    margin: float,
    groups: int,
    alpha: float = 0.05,
    power: float = 0.8,
    beyond: float = 0.0,
) -> int | None:
    """Extra scenarios after which an open group should have a verdict, if it is as it looks.

    Takes the estimate for the truth and the smaller of two counts: to call it a disparity (larger
    than `beyond`), or to call it equivalent with the room the margin leaves. None where neither is
    in reach (an estimate of exactly the margin or of no spread), or the interval is undefined.

    Formula: as in `plan`, with |estimate| - beyond for the margin of a difference and margin -
    |estimate| for that of equivalence.
    """
    check_margin(margin)
    _check_design(groups, power, alpha)
    if not (np.isfinite([estimate, standard_error]).all() and standard_error > 0 and n > 1):
        return None
    sd, size = standard_error * float(np.sqrt(n)), abs(estimate)
    needed = []
    if size > beyond:
        a = alpha / family_size(groups)
        needed.append(_least(lambda df: _sum(a / 2, 1 - power, df), sd / (size - beyond)))
    if size < margin:
        half = (1 - power) / 2
        needed.append(_least(lambda df: _sum(alpha, half, df), sd / (margin - size)))
    least = min(needed, default=MOST)
    return max(0, least - n) if least < MOST else None


def contrast_sd(
    groups: int,
    *,
    scenario: float,
    name: float = 0.0,
    noise: float = 0.0,
    names: int = 1,
    samples: int = 1,
) -> float:
    """Standard deviation of a leave-one-out contrast over scenarios, from its parts.

    `scenario` is the sd of the group effect from scenario to scenario, `name` that between the
    names of a group, `noise` that between samples of one prompt, all in units of the score;
    `names` per cell, `samples` per name.

    Formula: s_c^2 = K / (K - 1) (scenario^2 + name^2 / M + noise^2 / (M S)): for a fixed number
    of calls more scenarios always beat more samples.
    """
    if groups < 2 or names < 1 or samples < 1 or min(scenario, name, noise) < 0:
        raise ValueError("needs groups >= 2, names >= 1, samples >= 1 and no negative sd")
    variance = scenario**2 + name**2 / names + noise**2 / (names * samples)
    return float(np.sqrt(groups / (groups - 1) * variance))


def upper_sd(sd: float, n: int, *, level: float = 0.8) -> float:
    """Upper confidence bound of a standard deviation estimated from n scenarios of a pilot.

    Formula: sd sqrt((n - 1) / chi2_{1-level, n-1}); assumes normal contrasts.
    """
    check_margin(sd, "sd")
    check_share(level, "level")
    if n < 2:
        raise ValueError(f"a pilot needs at least 2 scenarios, got {n}")
    return sd * float(np.sqrt((n - 1) / stats.chi2.ppf(1 - level, n - 1)))


def _check_design(groups: int, power: float, alpha: float) -> None:
    if groups < 2:
        raise ValueError(f"at least 2 groups are needed, got {groups}")
    check_share(power, "power")
    check_share(alpha)


def _sum(a: float, b: float, df: float) -> float:
    """Upper a and b quantiles of t, added; `special` since the search asks often."""
    return -float(special.stdtrit(df, a) + special.stdtrit(df, b))


def _least(quantiles: Callable[[float], float], ratio: float) -> int:
    """The least n >= 6 with n >= (quantiles(n - 1) * ratio) ** 2, by bisection; MOST if none is."""
    if ratio > MOST:
        return MOST
    low, high = FEWEST_SCENARIOS, MOST
    while low < high:
        middle = (low + high) // 2
        if middle >= (quantiles(middle - 1) * ratio) ** 2:
            high = middle
        else:
            low = middle + 1
    return low
