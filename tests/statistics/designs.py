"""Planted truth: simulated runs whose effects are known, and how a rate is compared with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The main design of the specification: 4 rotated names x 5 seeds in every cell.
NAMES, SEEDS = 4, 5
SCENARIO_SD, GROUP_SD, NAME_SD, NOISE_SD = 0.10, 0.05, 0.04, 0.10
CELL_SD = float(np.sqrt(GROUP_SD**2 + NAME_SD**2 / NAMES + NOISE_SD**2 / (NAMES * SEEDS)))
CHUNK_CELLS = 2_000_000


def full(*values: object) -> object:
    """A cell of the full grid: run by `make simulate`, left out of `make test`."""
    return pytest.param(*values, marks=pytest.mark.simulation)


def agrees(
    simulate: Callable[[int], float],
    nominal: float,
    reps: int,
    *,
    below: float | None = None,
    errors: float = 3.0,
) -> None:
    """The simulated rate lies within three Monte-Carlo errors of `nominal`.

    With `below` the rate may also lie anywhere between `below` and nominal (a method that is
    allowed to be conservative). A red cell is run again with ten times the repetitions and the
    same seed, and must then lie within three of the smaller errors.
    """
    for count in (reps, 10 * reps):
        reach = errors * float(np.sqrt(nominal * (1 - nominal) / count))
        rate = simulate(count)
        least = nominal - reach if below is None else below
        if least <= rate <= nominal + reach:
            return
    pytest.fail(
        f"rate {rate:.4f}, expected {nominal} (allowed {least:.4f} to {nominal + reach:.4f})"
    )


def continuous(
    rng: Generator, reps: int, scenarios: int, groups: int, shift: float = 0.0
) -> Iterator[Floats]:
    """`reps` matrices of cell means (scenarios, groups) of a continuous score."""
    for count in _chunks(reps, scenarios * groups):
        level = 0.5 + rng.normal(0, SCENARIO_SD, (count, scenarios, 1))
        y = level + rng.normal(0, CELL_SD, (count, scenarios, groups))
        y[:, :, 0] += shift
        yield from y


def yes_counts(
    rng: Generator, reps: int, scenarios: int, groups: int, *, base: float, shift: float = 0.0
) -> Iterator[Floats]:
    """`reps` matrices of yes among 20 samples; `base, shift` in log-odds."""
    for count in _chunks(reps, scenarios * groups * NAMES):
        logit = base + rng.normal(0, 1.0, (count, scenarios, 1, 1))
        logit = logit + rng.normal(0, 0.35, (count, scenarios, groups, 1))
        logit[:, :, 0] += shift
        logit = logit + rng.normal(0, 0.25, (count, scenarios, groups, NAMES))
        yield from rng.binomial(SEEDS, 1 / (1 + np.exp(-logit))).sum(axis=3).astype(np.float64)


def draws(
    outcome: str, rng: Generator, reps: int, scenarios: int, groups: int, *, planted: bool = False
) -> Iterator[Floats]:
    """Cell means of one of the three outcomes; `planted` shifts group 0 as in the specification."""
    if outcome == "continuous":
        yield from continuous(rng, reps, scenarios, groups, 0.05 * planted)
        return
    base, shift = {"binary": (0.0, 0.30), "rare": (-3.0, 0.60)}[outcome]
    for yes in yes_counts(rng, reps, scenarios, groups, base=base, shift=shift * planted):
        yield yes / (NAMES * SEEDS)


def planted(outcome: str, groups: int) -> Floats:
    """The true leave-one-out effects of `draws(..., planted=True)`, shape (groups,)."""
    shift = 0.05
    if outcome != "continuous":
        base, step = {"binary": (0.0, 0.30), "rare": (-3.0, 0.60)}[outcome]
        nodes, weights = np.polynomial.hermite_e.hermegauss(80)
        logit = np.sqrt(1.0**2 + 0.35**2 + 0.25**2) * nodes
        gain = 1 / (1 + np.exp(-logit - base - step)) - 1 / (1 + np.exp(-logit - base))
        shift = float(weights @ gain / weights.sum())
    effects = np.full(groups, -shift / (groups - 1))
    effects[0] = shift
    return effects


def _chunks(reps: int, cells: int) -> Iterator[int]:
    size = max(1, CHUNK_CELLS // cells)
    for start in range(0, reps, size):
        yield min(size, reps - start)
