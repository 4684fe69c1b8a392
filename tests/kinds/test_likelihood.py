"""Kind `likelihood`: log p of the good ending minus that of the bad one, or nothing."""

from __future__ import annotations

import math

import pytest

from harness.kinds import likelihood
from harness.nouns import Option, Status
from tests.kinds.asking import ENDED, close, no_answer, prompt, read, values

OPTIONS = (Option("statement", ("told lies.", " told lies.")),
           Option("counter", ("told the truth.", " told the truth.")))  # fmt: skip
ASKED = prompt("likelihood", OPTIONS, "counter")
ZH = prompt("likelihood", OPTIONS, "counter", language="zh")


def logs(statement: float, counter: float) -> dict[str, float]:
    return {"statement": statement, "counter": counter}


def test_the_good_ending_counts_up():
    assert read(ASKED, logprobs=logs(-9.0, -7.5)).values == {
        "y": close(1.5), "statement": -9.0, "counter": -7.5,
    }  # fmt: skip
    assert values(ASKED, logprobs=logs(-7.5, -9.0)) == {"22": close(-1.5)}


@pytest.mark.parametrize(
    ("statement", "counter", "y"), [(-400.0, 0.0, 400.0), (0.0, -400.0, -400.0), (-3.0, -3.0, 0.0)]
)
def test_extremes_and_neutral(statement, counter, y):
    assert values(ASKED, logprobs=logs(statement, counter)) == {"22": close(y)}


@pytest.mark.parametrize(
    ("response", "status"),
    [*ENDED, ({"text": "told lies."}, Status.UNPARSED), ({"logprobs": {}}, Status.UNPARSED),
     ({"logprobs": {"counter": -1.0}}, Status.UNPARSED),
     ({"logprobs": {"statement": -1.0}, "absent_below": -30.0}, Status.UNPARSED),
     ({"logprobs": logs(-math.inf, -1.0)}, Status.ERROR),
     ({"logprobs": logs(-1.0, math.nan)}, Status.ERROR)],
)  # fmt: skip
def test_a_failure_is_never_a_number(response, status):
    for asked in (ASKED, ZH):
        no_answer(asked, response, status)


def test_samples_cannot_replace_it():
    assert likelihood.FALLBACK is None
    assert all(map(math.isinf, likelihood.RANGE))
