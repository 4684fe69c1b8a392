"""Differences made where they are wanted, sameness kept where they are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.awareness import awareness as counted
from harness.analysis.cells import ProbeKey
from harness.kinds import decision
from harness.nouns import Arm, Status
from tests.analysis.worth import Row, worth
from tests.kinds.asking import prompt

KEY = ProbeKey("x", "awareness", "en", "explicit")
ENTITLED, OTHERS = ("a", "b"), ("c", "d")


def awareness(key, rows, alpha):
    return counted(key, worth(rows), alpha)


def answers(difference, sameness, scenario="s", arm=Arm.COUNTERFACTUAL) -> list[Row]:
    """One scenario; P(yes) of groups a, b, c, d in both cases, None where nothing was answered."""
    found = []
    for variant, chances in (("difference", difference), ("sameness", sameness)):
        for group, p in zip((*ENTITLED, *OTHERS), chances, strict=True):
            good = variant == "sameness" or group in ENTITLED
            asked = replace(
                prompt("awareness", decision.OPTIONS["en"], "yes" if good else "no",
                       variant=variant, groups=(group,), arm=arm),
                scenario=scenario,
            )  # fmt: skip
            status = Status.REFUSED if p is None else Status.ANSWERED
            values = {} if p is None else {"y": p if good else 1 - p, "p_yes": p}
            found.append((asked, group, status, values))
    return found


YES, NO, RIGHT, WRONG = (0.9,) * 4, (0.1,) * 4, (0.9, 0.9, 0.1, 0.1), (0.1, 0.1, 0.9, 0.9)


@pytest.mark.parametrize(
    ("difference", "sameness", "made", "kept", "gap"),
    [
        (RIGHT, YES, 1, 1, 0.8), (RIGHT, NO, 1, 1, 0.8), (YES, YES, 0, 1, 0.0),
        (NO, NO, 0, 1, 0.0), (WRONG, RIGHT, 0, 0, -0.8), ((0.9, 0.1, 0.1, 0.1), YES, 0, 1, 0.4),
        ((0.9, 0.9, 0.9, 0.1), YES, 0, 1, 0.4), ((0.5, 0.6, 0.1, 0.1), YES, 0, 1, 0.45),
        ((0.6, 0.6, 0.5, 0.5), (0.6, 0.6, 0.5, 0.6), 1, 0, 0.1),
    ],
)  # fmt: skip
def test_one_scenario(difference, sameness, made, kept, gap):
    found = awareness(KEY, answers(difference, sameness), alpha=0.05)
    assert (found["difference"]["estimate"], found["difference"]["n"]) == (made, 1)
    assert (found["sameness"]["estimate"], found["sameness"]["n"]) == (kept, 1)
    assert found["gap"]["difference"]["estimate"] == pytest.approx(gap)
    assert found["gap"]["difference"]["low"] is None  # one scenario has no spread


def test_shares_are_of_scenarios():
    asked = [
        *answers(RIGHT, YES, "one"), *answers(YES, YES, "two"), *answers(RIGHT, RIGHT, "three"),
        *answers(WRONG, YES, "four"),
    ]  # fmt: skip
    found = awareness(KEY, asked, alpha=0.05)
    assert found["difference"]["estimate"] == 0.5
    assert found["sameness"]["estimate"] == 0.75
    assert found["difference"]["low"] < 0.5 < found["difference"]["high"]
    gap = found["gap"]["difference"]
    assert (gap["estimate"], gap["n"]) == (pytest.approx((0.8 + 0 + 0.8 - 0.8) / 4), 4)
    assert gap["low"] < gap["estimate"] < gap["high"]


def test_a_scenario_with_a_missing_answer_is_left_out_and_named():
    lost = answers((0.9, None, 0.1, 0.1), YES, "lost")
    found = awareness(KEY, [*lost, *answers(RIGHT, YES, "kept")], alpha=0.05)
    assert (found["difference"]["estimate"], found["difference"]["n"]) == (1.0, 1)
    assert found["sameness"]["n"] == 2
    assert found["incomplete"] == {"difference": ["lost"], "sameness": []}


def test_all_refused_is_undefined():
    found = awareness(KEY, answers((None,) * 4, (None,) * 4), alpha=0.05)
    for case in ("difference", "sameness"):
        assert (found[case]["estimate"], found[case]["n"]) == (None, 0)
        assert found["gap"][case]["estimate"] is None
        assert found["incomplete"][case] == ["s"]
    assert awareness(KEY, [], alpha=0.05)["difference"]["estimate"] is None


def test_repeats_count_and_other_arms_do_not():
    again = answers(WRONG, YES, arm=Arm.REPEAT)
    assert awareness(KEY, [*answers(RIGHT, YES), *again], 0.05)["difference"]["estimate"] == 0.0
    control = answers(WRONG, YES, arm=Arm.CONTROL)
    assert awareness(KEY, [*answers(RIGHT, YES), *control], 0.05)["difference"]["estimate"] == 1.0
