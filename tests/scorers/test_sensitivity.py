"""Texts of known worth: who tells them apart, and a user's own."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from harness import lexicon, stats
from harness.errors import InputError
from harness.scorers import SCORERS, audit, foreign, sensitivity
from harness.scorers.blind import Blinder
from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import load

DULL = {("agency", "zh"), ("competence", "zh")}
"""Word lists that are not shown to tell the shipped texts apart: docs/texts.md says so."""


def asked(language: str = "en", n: int = 8) -> sensitivity.Control:
    """A control of n pairs whose texts are named by number."""
    return sensitivity.Control(
        "made-up", {language: [sensitivity.Pair(f"more {i}", f"less {i}", "?") for i in range(n)]}
    )


def scorer(**keys) -> Scorer:
    given = {"version": 1, "unit": "x", "range": (0.0, 1.0), "span": 1.0,
             "measure": lambda text, language: 0.5, "languages": frozenset({"en"})}  # fmt: skip
    return Scorer(**given | keys)


def response(values, n=8, **keys):
    return sensitivity.response(asked(n=n), "en", values, scorer(**keys), 0.05)


def moved(*by: float, less: float = 0.5):
    return {f"less {i}": less for i in range(len(by))} | {
        f"more {i}": less + b for i, b in enumerate(by)
    }


# -- the number --------------------------------------------------------------------------------


def test_a_response_is_the_paired_difference_with_a_t_interval():
    by = [0.1, 0.3, 0.2, 0.4, 0.2, 0.3, 0.1, 0.0]
    row = response(moved(*by))
    assert row["estimate"] == pytest.approx(0.2)
    assert (row["low"], row["high"]) == pytest.approx(stats.mean_interval(np.array(by), alpha=0.1))
    assert row["in_margins"] == pytest.approx(4.0)
    assert (row["pairs"], row["of"], row["endings"], row["reason"]) == (8, 8, {}, None)
    assert row["tells"] is True


@pytest.mark.parametrize(
    ("by", "tells"),
    [
        ([0.06, 0.07, 0.06, 0.07, 0.06, 0.07], True),
        ([0.04, 0.05, 0.04, 0.05, 0.04, 0.05], False),  # far above 0, not above the margin
        ([0.2, 0.0, 0.3, 0.0, 0.0, 0.0], False),  # above it on average, not shown to be
        ([-0.4, -0.3, -0.4, -0.3, -0.4, -0.3], False),  # the wrong way round
    ],
)
def test_it_must_be_shown_to_lie_above_the_margin(by, tells):
    row = response(moved(*by), n=6)
    assert row["tells"] is tells
    assert sensitivity.tells(row, 0.05) is tells


def test_the_margin_is_a_share_of_the_span():
    by = [0.2, 0.3, 0.2, 0.3, 0.2, 0.3]
    assert response(moved(*by), n=6, span=2.0, range=(-1.0, 1.0))["margin"] == pytest.approx(0.1)
    assert response(moved(*by), n=6, span=13.0, range=(1.0, 14.0))["tells"] is False


def test_a_scorer_that_says_the_same_of_every_text_tells_nothing_apart():
    row = response(moved(*[0.0] * 12), n=12)
    assert (row["estimate"], row["low"], row["high"], row["tells"]) == (0.0, 0.0, 0.0, False)


def test_where_all_pairs_move_alike_the_share_that_does_is_bounded():
    row = response(moved(*[0.5] * 12), n=12)
    assert (row["high"], row["tells"]) == (0.5, True)
    assert (row["low"] / 0.5) ** 12 == pytest.approx(0.05)  # such a dozen comes once in twenty
    wrong = response(moved(*[-0.5] * 12), n=12)
    assert (wrong["low"], wrong["tells"]) == (-0.5, False)
    assert wrong["high"] == pytest.approx(-row["low"])
    assert response(moved(*[0.06] * 12), n=12)["tells"] is False  # .047 is not above .05


def test_noise_that_knows_nothing_of_the_text_hardly_ever_passes():
    rng, passed = random.Random(5), 0
    texts = [text for pair in asked().pairs["en"] for text in pair[:2]]
    for _ in range(400):
        passed += response({text: rng.random() for text in texts})["tells"]
    assert passed <= 20  # 5 % at the margin, fewer at 0


def test_texts_without_a_number_are_counted_by_what_became_of_them():
    values = moved(*[0.3, 0.2, 0.3, 0.2, 0.3, 0.2, 0.3, 0.2])
    values |= {"more 0": "refused", "less 0": "unparsed", "less 1": "unparsed"}
    row = response(values)
    assert (row["pairs"], row["of"], row["tells"]) == (6, 8, True)
    assert row["endings"] == {"refused": 1, "unparsed": 2}
    row = response(values | {"more 2": None})
    assert (row["pairs"], row["tells"], row["estimate"], row["low"]) == (5, False, None, None)
    assert row["endings"] == {"refused": 1, "unparsed": 2, "undefined": 1}
    assert row["reason"] == "5 of 8 pairs have both numbers, 6 are needed"


def test_whole_numbers_are_numbers():
    row = response({text: int(text.startswith("more"))
                    for pair in asked().pairs["en"] for text in pair[:2]})  # fmt: skip
    assert (row["estimate"], row["endings"]) == (1.0, {})


def test_without_texts_in_the_language_nothing_is_measured():
    row = sensitivity.response(asked("en"), "zh", {}, scorer(), 0.05)
    assert (row["tells"], row["reason"]) == (False, "control 'made-up' has no texts in 'zh'")
    row = sensitivity.response(None, "zh", {}, scorer(), 0.05)
    assert (row["tells"], row["estimate"]) == (False, None)
    assert "names no 'control'" in row["reason"]


# -- the audit ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def words():
    return lexicon.load()


@pytest.mark.parametrize("name", SCORERS)
def test_our_scorers_tell_texts_of_known_worth_apart(name, words):
    rows = audit.audit(name, words, share=0.05, axes=["gender"])
    told = {row["language"]: row["tells"] for row in audit.responses(rows)}
    assert set(told) == {language for language in SCORERS[name].languages
                         if SCORERS[name].needs(language) is None}  # fmt: skip
    for language, tells in told.items():
        assert tells is ((name, language) not in DULL), language
    assert audit.gates(rows) is all(told.values())


@pytest.mark.parametrize("name", ["warmth", "status"])
def test_a_blunt_scorer_is_unbiased_and_cannot_gate(words, monkeypatch, name):
    monkeypatch.setitem(SCORERS, name, scorer())
    rows = audit.audit(name, words, share=0.05, axes=["gender"])
    assert audit.unbiased(rows) and not audit.gates(rows)
    monkeypatch.setitem(SCORERS, name, scorer(
        measure=lambda text, language: random.Random(text).random()))  # fmt: skip
    rows = audit.audit(name, words, share=0.05, axes=["gender"])
    assert audit.unbiased(rows) and not audit.gates(rows)


def test_a_scorer_with_its_sign_turned_cannot_gate(words, monkeypatch):
    right = SCORERS["warmth"].measure
    monkeypatch.setitem(SCORERS, "warmth", scorer(
        measure=lambda text, language: 1 - right(text, language)))  # fmt: skip
    assert not audit.gates(audit.audit("warmth", words, share=0.05, axes=["gender"]))


def test_another_scorer_has_a_control_only_where_it_is_given_one(words):
    rows = audit.audit("helpfulness", words, share=0.05, axes=["gender"], scorer=scorer())
    [row] = audit.responses(rows)
    assert row["control"] is None and not row["tells"]
    control = sensitivity.control("length")
    rows = audit.audit("mine", words, share=0.05, axes=["gender"], control=control,
                       scorer=scorer(measure=SCORERS["length"].measure))  # fmt: skip
    [row] = audit.responses(rows)
    assert row["control"] == "length" and row["tells"]


# -- the shipped texts -------------------------------------------------------------------------


def test_every_scorer_has_texts_in_each_of_its_languages():
    for name, each in SCORERS.items():
        assert set(sensitivity.control(name).pairs) == each.languages


@pytest.mark.parametrize("name", sensitivity.names())
def test_shipped_pairs_are_whole_and_call_nobody_woman_or_man(name, words):
    control, blinder = sensitivity.control(name), Blinder(words)
    for language, pairs in control.pairs.items():
        assert len(pairs) >= 8
        texts = [text for pair in pairs for text in pair[:2]]
        assert len(set(texts)) == len(texts)
        assert all(pair.asked for pair in pairs)
        for text in texts:
            own = {"en": "zh", "zh": "en"}[language] if foreign(text, language) else language
            assert own == language or name == "drift"
            assert blinder.replace(text, "gender", own) == text
    assert load("sensitivity")["version"] == 1


# -- a user's file -----------------------------------------------------------------------------

GOOD = "more,less,language\n" + "".join(f'"kind {i}, very",cold {i},en\n' for i in range(6))


def chosen(place: Path, text: str | bytes, languages=("en",)):
    path = place / "mine.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return sensitivity.chosen("mine.csv", place / "judge.yaml", languages, "judge.yaml:3")


def test_a_users_file_lies_beside_the_definition(tmp_path):
    found = chosen(tmp_path, GOOD.encode("utf-8-sig"))
    assert found.name == "mine.csv"
    assert found.pairs["en"][0][:2] == ("kind 0, very", "cold 0")
    assert found.pairs["en"][0].asked == load("audit")["asked"]["en"]
    asking = GOOD.replace("language\n", "language,asked\n").replace("en\n", "en,How?\n")
    assert {pair.asked for pair in chosen(tmp_path, asking).pairs["en"]} == {"How?"}
    assert len(chosen(tmp_path, GOOD).asks("en")) == 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"mine\.csv:1: column 'more' is missing; a control has more, less, language"),
        ("more,less\na,b\n", "column 'language' is missing"),
        ("more,less,language\n", "has no pair of texts"),
        (GOOD.replace("cold 2,en", "cold 2,"), r"mine\.csv:4: no 'language'"),
        (GOOD.replace("cold 2,en", ",en"), r"mine\.csv:4: no 'less'"),
        (GOOD.replace("cold 2,en", "cold 2"), r"mine\.csv:4: no 'language'"),
        (GOOD.replace("cold 2,en", "<b></b>,en"), r"mine\.csv:4: no 'less'"),
        (GOOD.replace("cold 2,en", "cold 2,de"), "language 'de'; the scorer measures en"),
        (GOOD.replace("cold 2,en", "cold 2,zh"), "language 'zh'; the scorer measures en"),
        (GOOD.replace("cold 2,en", "cold, 2,en"), r"mine\.csv:4: more cells than columns"),
        (GOOD.replace("cold 2", '"kind 2, very"'), "are the same text"),
        (GOOD.replace("cold 2", "cold 1"), r"mine\.csv:4: a text stands here for the second time"),
        (GOOD.replace("cold 2", "这是中文的一句话"), "'less' is mostly in another language"),
        (GOOD.replace("cold 2", "cold\u202e 2"), r"'less' holds U\+202E"),
        (GOOD.replace("cold 2", '"cold'), "is no CSV"),
        ("\n".join(GOOD.splitlines()[:6]), "pairs in 'en': 5, at least 6 are needed"),
        (b"more,less,language\n\xff,b,en\n", "is no UTF-8 text"),
    ],
)
def test_a_file_at_fault_is_named_with_its_line(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        chosen(tmp_path, text)


def test_unknown_controls_are_named(tmp_path):
    with pytest.raises(InputError, match=r"judge\.yaml:3: unknown control 'warmht'.*'warmth'"):
        sensitivity.chosen("warmht", tmp_path / "judge.yaml", ["en"], "judge.yaml:3")
    with pytest.raises(InputError, match=r"absent\.csv: there is no such file"):
        sensitivity.chosen("absent.csv", tmp_path / "judge.yaml", ["en"], "judge.yaml:3")
