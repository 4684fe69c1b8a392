"""Scorers that err, people who label: coverage of cluster PPI and of Krippendorff's alpha."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import agreement, calibrate, group_effects
from tests.statistics.designs import agrees, full


def judged(
    rng: np.random.Generator, scenarios: int, bias: tuple[float, float] = (0.05, 0.12)
) -> tuple[np.ndarray, np.ndarray]:
    """True and judged share of yes in two equal groups; false alarms differ between the groups."""
    chance = 1 / (1 + np.exp(-rng.normal(0, 1, (scenarios, 1))))
    truth = (rng.random((scenarios, 2, 5)) < chance[:, :, None]).astype(float)
    alarm = rng.random(truth.shape) < np.array(bias)[None, :, None]
    judge = np.where((truth == 0) & alarm, 1.0, truth)
    return truth.mean(axis=2), judge.mean(axis=2)


def some_labels(rng: np.random.Generator, truth: np.ndarray, labelled: int) -> np.ndarray:
    labels = np.full(truth.shape, np.nan)
    chosen = rng.choice(len(truth), labelled, replace=False)
    labels[chosen] = truth[chosen]
    return labels


@pytest.mark.parametrize("labelled", [40, full(20), full(80)])
def test_a_judge_that_errs_for_one_group_is_put_right(labelled: int) -> None:
    def wrong(reps: int) -> float:
        rng, found = np.random.default_rng(450), 0
        for _ in range(reps):
            truth, judge = judged(rng, 400)
            found += bool(calibrate(judge, some_labels(rng, truth, labelled)).p_value[0] < 0.05)
        return found / reps

    agrees(wrong, 0.05, 500, below=0.035)


def test_the_judge_alone_misleads_and_labels_alone_are_wider() -> None:
    rng, wrong, both, alone, told = np.random.default_rng(451), 0, [], [], 0
    for _ in range(200):
        truth, judge = judged(rng, 400)
        labels = some_labels(rng, truth, 40)
        wrong += bool(group_effects(judge, margin=0.03).p_value[0] < 0.05)
        found = calibrate(judge, labels)
        both.append(found.standard_error[0])
        alone.append(group_effects(labels, margin=0.03).standard_error[0])
        told += bool(found.differential_p[0] < 0.05)
    assert wrong / 200 > 0.6
    assert np.mean(both) < 0.8 * np.mean(alone)
    assert told / 200 > 0.3


@pytest.mark.parametrize("known", [False, True])
def test_labels_drawn_by_stratum_need_their_probabilities(known: bool) -> None:
    """Scenarios the judge scores high are labelled six times as often, and differ in truth."""
    rng, missed, reps = np.random.default_rng(452), 0, 300
    for _ in range(reps):
        high = rng.random(600) < 0.5
        truth = rng.normal(0.5, 0.1, (600, 2))
        truth[:, 0] += np.where(high, 0.06, -0.06)
        pi = np.where(high, 0.3, 0.05)
        labels = np.where((rng.random(600) < pi)[:, None], truth, np.nan)
        judge = rng.normal(0.5, 0.1, truth.shape) + 0.3 * truth
        found = calibrate(judge, labels, inclusion=pi if known else None)
        missed += bool(not found.low[0] <= 0.0 <= found.high[0])
    assert (missed / reps < 0.1) is known


def rated(rng: np.random.Generator, scenarios: int, kind: str) -> np.ndarray:
    if kind == "continuous":
        truth = rng.normal(0.5, 0.2, (scenarios, 1)) + rng.normal(0, 0.1, (scenarios, 4))
        error = rng.normal(0, 0.05, truth.shape) + rng.normal(0, 0.03, (scenarios, 1))
        return np.stack([truth, truth + error])
    level, often = {"even": (0.0, 0.1), "rare": (-2.5, 0.02), "near one": (0.0, 0.02)}[kind]
    chance = 1 / (1 + np.exp(-rng.normal(level, 1, (scenarios, 1))))
    truth = (rng.random((scenarios, 4)) < chance).astype(float)
    wrong = rng.random(truth.shape) < np.minimum(often * rng.gamma(1, 1, (scenarios, 1)), 0.5)
    return np.stack([truth, np.where(wrong, 1 - truth, truth)])


@pytest.mark.parametrize(
    ("kind", "scenarios"),
    [("continuous", 50), ("near one", 20), ("rare", 50)]
    + [full(k, g) for k in ("continuous", "even", "rare", "near one") for g in (20, 50, 100)],
)
def test_the_interval_of_krippendorffs_alpha_covers(kind: str, scenarios: int, more: int) -> None:
    level = "interval" if kind == "continuous" else "nominal"
    truth = agreement(rated(np.random.default_rng(453), 100_000, kind), level=level).alpha

    def missed(reps: int) -> float:
        rng, out, defined = np.random.default_rng(454), 0, 0
        for _ in range(reps):
            found = agreement(rated(rng, scenarios, kind), level=level)
            if found.low is not None:
                defined += 1
                out += not found.low <= truth <= found.high
        return out / defined

    # At rare errors the lower end is wide on purpose.
    agrees(missed, 0.05, 400 * more, below=0.0)
