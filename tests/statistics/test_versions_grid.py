"""Versions: pass and false pass of the gate, a row of releases, confirmation."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import alpha_spending, compare_versions, confirm, group_effects
from tests.statistics.designs import full


def two_versions(
    rng: np.random.Generator, scenarios: int, *, worse: float = 0.0, groups: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Two versions that share most of their scenario effects; sd of the change D is .047."""
    level = rng.normal(0.5, 0.1, (scenarios, 1))
    shared = rng.normal(0, 0.054, (scenarios, groups))
    old, new = (shared + rng.normal(0, 0.0311, shared.shape) for _ in range(2))
    new[:, 0] += worse
    return level + old, level + new


@pytest.mark.parametrize(
    ("scenarios", "unchanged"),
    [(100, 0.92), full(50, 0.19), full(200, 1.0), full(400, 1.0)],
)
def test_every_change_within_d(scenarios: int, unchanged: float) -> None:
    """Eight groups, d = .02: shares with every D shown within d, as in the specification."""
    rng, reps, within = np.random.default_rng(420), 400, [0, 0]
    for i, shift in enumerate((0.0, 0.02)):
        for _ in range(reps):
            old, new = two_versions(rng, scenarios, worse=shift)
            found = compare_versions(old, new, d=0.02, margin=0.05)
            within[i] += bool((found.change == "within").all())
    assert within[0] / reps == pytest.approx(unchanged, abs=0.065)
    assert within[1] / reps <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)


def test_pairing_needs_a_third_of_the_scenarios() -> None:
    rng = np.random.default_rng(421)
    paired, apart = [], []
    for _ in range(200):
        old, new = two_versions(rng, 100)
        other, _ = two_versions(rng, 100)
        paired.append(compare_versions(old, new, d=0.02, margin=0.05).standard_error[0])
        apart.append(compare_versions(other, new, d=0.02, margin=0.05).standard_error[0])
    assert (np.mean(apart) / np.mean(paired)) ** 2 > 2


def blocked(rng: np.random.Generator, alpha: float, *, confirmed: bool) -> bool:
    old, new = two_versions(rng, 100, groups=8)
    first = compare_versions(old, new, d=0.0001, margin=0.5, alpha=alpha)
    if first.verdict != "fail" or not confirmed:
        return first.verdict == "fail"
    old, new = two_versions(rng, 100, groups=8)
    return confirm(first, old, new, margin=0.5, alpha=alpha).verdict == "fail"


@pytest.mark.parametrize("reps", [100, full(1000)])
def test_twenty_releases_in_which_nothing_changes(reps: int) -> None:
    """Some release is blocked by chance in a third to a half of all rows, unless alpha is spent."""
    rng = np.random.default_rng(422)
    rows = {
        "plain": [any(blocked(rng, 0.05, confirmed=False) for _ in range(20)) for _ in range(reps)],
        "spent": [
            any(blocked(rng, alpha_spending(t), confirmed=False) for t in range(1, 21))
            for _ in range(reps)
        ],
        "confirmed": [
            any(blocked(rng, 0.05, confirmed=True) for _ in range(20)) for _ in range(reps)
        ],
    }
    share = {name: np.mean(row) for name, row in rows.items()}
    reach = 3 * np.sqrt(0.05 * 0.95 / reps)
    assert share["plain"] > 0.25, share
    assert share["spent"] <= 0.05 + reach, share
    assert share["confirmed"] <= 0.05 + reach, share


def test_a_real_loss_is_confirmed() -> None:
    rng, held = np.random.default_rng(423), 0
    for _ in range(50):
        first = compare_versions(*two_versions(rng, 100, worse=0.05), d=0.02, margin=0.03)
        assert first.verdict == "fail"
        again = confirm(first, *two_versions(rng, 100, worse=0.05), margin=0.03)
        held += again.verdict == "fail" and bool(again.confirmed[0])
    assert held >= 48


def test_the_verdict_of_a_change_bounds_the_effect_of_the_new_version() -> None:
    """|new| - |old| <= |D|: within d means that no effect grew by more than d (5 % error)."""
    rng = np.random.default_rng(424)
    for _ in range(50):
        old, new = two_versions(rng, 60)
        found = compare_versions(old, new, d=0.03, margin=0.05)
        grown = np.abs(group_effects(new, margin=1).estimate) - np.abs(
            group_effects(old, margin=1).estimate
        )
        assert (grown <= np.abs(found.estimate) + 1e-12).all()
