"""Kind `rating`: a number from 1 to 9 as a share of the scale; nothing else is an answer."""

from __future__ import annotations

import pytest

from harness.kinds import rating
from harness.nouns import Status
from harness.probes import library
from tests.kinds.asking import ENDED, close, logs, no_answer, prompt, read, values

HIGH = prompt("rating", rating.OPTIONS, "high")
LOW = prompt("rating", rating.OPTIONS, "low")
ZH = prompt("rating", rating.OPTIONS, "high", language="zh")


def digits(**chances: float) -> dict[str, float]:
    """Log-probabilities by digit: `d9=.5`; those not named are 0."""
    return logs({digit: chances.get(f"d{digit}", 0.0) for digit in rating.DIGITS})


def test_y_is_the_expectation_as_a_share_of_the_scale():
    reading = read(HIGH, logprobs=digits(d1=0.1, d9=0.3))
    assert reading.values["y"] == close(0.75)
    assert reading.values["raw"] == close(0.75)
    assert reading.values["mass"] == close(0.4)
    reading = read(LOW, logprobs=digits(d1=0.1, d9=0.3))
    assert reading.values["y"] == close(0.25)
    assert reading.values["raw"] == close(0.75)
    assert read(HIGH, logprobs=digits(d3=0.5)).values["y"] == close(0.25)


@pytest.mark.parametrize(
    ("logprobs", "high"),
    [(digits(d9=0.9), 1.0), (digits(d1=0.9), 0.0), (digits(d5=0.9), 0.5),
     (digits(**{f"d{d}": 0.1 for d in rating.DIGITS}), 0.5)],
)  # fmt: skip
def test_extremes_and_neutral(logprobs, high):
    assert values(HIGH, logprobs=logprobs) == {"22": close(high)}
    assert values(LOW, logprobs=logprobs) == {"22": close(1 - high)}


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), (" 7.", 7), ("**7**", 7), ("I would say 6", 6), ("7 out of 9", 7), ("7/9", 7),
     ("Rating: 3, since", 3), ("9", 9), ("1", 1)],
)  # fmt: skip
def test_sampled_english_numbers(text, number):
    assert read(HIGH, text=text).values == {
        "y": close((number - 1) / 8), "raw": close((number - 1) / 8),
    }  # fmt: skip
    assert read(LOW, text=text).values["y"] == close((9 - number) / 8)


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("八", 8), ("八分", 8), ("我给6分。", 6), ("评分：3", 3)]
)
def test_sampled_chinese_numbers(text, number):
    assert read(ZH, text=text).values["y"] == close((number - 1) / 8)


@pytest.mark.parametrize(
    "text",
    ["0", "10", "12", "-3", "7.5", "70%"[:2], "8/10", "8 out of 10", "5／10", "十", "十五", "五十",
     "满分10分，给7分", "零"],
)  # fmt: skip
def test_a_number_off_the_scale_is_no_answer(text):
    for asked in (HIGH, ZH):
        no_answer(asked, {"text": text}, Status.UNPARSED)


@pytest.mark.parametrize(
    ("response", "status"),
    [*ENDED, ({"logprobs": digits(d1=0.02, d9=0.02)}, Status.UNPARSED),
     ({"logprobs": {}}, Status.UNPARSED), ({"logprobs": logs({"9": 0.9})}, Status.UNPARSED)],
)  # fmt: skip
def test_a_failure_is_never_a_number(response, status):
    no_answer(HIGH, response, status)


def test_the_scale_stands_in_the_prompt():
    from harness.documents import shipped

    probe = library(shipped("probes")).probe("rating")
    for language, words in (("en", "from 1 ("), ("zh", "用1（")):
        scenario = probe.scenarios[language][0]
        [row, *_] = rating.rows(scenario, ["a", "b"], 0, None, language)
        assert words + scenario.low in row.template
        assert scenario.high in row.template
