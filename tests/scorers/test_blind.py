"""Identity-blind texts, and the audit that shows what a scorer's own bias is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness import lexicon
from harness.documents import shipped
from harness.errors import InputError
from harness.nouns import Arm, Message, Prompt
from harness.scorers import SCORERS, audit
from harness.scorers.audit import _bias, filled, unbiased
from harness.scorers.blind import Blinder
from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import load, tokens

PROMPT = Prompt(
    id="p", block=0, probe="x", probe_version=1, kind="generation", scenario="s", variant="",
    language="en", axis="gender", group="woman", cue="implicit", role="subject",
    arm=Arm.COUNTERFACTUAL, sample=0, domain="work", favourable="answered", cue_position="late",
    relevance="irrelevant", messages=(Message("user", "Write."),), options=(),
    cue_words=("Latoya Washington",),
)  # fmt: skip


@pytest.fixture(scope="module")
def words():
    return lexicon.load(shipped("probes") / "lexicon")


@pytest.fixture(scope="module")
def blinder(words):
    return Blinder(words)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_audit_texts_of_all_groups_of_an_axis_become_one_text(words, blinder, language):
    for axis in words.axes:
        for text in load("audit")[language]:
            blind = {
                blinder.replace(filled(text, words, axis, group, language), axis, language)
                for group in words.speaking(axis, language, "explicit")
            }
            assert len(blind) == 1, (axis, sorted(blind)[:2])


@pytest.mark.parametrize(
    ("axis", "language", "text", "blind"),
    [
        ("ethnicity", "en", "The Black applicant spoke.", "The person applicant spoke."),
        ("ethnicity", "en", "African Americans like it.", "Person like it."),
        ("gender", "en", "She kept her promise, sir.", "They kept their promise, sir."),
        ("gender", "en", "He kept his promise, sir.", "They kept their promise, sir."),
        ("belief", "en", "A nurse, a Muslim, prays.", "A nurse, a person, prays."),
        ("occupation", "en", "A nurse, a Muslim, prays.", "A person, a Muslim, prays."),
        ("health", "en", "The deafening noise stopped.", "The deafening noise stopped."),
        ("gender", "zh", "她是一位女性，工作认真。", "TA是一位人士，工作认真。"),
        ("gender", "zh", "他是一位男性，工作认真。", "TA是一位人士，工作认真。"),
        ("health", "zh", "这位乙肝病人很有耐心。", "这位人士很有耐心。"),
    ],
)
def test_words_of_the_axis_become_neutral(blinder, axis, language, text, blind):
    assert blinder.replace(text, axis, language) == blind


def test_names_are_taken_out_with_their_parts(blinder):
    text = "Latoya Washington was late. Latoya's desk was empty; Ms. Washington called."
    found = blinder.blind(text, PROMPT)
    assert not re.search("latoya|washington", found, re.IGNORECASE)
    assert found.startswith("the person was late. the person's desk")
    called = replace(PROMPT, cue_words=("is called Latoya Washington",))
    assert "Latoya" not in blinder.blind(text, called)
    chinese = replace(PROMPT, language="zh", cue_words=("王秀英",))
    assert (
        blinder.blind("王秀英很认真，秀英从不迟到。", chinese) == "该人士很认真，该人士从不迟到。"
    )


def test_an_explicit_cue_leaves_other_words_alone(blinder):
    explicit = replace(PROMPT, cue="explicit", cue_words=("a woman",))
    assert blinder.blind("A woman met a nurse.", explicit) == "A person met a nurse."


def test_a_scorer_that_hears_the_group_is_found_out_and_blindness_cures_it(words, monkeypatch):
    biased = Scorer(
        1, "x", (0.0, 1.0), 1.0, lambda text, language: float("deaf" in text.lower()) * 0.4,
        frozenset({"en"}),
    )  # fmt: skip
    monkeypatch.setitem(SCORERS, "biased", biased)
    rows = audit.audit("biased", words, share=0.05, axes=["health"])
    deaf = {row["scorer"]: row for row in rows if row.get("group") == "deaf"}
    assert deaf["biased"]["estimate"] == 0.0
    assert deaf["biased"]["small"] is True
    assert deaf["biased_raw"]["estimate"] == pytest.approx(0.4)
    assert deaf["biased_raw"]["small"] is False
    assert unbiased(rows)


def test_a_scorer_that_blindness_does_not_cure_cannot_gate(words, monkeypatch):
    monkeypatch.setattr(Blinder, "replace", lambda self, text, axis, language: text)
    sees = Scorer(
        1, "x", (0.0, 1.0), 1.0, lambda text, language: float("pregnant" in text),
        frozenset({"en"}),
    )  # fmt: skip
    monkeypatch.setitem(SCORERS, "sees", sees)
    rows = audit.audit("sees", words, share=0.05, axes=["gender"])
    assert not unbiased(rows)
    blind = {row["group"]: row for row in audit.blind(rows)}
    assert blind["pregnant-woman"]["estimate"] > 0.5


def test_one_text_is_measured_once_so_that_noise_is_no_bias(words, monkeypatch):
    heard = iter(range(10**6))
    noisy = Scorer(
        1, "x", (0.0, 1.0), 1.0, lambda text, language: (next(heard) * 0.618) % 1,
        frozenset({"en"}),
    )  # fmt: skip
    monkeypatch.setitem(SCORERS, "noisy", noisy)
    rows = audit.audit("noisy", words, share=0.05, axes=["gender"])
    assert unbiased(rows)  # blind texts are the same for every group
    assert not all(row["small"] for row in rows)


def test_a_scorer_without_its_library_cannot_gate(words, monkeypatch):
    absent = Scorer(1, "x", (0.0, 1.0), 1.0, lambda t, lang: 0.5, needs=lambda lang: "needs a")
    monkeypatch.setitem(SCORERS, "absent", absent)
    rows = audit.audit("absent", words, share=0.05)
    assert {row["missing"] for row in rows} == {"needs a"}
    assert not unbiased(rows)


def test_unknown_scorers_and_axes_are_named(words):
    with pytest.raises(InputError, match=r"sentimant.*did you mean"):
        audit.audit("sentimant", words, share=0.05)
    with pytest.raises(InputError, match="aeg"):
        audit.audit("length", words, share=0.05, axes=["aeg"])


@pytest.mark.parametrize(("known", "small"), [(5, False), (6, True)])
def test_no_bias_is_claimed_of_a_few_texts(known, small):
    """A judge that answers of nothing else is not shown to be without one."""
    values = [[0.5, 0.5] if i < known else ["unparsed", "unparsed"] for i in range(12)]
    rows = _bias(values, SCORERS["warmth"], 0.05)
    assert [row["small"] for row in rows] == [small, small]
    assert (rows[0]["tost_low"] is None) is not small
    assert bool(rows[0]["reason"]) is not small


@pytest.mark.parametrize(
    "text",
    [
        "她是一位非常优秀的同事",
        "他们说她很好，给他他就做，其他人也喜欢她。大家都愿意和她一起工作，他！",
        "她用 Python 写代码，3他，OK",
        "她",
    ],
)
def test_pronouns_made_neutral_leave_every_count_of_chinese_characters(blinder, text):
    blind = blinder.replace(text, "gender", "zh")
    assert "TA" in blind and not re.search("[她他]", blind)
    for name in ("drift", "length", "clauses"):
        measure = SCORERS[name].measure
        assert measure(blind, "zh") == measure(text, "zh"), name
    assert len(tokens(blind, "zh")) == len(tokens(text, "zh"))


def test_ta_within_latin_words_is_no_chinese_character():
    assert tokens("DATA TABLE STA", "zh") == []
    assert SCORERS["drift"].measure("DATA TABLE", "zh") == 1.0
