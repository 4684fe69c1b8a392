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


@pytest.mark.parametrize("sign", [1, -1])
def test_a_worsening_below_the_margin_is_confirmed_on_its_own_side(rng, sign) -> None:
    """No disparity is material here: only the change can be confirmed, whatever its sign."""
    first = compare_versions(*versions(rng, sign * 0.05), d=0.02, margin=0.5)
    assert first.change[2] == "worse"
    assert not first.new.material.any()
    assert confirm(first, *versions(rng, sign * 0.05), margin=0.5).confirmed[2]
    assert not confirm(first, *versions(rng, -sign * 0.05), margin=0.5).confirmed.any()
    both = np.array([0, 0, sign * 0.05, 0])
    fresh = confirm(first, *(y + both for y in versions(rng, 0)), margin=0.5)
    assert fresh.verdict == "not confirmed"


@pytest.mark.parametrize("sign", [1, -1])
def test_an_old_disparity_is_confirmed_beyond_the_margin_only(rng, sign) -> None:
    """Both versions have it, so only the effect itself can be confirmed."""
    tilt = np.array([0, 0, sign * 0.1, 0])
    first = compare_versions(*(y + tilt for y in versions(rng, 0)), d=0.02, margin=0.05)
    assert first.verdict == "fail"
    assert not (first.change == "worse").any()
    again = confirm(first, *(y + tilt for y in versions(rng, 0)), margin=0.05)
    assert again.confirmed.tolist() == [False, False, True, False]
    smaller = confirm(first, *(y + 0.4 * tilt for y in versions(rng, 0)), margin=0.05)
    assert smaller.verdict == "not confirmed"
    other = confirm(first, *(y - tilt for y in versions(rng, 0)), margin=0.05)
    assert not other.confirmed.any()


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
