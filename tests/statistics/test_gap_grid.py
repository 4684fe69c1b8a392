"""The worst gap: level of its test, coverage of both bounds, bias of the corrected gap."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import worst_gap
from tests.statistics.designs import agrees, full

CELLS = [(k, g, s) for k in (2, 8, 56) for g in (10, 30, 100) for s in (0.0, 2.0, 5.0)]
QUICK = {(2, 10, 0.0), (8, 30, 2.0)}


@pytest.mark.parametrize(
    ("groups", "scenarios", "spread"), [c if c in QUICK else full(*c) for c in CELLS]
)
def test_bounds_cover_the_true_gap(groups: int, scenarios: int, spread: float, more: int) -> None:
    """`spread`: sd of the true group means, in standard errors of one mean."""
    error = 0.06 / np.sqrt(scenarios)

    def missed(reps: int, end: str) -> float:
        rng, out = np.random.default_rng(350), 0
        for _ in range(reps):
            truth = rng.normal(0, spread * error, groups)
            y = rng.normal(0.5, 0.1, (scenarios, 1)) + rng.normal(0, 0.06, (scenarios, groups))
            found = worst_gap(y + truth, rng=rng, draws=299)
            gap = float(np.ptp(truth))
            out += bool(found.lower > gap if end == "lower" else found.upper < gap)
        return out / reps

    agrees(lambda reps: missed(reps, "lower"), 0.05, 300 * more, below=0.0)
    agrees(lambda reps: missed(reps, "upper"), 0.05, 300 * more, below=0.0)


@pytest.mark.parametrize("groups", [8, full(2), full(56)])
def test_the_range_test_holds_its_level(groups: int) -> None:
    def false_positives(reps: int) -> float:
        rng = np.random.default_rng(351)
        runs = (rng.normal(0, 0.06, (50, groups)) for _ in range(reps))
        return float(np.mean([worst_gap(y, rng=rng, draws=399).p_value <= 0.05 for y in runs]))

    agrees(false_positives, 0.05, 500)


@pytest.mark.parametrize(
    ("groups", "raw", "corrected"),
    [(8, 2.91, 1.04), (56, 4.64, 1.18), full(2, 1.10, 0.61), full(100, 5.07, 1.22)],
)
def test_a_fair_model_shows_a_raw_gap_of_pure_noise(
    groups: int, raw: float, corrected: float
) -> None:
    rng, error = np.random.default_rng(352), 0.06 / np.sqrt(50)
    found = [worst_gap(rng.normal(0, 0.06, (50, groups)), rng=rng, draws=299) for _ in range(300)]
    assert np.mean([f.raw for f in found]) / error == pytest.approx(raw, abs=0.2)
    assert np.mean([f.corrected for f in found]) / error == pytest.approx(corrected, abs=0.25)
    assert np.median([f.tau for f in found]) < 0.3 * error


@pytest.mark.parametrize("groups", [8, full(4), full(56)])
def test_a_real_spread_is_corrected_to_the_truth(groups: int) -> None:
    rng, error, off, tau = np.random.default_rng(353), 0.06 / np.sqrt(50), [], []
    for _ in range(300):
        truth = rng.normal(0, 2 * error, groups)
        found = worst_gap(rng.normal(0, 0.06, (50, groups)) + truth, rng=rng, draws=299)
        off.append((found.corrected - np.ptp(truth)) / error)
        tau.append(found.tau**2)
    assert abs(np.mean(off)) < 0.4
    assert np.sqrt(np.mean(tau)) == pytest.approx(2 * error, rel=0.12)
