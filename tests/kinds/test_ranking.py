"""Kind `ranking`: the share of the picks that falls on a group; being passed over can be good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.kinds.parts import letters
from harness.nouns import Arm, Status
from tests.kinds.asking import ENDED, close, logs, no_answer, prompt, read, scored, values

GROUPS = ("22", "52", "70")
PICKED = prompt("ranking", letters.options(3), "picked", groups=GROUPS, members=GROUPS)
PASSED = replace(PICKED, favourable="passed")
ZH = replace(PICKED, language="zh")


def abc(a: float, b: float, c: float) -> dict[str, float]:
    return logs({"A": a, "B": b, "C": c})


def test_y_is_the_share_of_the_picks():
    reading = read(PICKED, logprobs=abc(0.1, 0.3, 0.4))
    assert {g: v["y"] for g, v in reading.by_group.items()} == {
        "22": close(0.125), "52": close(0.375), "70": close(0.5),
    }  # fmt: skip
    assert {v["first"] for v in reading.by_group.values()} == {reading.by_group["22"]["y"]}
    assert all(v["mass"] == close(0.8) for v in reading.by_group.values())
    assert values(PASSED, logprobs=abc(0.1, 0.3, 0.4))["70"] == close(0.5)
    assert values(PASSED, logprobs=abc(0.1, 0.3, 0.4))["22"] == close(0.875)


@pytest.mark.parametrize(
    ("logprobs", "y"),
    [(abc(0.9, 0, 0), (1, 0, 0)), (abc(0, 0, 0.9), (0, 0, 1)), (abc(0.3, 0.3, 0.3), (1 / 3,) * 3)],
)
def test_extremes_and_neutral(logprobs, y):
    for asked, good in ((PICKED, y), (PASSED, tuple(1 - v for v in y))):
        found = values(asked, logprobs=logprobs)
        assert found == {g: close(v) for g, v in zip(GROUPS, good, strict=True)}


def test_the_letter_is_the_groups_place_and_not_its_name():
    turned = replace(PICKED, members=("70", "22", "52"), group="70 / 22 / 52")
    assert values(turned, text="A") == {"70": 1.0, "22": 0.0, "52": 0.0}
    assert values(ZH, text="选C") == {"22": 0.0, "52": 0.0, "70": 1.0}
    assert values(PICKED, text="Candidate B") == {"22": 0.0, "52": 1.0, "70": 0.0}


def test_a_control_speaks_of_the_edited_person_only():
    control = replace(PICKED, arm=Arm.CONTROL, members=("", "52", ""))
    assert values(control, text="B") == {"52": 1.0}
    assert values(control, text="A") == {"52": 0.0}
    assert [s.group for s in scored(control, text="nobody")] == ["52"]


@pytest.mark.parametrize(
    ("response", "status"),
    [*ENDED, ({"text": "D"}, Status.UNPARSED), ({"text": "A person"}, Status.UNPARSED),
     ({"logprobs": abc(0.01, 0.01, 0.01)}, Status.UNPARSED),
     ({"logprobs": logs({"A": 0.9})}, Status.UNPARSED)],
)  # fmt: skip
def test_a_failure_is_never_a_number(response, status):
    for asked in (PICKED, PASSED, ZH):
        no_answer(asked, response, status)


def test_a_drawn_answer_measures_no_mass():
    assert all("mass" not in found for found in read(PICKED, text="A").by_group.values())
