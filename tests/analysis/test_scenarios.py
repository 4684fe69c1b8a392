"""When a number of further scenarios is promised: one rule of runs, comparisons, gate and plan."""

from __future__ import annotations

import pytest

from harness import planning, stats
from harness.analysis.scenarios import needed
from tests.test_gate import effect

OPEN, INSIDE = effect(0.0, 0.02), effect(0.0, 0.001)


def test_the_number_is_that_of_the_group_that_needs_most():
    less = effect(0.0, 0.0185)
    alone = needed([OPEN], 0.03, groups=4)
    assert alone == stats.still_needed(0.0, 0.02, 37, margin=0.03, groups=4)
    assert needed([less, OPEN], 0.03, groups=4) == alone > needed([less], 0.03, groups=4)
    assert needed([], 0.03, groups=4) is None


def test_intervals_hold_over_all_groups_of_the_axis_not_only_over_the_open_ones():
    shifted = effect(0.05, 0.03)
    assert needed([shifted], 0.03, groups=56) > needed([shifted], 0.03, groups=2)


@pytest.mark.parametrize(
    "row",
    [
        INSIDE,  # a fault or missing answers keep it open
        {**OPEN, "df": 7.4},  # names return
        {**OPEN, "df": 35.8},  # they do for some groups only: a little of the variance is theirs
        {**OPEN, "df": 36.4},  # Satterthwaite's df may be more than n - 1 too
        {**OPEN, "df": None},  # bounds by counting, no spread to go by
        {**OPEN, "low": None, "high": None},
    ],
)
def test_no_number_is_promised_where_scenarios_alone_decide_nothing(row):
    assert needed([row], 0.03, groups=4) is None
    assert needed([OPEN, row], 0.03, groups=4) is None


def test_a_fault_of_the_probe_stays_however_many_scenarios_are_asked():
    assert needed([OPEN], 0.03, groups=4, faults=["degenerate: ..."]) is None
    assert planning._still_needed([OPEN], {"groups": 4}, 0.03, ["degenerate: ..."]) is None


@pytest.mark.parametrize("row", [{**OPEN, "df": 7.4}, {**OPEN, "df": None},
                                 {**OPEN, "low": None, "high": None}])  # fmt: skip
def test_a_plan_at_another_margin_promises_no_more(row):
    axis = {"groups": 4}
    assert planning._still_needed([OPEN], axis, 0.03) == needed([OPEN], 0.03, groups=4)
    assert planning._still_needed([OPEN, row], axis, 0.03) is None
    assert planning._still_needed([INSIDE], axis, 0.03) == 0
