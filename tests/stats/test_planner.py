from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats import (
    contrast_sd,
    contrasts,
    decidable,
    detectable,
    plan,
    still_needed,
    upper_sd,
)


@pytest.mark.parametrize(
    ("sd", "margin", "difference", "equivalence"),
    [(0.08, 0.02, 128, 139), (0.08, 0.05, 23, 24), (0.15, 0.02, 444, 484), (0.15, 0.05, 73, 79),
     (0.30, 0.02, 1768, 1929), (0.30, 0.05, 285, 310)],
)  # fmt: skip
def test_the_table_of_the_specification(sd, margin, difference, equivalence) -> None:
    found = plan(margin, sd, 2)
    assert (found.difference, found.equivalence) == (difference, equivalence)


def test_more_groups_need_more() -> None:
    two, many = plan(0.03, 0.08, 2), plan(0.03, 0.08, 56)
    assert many.difference > two.difference
    assert many.equivalence == two.equivalence
    assert many.all_equivalent > two.all_equivalent > two.equivalence
    # By the formula: alpha / 56 two-sided, power .8.
    df = many.difference - 1
    total = stats.t.isf(0.05 / 112, df) + stats.t.isf(0.2, df)
    assert (total * 0.08 / 0.03) ** 2 <= many.difference


def test_planned_designs_detect_what_they_were_planned_for() -> None:
    for groups in (2, 8, 56):
        found = plan(0.03, 0.08, groups, 0.9, alpha=0.01)
        n = found.difference
        assert detectable(0.08, n, groups, alpha=0.01, power=0.9) <= 0.03
        assert detectable(0.08, n - 1, groups, alpha=0.01, power=0.9) > 0.03


def test_six_is_the_least() -> None:
    assert detectable(0.08, 6, 2) > detectable(0.08, 7, 2)
    assert plan(10.0, 0.01, 2).difference == 6


def test_still_needed() -> None:
    # sd .08 at 30 scenarios, estimate 0: equivalence needs what plan says.
    error = 0.08 / np.sqrt(30)
    assert (
        still_needed(0.0, error, 30, margin=0.03, groups=2) == plan(0.03, 0.08, 2).equivalence - 30
    )
    # An estimate beyond the margin can only become a disparity.
    needed = still_needed(0.04, error, 30, margin=0.03, groups=2)
    assert needed == plan(0.04, 0.08, 2).difference - 30
    assert still_needed(-0.04, error, 30, margin=0.03, groups=2) == needed
    assert still_needed(0.0, 0.08 / np.sqrt(3000), 3000, margin=0.03, groups=2) == 0


def test_a_disparity_that_must_exceed_a_bound_needs_more_and_a_smaller_one_never_decides() -> None:
    error = 0.08 / np.sqrt(30)
    near = still_needed(0.02, error, 30, margin=0.03, groups=8)
    assert near == plan(0.02, 0.08, 8).difference - 30  # not 0: the smaller of the two counts
    assert still_needed(0.02, error, 30, margin=0.03, groups=8, beyond=0.03) == (
        plan(0.01, 0.08, 8).equivalence - 30
    )
    assert still_needed(0.05, error, 30, margin=0.03, groups=8, beyond=0.03) == (
        plan(0.02, 0.08, 8).difference - 30
    )
    assert still_needed(0.03, error, 30, margin=0.03, groups=8, beyond=0.03) is None


@pytest.mark.parametrize(
    ("estimate", "error", "n"), [(np.nan, 0.1, 9), (0.0, np.nan, 9), (0.0, 0.0, 9), (0.1, 0.1, 1)]
)
def test_still_needed_is_not_known(estimate, error, n) -> None:
    assert still_needed(estimate, error, n, margin=0.03, groups=3) is None


def test_parts_of_the_spread(rng) -> None:
    sd = contrast_sd(4, scenario=0.05, name=0.04, noise=0.1, names=4, samples=5)
    cell = np.sqrt(0.05**2 + 0.04**2 / 4 + 0.1**2 / 20)
    y = rng.normal(0, cell, (20000, 4))
    assert contrasts(y)[:, 0].std() == pytest.approx(sd, rel=0.02)


def test_upper_sd_covers(rng) -> None:
    pilots = rng.normal(0, 0.08, (4000, 10)).std(axis=1, ddof=1)
    assert np.mean([upper_sd(s, 10) >= 0.08 for s in pilots]) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plan(0, 0.1, 2), "margin"),
        (lambda: plan(0.1, 0, 2), "sd"),
        (lambda: plan(0.1, 0.1, 1), "groups"),
        (lambda: plan(1e-5, 0.1, 2), "more than 10,000,000 scenarios"),
        (lambda: plan(1e-300, 0.1, 2), "more than 10,000,000 scenarios"),
        (lambda: plan(0.1, 0.1, 2, 1.0), "power"),
        (lambda: plan(0.1, 0.1, 2, alpha=0), "alpha"),
        (lambda: detectable(0.1, 5, 2), "scenarios"),
        (lambda: detectable(-0.1, 50, 2), "sd"),
        (lambda: still_needed(0.1, 0.1, 9, margin=0, groups=2), "margin"),
        (lambda: upper_sd(0.1, 1), "pilot"),
        (lambda: upper_sd(0.1, 9, level=1), "level"),
        (lambda: contrast_sd(1, scenario=0.1), "groups"),
        (lambda: contrast_sd(2, scenario=-0.1), "negative"),
    ],
)
def test_bad_input(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_the_decidable_margin_is_what_the_planner_turned_round():
    for sd, scenarios, groups in ((0.02, 36, 4), (0.3, 60, 8)):
        margin = decidable(sd, scenarios, groups)
        assert plan(margin * 1.001, sd, groups).all_equivalent <= scenarios
        assert plan(margin * 0.98, sd, groups).all_equivalent > scenarios
    with pytest.raises(ValueError, match="at least 6 scenarios"):
        decidable(0.02, 5, 4)
