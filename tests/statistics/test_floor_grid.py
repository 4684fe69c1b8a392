"""The noise floor: sampling and re-wording alone, and identity on top of them."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import (
    flip_rates,
    floor_excess,
    group_effects,
    heterogeneity,
    spread_between,
    spread_under_edit,
)
from tests.statistics.designs import agrees


def answers(rng: np.random.Generator, logit: float, scenarios: int = 200) -> np.ndarray:
    """One sampled yes or no per cell of a model that never looks at the group."""
    level = rng.normal(logit, 1.0, (scenarios, 1))
    return (rng.random((scenarios, 4)) < 1 / (1 + np.exp(-level))).astype(float)


@pytest.mark.parametrize("logit", [0.0, 2.5])
def test_sampled_answers_flip_without_any_discrimination(logit: float) -> None:
    rng, raw, excess, wrong, reps = np.random.default_rng(440), [], [], 0, 300
    for _ in range(reps):
        level = rng.normal(logit, 1.0, (200, 1))
        chance = 1 / (1 + np.exp(-level))
        first, again = ((rng.random((200, 4)) < chance).astype(float) for _ in range(2))
        found = flip_rates(first, repeat=again)
        raw.append(found.counterfactual)
        excess.append(found.over_repeat.estimate)
        wrong += found.over_repeat.p_value < 0.05
    assert np.mean(raw) > 0.15
    assert abs(np.mean(excess)) < 0.004
    assert wrong / reps == pytest.approx(0.05, abs=0.04)


def noisy(rng: np.random.Generator, identity: float, mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores and their paraphrase; wording moves both by sd .06, identity the first by more."""
    level = rng.normal(0.5, 0.1, (100, 1))
    y = level + rng.normal(0, 0.06, (100, 2))
    edited = level + rng.normal(0, 0.06, (100, 2))
    person = rng.normal(0, identity, (100, 2))
    person[:, 0] += mean
    return y + person, edited + person


@pytest.mark.parametrize(
    ("identity", "mean", "directional", "unstable"),
    [(0.0, 0.0, (0.0, 0.1), (0.0, 0.1)), (0.05, 0.0, (0.0, 0.1), (0.4, 1.0)),
     (0.0, 0.03, (0.8, 1.0), (0.05, 0.6))],
)  # fmt: skip
def test_direction_and_instability_are_two_findings(
    identity: float, mean: float, directional: tuple[float, float], unstable: tuple[float, float]
) -> None:
    rng, reps, found = np.random.default_rng(441), 300, np.zeros(2)
    for _ in range(reps):
        y, edited = noisy(rng, identity, mean)
        excess = floor_excess(spread_between(y), spread_under_edit(y, edited))
        found += group_effects(y, margin=0.03).p_adjusted[0] < 0.05, excess.p_value < 0.05
    found /= reps
    assert directional[0] <= found[0] <= directional[1], found
    assert unstable[0] <= found[1] <= unstable[1], found


def test_the_excess_holds_its_one_sided_level() -> None:
    def wrong(reps: int) -> float:
        rng, found = np.random.default_rng(442), 0
        for _ in range(reps):
            y, edited = noisy(rng, 0.0, 0.0)
            found += floor_excess(spread_between(y), spread_under_edit(y, edited)).low > 0
        return found / reps

    agrees(wrong, 0.05, 1000)


def test_opposite_discriminations_that_average_to_zero_are_seen() -> None:
    """Half of the scenarios favour group 0 by .08, half the others; sampling noise is known."""
    rng, share, above, fair, sd = np.random.default_rng(443), [], [], [], []
    for _ in range(100):
        y = rng.normal(0.5, 0.02, (60, 5))
        fair.append(heterogeneity(y, margin=0.05, noise=0.02**2).share[0])
        y[:, 0] += np.where(np.arange(60) % 2, 0.08, -0.08)
        found = heterogeneity(y, margin=0.05, noise=0.02**2)
        share.append(found.share[0])
        sd.append(found.sd[0])
        above.append(found.share_above[0])
    assert np.mean(share) > 0.85  # of 1: the true effects are two points, not a bell
    assert np.mean(above) == pytest.approx(np.mean(share) / 2, abs=0.03)
    assert np.mean(sd) == pytest.approx(0.08, rel=0.05)
    assert np.mean(fair) < 0.02
