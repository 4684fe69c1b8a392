"""Missing cells: coverage at the bounds, where it is hardest, and what dropping them does."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import group_effects, missing_bounds
from tests.statistics.designs import agrees, full

SHARES = (0.01, 0.03, 0.1, 0.3)
CELLS = [(g, q, o) for g in (10, 30, 100, 300) for q in SHARES for o in (False, True)]
QUICK = {(30, 0.03, False), (100, 0.1, True)}


@pytest.mark.parametrize(
    ("scenarios", "share", "only_one"), [c if c in QUICK else full(*c) for c in CELLS]
)
def test_the_interval_covers_a_truth_at_its_bound(
    scenarios: int, share: float, only_one: bool, more: int
) -> None:
    """Group 0's missing cells really hold 1 and the others' 0; nominal .95 for two groups.

    Promised where something is missing, as it is read there. Runs of so few scenarios that no
    refusal came up show nothing of those that could have: there the interval is that of
    `group_effects`, for the cells that are not refused.
    """
    truth = 0.5 * share * (1 if only_one else 2)

    def missed(reps: int) -> float:
        rng, out, seen = np.random.default_rng(360), 0, 0
        for _ in range(reps):
            y = np.clip(
                rng.normal(0.5, 0.1, (scenarios, 1)) + rng.normal(0, 0.1, (scenarios, 2)), 0, 1
            )
            absent = rng.random(y.shape) < share
            absent[:, 1] &= not only_one
            found = missing_bounds(np.where(absent, np.nan, y), margin=0.03)
            seen += bool(absent.any())
            out += bool(absent.any() and not found.low[0] <= truth <= found.high[0])
        return out / seen

    agrees(missed, 0.05, 600 * more, below=0.0)


@pytest.mark.parametrize("scenarios", [30, full(100)])
def test_a_truth_at_the_margin_is_rarely_called_equivalent(scenarios: int) -> None:
    rng, wrong, reps = np.random.default_rng(361), 0, 1000
    for _ in range(reps):
        y = np.clip(rng.normal(0.5, 0.1, (scenarios, 1)) + rng.normal(0, 0.1, (scenarios, 5)), 0, 1)
        absent = rng.random(y.shape) < 0.05
        # The truth: group 0 at .5 + .05 * .5 against .5 - .05 * .5, a distance of .05.
        wrong += missing_bounds(np.where(absent, np.nan, y), margin=0.05).verdict[0] == "equivalent"
    assert wrong / reps <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)


def test_refusals_that_are_dropped_look_like_favour() -> None:
    """20 % of one group's would-be no is refused: complete cases mislead."""
    rng, reps = np.random.default_rng(362), 300
    bias, wrong, shown, covered = [], 0, 0, 0
    for _ in range(reps):
        p = 1 / (1 + np.exp(-rng.normal(0, 1, (200, 1))))
        y = (rng.random((200, 2)) < p).astype(float)
        refused = np.zeros(y.shape, dtype=bool)
        refused[:, 0] = (y[:, 0] == 0) & (rng.random(200) < 0.2)
        seen = np.where(refused, np.nan, y)
        e = group_effects(seen, margin=0.03)
        bias.append(e.estimate[0])
        wrong += bool(e.p_value[0] < 0.05)
        shown += bool(group_effects(refused, margin=0.03).p_adjusted[0] < 0.05)
        bounds = missing_bounds(seen, margin=0.03)
        covered += bool(bounds.low[0] <= 0 <= bounds.high[0])
        assert bounds.verdict[0] != "equivalent"
    assert np.mean(bias) > 0.02
    assert wrong / reps > 0.08
    assert shown / reps > 0.7
    assert covered / reps > 0.93
