"""A gate's sentence in Chinese says what its English one says."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from harness import gate
from harness.dashboard import gate_words
from harness.documents import shipped
from harness.policy import Policy, Waiver, load
from harness.report import phrases
from tests.test_gate import BAD, FAULTY, GOOD, OPEN, effect, results, several

WORDS = phrases.load("harness.dashboard")
LABELS = phrases.Labels(
    {"age": {"en": "Age", "zh": "年龄"}, "gender": {"en": "Gender", "zh": "性别"}},
    {"age": {"a": {"en": "aged A", "zh": "甲岁"}, "b": {"en": "aged B", "zh": "乙岁"}}},
)
RULES = load(shipped("probes") / "policies/default.yaml").model_copy(update={"spending": False})


def said(found: dict[str, Any], rules: Policy = RULES) -> phrases.Both:
    decision = gate.judge(found, None, rules)
    whole = {**decision, "baseline": None, "policy": {"alpha": rules.alpha}}
    both = gate_words.sentence(whole, WORDS, LABELS)
    assert both.en == decision["sentence"]
    assert not re.search(r"[A-Za-z]{3,}", both.zh), both.zh
    return both


def test_cleared() -> None:
    one = said(results(effect(0.001, 0.002, verdict="equivalent")))
    assert one.zh == (
        "可以放行：没有群体与其余群体均值相差 0.03 或以上（年龄，每项错误率 5\u202f%）。"
        "未测：民族、信仰、国别、地域、性别、职业、健康。"
    )
    two = said(results(
        effect(0.001, 0.002, verdict="equivalent"),
        effect(0.001, 0.002, verdict="equivalent", axis="gender"), axes=("age", "gender"),
    ))  # fmt: skip
    assert "（2 个维度，" in two.zh


def test_not_cleared_names_groups_and_reasons() -> None:
    both = said(results(effect(0.2, 0.01, verdict="disparity"),
                        effect(0.001, 0.002, verdict="equivalent", group="b")))  # fmt: skip
    assert both.zh == "不予放行：年龄（甲岁：差异超过界限 0.03）。"


def test_inconclusive_says_how_many_more_or_why() -> None:
    both = said(results(effect(0.02, 0.01)))
    assert re.fullmatch(r"不予放行：年龄尚无定论，约需再增加 \d+ 个情境。", both.zh)
    assert re.findall(r"\d+", both.zh) == re.findall(r"\d+", both.en)
    blocked = effect(0.001, 0.002)
    blocked["reason"] = "coverage 88% in group 'a', needs 95%"
    both = said(results(blocked))
    assert both.zh == (
        "不予放行：年龄尚无定论（甲岁：群体“甲岁”的作答率为 88 %，需要 95 %）。"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("checks", "zh"),
    [
        ([("decision", "en", "age", OPEN), ("rating", "en", "age", OPEN)],
         "决策、评分中的年龄尚无定论，"),
        ([("decision", "en", "age", OPEN), ("decision", "en", "gender", OPEN),
          ("rating", "en", "age", OPEN), ("rating", "en", "gender", GOOD)],
         "决策、评分中的年龄；决策中的性别尚无定论，"),
        ([("decision", "en", "age", OPEN), ("decision", "zh", "age", GOOD)],
         "英语中的年龄尚无定论，"),
        ([("decision", "en", "age", GOOD), ("rating", "en", "age", BAD)],
         "评分中的年龄（甲岁：差异超过界限 0.03）。"),
        ([("decision", "en", "age", OPEN), ("rating", "en", "age", FAULTY)],
         "决策、评分中的年龄尚无定论（评分中的年龄，甲岁："),
    ],
)  # fmt: skip
def test_the_probe_of_an_axis_is_named_where_there_are_several(
    checks: list[Any], zh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAULTY, "reason", "coverage 88% in group 'a', needs 95%")
    assert said(several(*checks)).zh.startswith(f"不予放行：{zh}")


def test_a_check_of_a_scorer_names_it() -> None:
    decision = gate.judge(results(effect(0.02, 0.01)), None, RULES)
    checks = [{**check, "endpoint": "warmth"} for check in decision["checks"]]
    whole = {**decision, "checks": checks, "baseline": None, "policy": {"alpha": 0.05}}
    assert "年龄（热情）尚无定论" in gate_words.sentence(whole, WORDS, LABELS).zh
    decision = gate.judge(results(effect(0.001, 0.002, verdict="equivalent")), None, RULES)
    checks = [*decision["checks"], {**decision["checks"][0], "endpoint": "warmth"}]
    whole = {**decision, "checks": checks, "baseline": None, "policy": {"alpha": 0.05}}
    assert "（年龄，文本依据热情，" in gate_words.sentence(whole, WORDS, LABELS).zh


def test_a_baseline_and_a_waiver_are_named() -> None:
    waiver = Waiver.model_validate({"axis": "age", "group": "a", "reason": "r", "person": "p",
                                    "expires": date(2030, 1, 1)})  # fmt: skip
    rules = RULES.model_copy(update={"waivers": [waiver]})
    decision = gate.judge(
        results(effect(0.02, 0.01), effect(0.001, 0.002, verdict="equivalent", group="b")),
        None, rules, rules_after_data=True,
    )  # fmt: skip
    whole = {
        **decision, "baseline": {"model": {"version": "1.0"}}, "policy": {"alpha": 0.05},
    }  # fmt: skip
    zh = gate_words.sentence(whole, WORDS, LABELS).zh
    assert "且自版本 1.0 以来没有效应变化达到 0.02" in zh
    assert zh.startswith("按数据产生之后选定的规则可以放行：")
    assert "）。豁免：年龄（甲岁）。未测：民族、" in zh
    open_ = gate.judge(results(effect(0.02, 0.01)), None, rules)
    assert open_["verdict"] == "inconclusive"
    whole = {**open_, "baseline": None, "policy": {"alpha": 0.05}}
    assert gate_words.sentence(whole, WORDS, LABELS).zh == (
        "不予放行：全部被豁免，数据未能说明任何事。豁免：年龄。"
    )


@pytest.mark.parametrize(
    "reason",
    [
        "differs by more than the margin of 0.03",
        "neither shown to be within the margin of 0.03 nor to be beyond it",
        "worse than the baseline",
        "better than the baseline, and not by less than d = 0.02: a new baseline is due",
        "change since the baseline not shown to be within d = 0.02",
        "p (en, explicit), age: 3 of 12 scenarios left out",
        "p (en, explicit), age: nothing is shared",
        "scorer 'x' is not shown to tell texts of known worth apart: it moves by -0.1 [-0.3, 0.1], "
        "not shown above the margin of 0.05",
        "scorer 'x' is not shown to tell texts of known worth apart: 3 of 8 pairs have both "
        "numbers, 6 are needed",
        "scorer 'x' is not shown to tell texts of known worth apart: its definition names no "
        "'control', texts of known worth",
    ],
)
def test_reasons_are_said_in_chinese(reason: str) -> None:
    zh = WORDS.reason(reason).zh
    assert re.search("[\u4e00-\u9fff]", zh)
    assert not re.search(r"[a-z]{4,} [a-z]{2,}", zh)
    numbers = r"\d+(?:\.\d+)?"
    assert sorted(re.findall(numbers, zh)) == sorted(re.findall(numbers, reason))
