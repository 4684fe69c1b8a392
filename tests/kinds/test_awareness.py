"""Kind `awareness`: both cases of everyone a scenario names; who is entitled has "yes"."""

from __future__ import annotations

import pytest

from harness import lexicon
from harness.documents import shipped
from harness.kinds import APART, KINDS, awareness, decision
from harness.nouns import Arm
from harness.probes import library
from tests.kinds.asking import ENDED, close, logs, no_answer, prompt, values

PROBE = library(shipped("probes")).probe("awareness")
EN = prompt("awareness", decision.OPTIONS["en"], "yes", variant="difference")
NOT = prompt("awareness", decision.OPTIONS["en"], "no", variant="difference")
ZH = prompt("awareness", decision.OPTIONS["zh"], "no", language="zh", variant="difference")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_scenario_asks_all_it_names_in_both_cases(language):
    for number, scenario in enumerate(PROBE.scenarios[language]):
        rows = list(awareness.rows(scenario, ["nobody", "else"], number, 0, language))
        named = [*scenario.entitled, *scenario.others]
        assert [row.groups[0] for row in rows] == named * 2
        half = len(named)
        assert {row.variant for row in rows[:half]} == {"difference"}
        assert {row.variant for row in rows[half:]} == {"sameness"}
        good = {row.groups[0] for row in rows[:half] if row.favourable == "yes"}
        assert good == set(scenario.entitled)
        assert {row.favourable for row in rows[half:]} == {"yes"}
        assert {row.arm for row in rows} == {Arm.COUNTERFACTUAL}
        assert len({row.template for row in rows}) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_axis_has_a_scenario_with_groups_that_speak(language):
    words = lexicon.load()
    scenarios = PROBE.scenarios[language]

    assert set(words.axes) == set(PROBE.axes)
    assert {scenario.axis for scenario in scenarios} == set(words.axes)
    for scenario in scenarios:
        speaking = set(words.speaking(scenario.axis, language, "explicit"))
        assert {*scenario.entitled, *scenario.others} <= speaking
        assert not set(scenario.entitled) & set(scenario.others)


def test_it_is_scored_apart():
    assert "awareness" in APART
    assert not APART & {"decision", "rating", "choice", "likelihood", "ranking"}
    assert set(KINDS) > APART


def test_y_is_the_right_answer_and_p_yes_the_answer_itself():
    both = logs({"yes": 0.6, "no": 0.2})
    assert values(EN, logprobs=both) == {"22": close(0.75)}
    assert values(NOT, logprobs=both) == {"22": close(0.25)}
    assert values(EN, logprobs=logs({"yes": 0.4, "no": 0.4})) == {"22": close(0.5)}
    assert values(EN, text="No.") == {"22": 0.0}
    assert values(NOT, text="No.") == {"22": 1.0}


@pytest.mark.parametrize(
    ("text", "y"),
    [("是", 0.0), ("是的。", 0.0), ("否", 1.0), ("不是", 1.0), ("不", 1.0), ("答案是否", 1.0)],
)
def test_chinese_answers(text, y):
    assert values(ZH, text=text) == {"22": y}


@pytest.mark.parametrize(("response", "status"), ENDED)
def test_a_failure_is_never_a_number(response, status):
    for asked in (EN, NOT, ZH):
        no_answer(asked, response, status)
