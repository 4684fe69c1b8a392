from __future__ import annotations

import numpy as np
import pytest

from harness.stats import alpha_spending, compare_versions, confirm


def versions(rng, worse: float, scenarios: int = 60) -> tuple[np.ndarray, np.ndarray]:
    base = rng.normal(0.5, 0.1, (scenarios, 1)) + rng.normal(0, 0.02, (scenarios, 4))
    old, new = base + rng.normal(0, 0.01, base.shape), base + rng.normal(0, 0.01, base.shape)
    new[:, 2] += worse
    return old, new


def test_all_releases_together_spend_alpha() -> None:
    assert alpha_spending(1) == pytest.approx(0.05 * 6 / np.pi**2)
    assert alpha_spending(2) == pytest.approx(alpha_spending(1) / 4)
    assert sum(alpha_spending(t) for t in range(1, 5000)) == pytest.approx(0.05, abs=1e-4)
    with pytest.raises(ValueError, match="counted from 1"):
        alpha_spending(0)


def test_a_loss_is_confirmed(rng) -> None:
    first = compare_versions(*versions(rng, 0.1), d=0.02, margin=0.03)
    again = confirm(first, *versions(rng, 0.1), margin=0.03)
    assert again.verdict == "fail"
    assert again.suspects[2]
    assert again.confirmed[2]
    assert not (again.confirmed & ~again.suspects).any()


def test_a_loss_that_does_not_return_is_not(rng) -> None:
    first = compare_versions(*versions(rng, 0.1), d=0.02, margin=0.03)
    assert confirm(first, *versions(rng, 0.0), margin=0.03).verdict == "not confirmed"
    # The other way round is not the same finding.
    assert confirm(first, *versions(rng, -0.1), margin=0.03).confirmed.tolist() == [False] * 4


def test_without_a_baseline(rng) -> None:
    _, new = versions(rng, 0.1)
    first = compare_versions(None, new, d=0.02, margin=0.03)
    assert confirm(first, None, versions(rng, 0.1)[1], margin=0.03).verdict == "fail"


def test_too_few_fresh_scenarios_decide_nothing(rng) -> None:
    first = compare_versions(*versions(rng, 0.1), d=0.02, margin=0.03)
    again = confirm(first, *versions(rng, 0.1, 4), margin=0.03)
    assert again.verdict == "inconclusive"
    assert "at least 6" in again.reason[2]


def test_bad_input(rng) -> None:
    fine = compare_versions(*versions(rng, 0.0), d=0.05, margin=0.1)
    with pytest.raises(ValueError, match="only a failed"):
        confirm(fine, *versions(rng, 0.0), margin=0.03)
    first = compare_versions(*versions(rng, 0.1), d=0.02, margin=0.03)
    old, new = versions(rng, 0.1)
    with pytest.raises(ValueError, match="first has 4 groups"):
        confirm(first, old[:, :3], new[:, :3], margin=0.03)
