"""Stopping early: peeking inflates, declared looks and the e-process do not."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import betting_e_process, contrasts, declared_looks, group_effects
from tests.statistics.designs import agrees, full


def run(
    rng: np.random.Generator, scenarios: int, shift: float = 0.0, groups: int = 2
) -> np.ndarray:
    y = 0.5 + rng.normal(0, 0.15 / np.sqrt(2), (scenarios, groups))
    y[:, 0] += shift
    return np.clip(y, 0, 1)


def test_peeking_every_ten_scenarios_misleads() -> None:
    rng, reps = np.random.default_rng(430), 100
    peeked = 0
    for _ in range(reps):
        y = run(rng, 300)
        looks = (group_effects(y[:n], margin=0.03).p_value[0] < 0.05 for n in range(10, 301, 10))
        peeked += any(looks)
    assert peeked / reps > 0.15


@pytest.mark.parametrize("groups", [2, full(8)])
def test_declared_looks_hold_their_level(groups: int) -> None:
    def wrong(reps: int, shift: float, verdict: str) -> float:
        rng, found = np.random.default_rng(431), 0
        for _ in range(reps):
            last = declared_looks(run(rng, 300, shift, groups), (100, 200, 300), margin=0.03)
            found += verdict in last.effects.verdict[: 1 if shift else None].tolist()
        return found / reps

    agrees(lambda reps: wrong(reps, 0.0, "disparity"), 0.05, 600, below=0.0)
    agrees(lambda reps: wrong(reps, 0.03, "equivalent"), 0.05, 600, below=0.0)


@pytest.mark.parametrize("groups", [2, full(8)])
def test_the_e_process_holds_its_level_at_every_look(groups: int) -> None:
    def ever(reps: int) -> float:
        rng = np.random.default_rng(432)
        runs = (betting_e_process(contrasts(run(rng, 300, groups=groups))) for _ in range(reps))
        return float(np.mean([r.disparity.any() for r in runs]))

    agrees(ever, 0.05, 1000, below=0.0)


def test_the_e_process_finds_an_effect_and_its_side() -> None:
    rng, stops, found = np.random.default_rng(433), [], 0
    for _ in range(200):
        evidence = betting_e_process(contrasts(run(rng, 300, -0.05)))
        found += bool(evidence.disparity[0])
        if evidence.disparity[0]:
            stops.append(evidence.crossed_at[0])
            assert evidence.sign[0] == -1
    assert found / 200 > 0.95
    assert np.mean(stops) < 160
