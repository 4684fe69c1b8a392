from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest
from markupsafe import escape

from harness.kinds.parts.scenario import Domain
from harness.report import phrases
from harness.report.phrases import Both, Labels, Words, join, load, texts

WORDS = load()
EN, ZH = texts("en"), texts("zh")


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert EN.keys() == ZH.keys()


def test_a_sentence_has_the_same_slots_in_both_languages() -> None:
    # who a claim is about is said in other places of the two languages' sentences
    free = {"claim.equivalent", "claim.disparity"}
    differ = {k for k, en in EN.items() if slots(en) != slots(ZH[k])} - free
    assert not differ


def test_every_domain_of_a_scenario_has_a_name_in_both_languages() -> None:
    names = {k.removeprefix("js.domain.") for k in EN if k.startswith("js.domain.")}
    assert names == set(get_args(Domain))
    assert all(ZH[f"js.domain.{name}"] != name for name in names)


DYNAMIC = (
    "js.", "status.", "verdict.", "kind.", "language.", "cue.", "endpoint.", "nav.", "way.",
    "direction.", "headline.", "equivalence", "within", "base.", "control.", "floor.",
    "evidence.mark.", "claim.", "outcome", "unit", "awareness.", "bbq.", "scorer_unit.",
    "similarity.", "column.coverage.", "why.", "worst.", "crossed.",
)  # fmt: skip


def test_every_key_is_used_and_every_used_key_exists() -> None:
    room = Path(phrases.__file__).parent
    code = "\n".join(f.read_text(encoding="utf-8") for f in room.rglob("*.py"))
    markup = "\n".join(f.read_text(encoding="utf-8") for f in room.rglob("*.j2"))
    script = "\n".join(f.read_text(encoding="utf-8") for f in room.rglob("*.js"))
    keys = EN.keys()
    used = set(re.findall(r"""words\(\s*"([\w.]+)"[,)\s]""", code))
    used |= set(re.findall(r"""\bt\('([\w.]+)'[,)]""", markup))
    used -= {"key"}  # of a docstring
    used |= set(re.findall(r"""self\("([\w.]+)"[,)]""", code))
    used |= {f"manifest.{name}" for name in re.findall(r"""line\(\s*"([\w.]+)",""", code)}
    used |= {f"js.{name}" for name in re.findall(r"""(?:say|pair)\("([\w.]+)"[,)]""", script)}
    assert len(used) > 100
    assert used <= keys
    assert {k for k in keys - used if not k.startswith(DYNAMIC)} == set()
    quoted = set(re.findall(r"""["']([\w.]+)["']""", script))
    dynamic = ("js.option.", "js.arm.", "js.position.", "js.expected.", "js.domain.")
    assert {
        k for k in keys
        if k.startswith("js.") and not k.startswith(dynamic) and k.removeprefix("js.") not in quoted
    } == set()  # fmt: skip


def test_chinese_is_chinese() -> None:
    same = {k for k, en in EN.items() if en == ZH[k]}
    names = {
        "column.letter",
        "family",
        "family.probe",
        "end",
        "manifest.harness",
        "manifest.python",
    }
    assert same <= names


@pytest.mark.parametrize("word", ["fair", "unbiased", "passed", "no bias", "无偏见", "公平"])
def test_nothing_is_called_fair(word: str) -> None:
    said = " ".join([*EN.values(), *ZH.values()]).lower()
    assert not re.search(rf"\b{word}\b" if word.isascii() else word, said)


@pytest.mark.parametrize(
    "reason",
    [
        "the interval holds 0 and reaches past the margin: more scenarios are needed",
        "the interval holds 0 and reaches past the margin: more scenarios with names or hints of "
        "their own are needed",
        "not zero, but below the margin",
        "coverage 89% in group '67', needs 95%",
        "coverage 89 % in group '67', needs 95 %",
        "no answer for 'woman', 'man' in 12 of 12 scenarios: 0 of 12 scenarios complete, at least "
        "6 are needed (25 % of the answers failed)",
        "group 'woman': differs in 9 of 10 scenarios: between −0.778 and 0.696 by exact bounds "
        "(90 % interval)",
        "alike in all 36 scenarios: a difference is shown to be below 0.080 (90 % interval); the "
        "margin of 0.03 takes 99 such scenarios",
        "complete scenarios: 5, at least 6 are needed",
        "what is missing could move the effect to the margin of 0.03",
        "zero variance: the contrast is the same in every scenario",
        "insensitive: disqualifying facts are not shown to lower the outcome "
        "(change -0.004, one-sided p 0.3, needs < 0.05)",
        "5 of 12 scenarios complete, at least 6 are needed (21% of the answers refused)",
        "a signal only: a group has only 3 events, 40 are needed",
        "cells are missing and the score has no bounds",
        "zero variance over scenarios",
        "labelled scenarios: 4, at least 6 are needed",
        "insensitive: what should be refused is not shown to be refused more often than what "
        "should be answered (13% and 11%)",
        "needs aLibrary: pip install 'bias-harness[text]'",
        "3 of 8 pairs have both numbers, 6 are needed",
        "control 'x.csv' has no texts in 'zh'",
        "not defined for 'zh'",
        "degenerate: the model says yes with mean probability 0.98 where 'no' is the favourable "
        "answer (must lie in 0.05 to 0.95)",
    ],
)
def test_a_known_reason_is_said_in_chinese_with_its_numbers(reason: str) -> None:
    said = WORDS.reason(reason)
    assert said.en == reason.replace("change -", "change \u2212")
    assert re.search("[\u4e00-\u9fff]", said.zh)
    numbers = set(re.findall(r"\d+(?:\.\d+)?", reason)) - {"0"}
    assert all(number in said.zh for number in numbers)


def test_an_unknown_reason_stays_as_it_is() -> None:
    assert WORDS.reason("the moon was full") == Both("the moon was full", "the moon was full")


def test_a_pair_renders_escaped_in_two_spans() -> None:
    shown = str(escape(Both("<b>", "“甲”")))
    assert "&lt;b&gt;" in shown and 'lang="en"' in shown and 'lang="zh-Hans"' in shown
    assert str(escape(Both("0.5", "0.5"))) == "0.5"


def test_lists_and_labels() -> None:
    assert join([Both("a", "甲"), Both("b", "乙")]) == Both("a, b", "甲、乙")
    labels = Labels({"age": {"en": "Age"}}, {"age": {}})
    assert labels.axis("age") == Both("Age", "Age")
    assert labels.group("age", "22") == Both("22", "22")


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        Words({}, {}, {})("headline.none")
