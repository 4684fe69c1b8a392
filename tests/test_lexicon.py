"""How the lexicon finds words: crossed axes, names in turn, hints, and what it refuses."""

from __future__ import annotations

from collections import Counter

import pytest

from harness import lexicon
from harness.design import MOST_CELLS, _cells, choose_groups, expand
from harness.documents import shipped
from harness.errors import InputError
from harness.nouns import Arm
from harness.probes import library

WORDS = lexicon.load(shipped("probes") / "lexicon")
LIBRARY = library(shipped("probes"))


@pytest.mark.parametrize(
    ("axis", "group", "language", "noun", "is_", "the"),
    [
        ("age+gender", "52+woman", "en", "a 52-year-old woman", "is a 52-year-old woman",
         "the 52-year-old woman"),
        ("age+gender", "18+man", "en", "an 18-year-old man", "is an 18-year-old man",
         "the 18-year-old man"),
        ("ethnicity+gender", "asian+woman", "en", "an Asian woman", "is an Asian woman",
         "the Asian woman"),
        ("health+gender", "epilepsy+man", "en", "a man with epilepsy", "is a man with epilepsy",
         "the man with epilepsy"),
        ("ethnicity+occupation", "hui+courier", "zh", "一位回族快递员", "是一位回族快递员",
         "那位回族快递员"),
        ("age+gender", "52+woman", "zh", "一位52岁的女性", "是一位52岁的女性", "那位52岁的女性"),
    ],
)  # fmt: skip
def test_crossed_forms(axis, group, language, noun, is_, the):
    forms = WORDS.forms(axis, group, language, "explicit", 0)
    assert (forms["noun"], forms["is"], forms["the"]) == (noun, is_, the)


def test_crossed_articles_agree_for_every_pair():
    from harness.lint.wording import wrong_article

    for first, second in (("age", "gender"), ("ethnicity", "occupation"), ("health", "gender")):
        for a in WORDS.axes[first].groups:
            for b in WORDS.axes[second].groups:
                if "modified" in a.explicit.get("en", {}) and "head" in b.explicit.get("en", {}):
                    pair = (f"{first}+{second}", f"{a.id}+{b.id}")
                    forms = WORDS.forms(*pair, "en", "explicit", 0)
                    for text in forms.values():
                        assert wrong_article(text) is None, text
                        assert "{" not in text


def test_a_pair_without_a_head_is_refused():
    with pytest.raises(InputError, match="cannot be put into one phrase"):
        WORDS.forms("gender+age", "woman+52", "en", "explicit", 0)
    with pytest.raises(InputError, match="has no 'en' cue of kind 'explicit'"):
        WORDS.forms("region", "zh-local", "en", "explicit", 0, where="p.yaml:3")


def test_names_are_taken_in_turn_from_every_pool():
    pools = [p for p in WORDS.names["en"] if p.groups.get("ethnicity") == "black"]
    assert len(pools) == 2  # women and men
    names = [WORDS.forms("ethnicity", "black", "en", "implicit", turn)["noun"]
             for turn in range(sum(len(p.names) for p in pools))]  # fmt: skip
    assert len(set(names)) == len(names) >= 60
    gender = {name.name: pool.groups["gender"] for pool in pools for name in pool.names}
    assert [gender[name] for name in names[:4]] == ["woman", "man"] * 2
    again = WORDS.forms("ethnicity", "black", "en", "implicit", len(names))
    assert again["noun"] == names[0]
    assert again["is"] == f"is called {names[0]}"
    assert again["me"] == f"My name is {names[0]}"


def test_hints_are_taken_in_turn_where_no_name_tells():
    hints = WORDS.group("belief", "muslim").implicit["en"]
    found = [WORDS.forms("belief", "muslim", "en", "implicit", turn) for turn in range(4)]
    assert found == [hints[turn % len(hints)] for turn in range(4)]
    with pytest.raises(InputError, match="no 'en' cue of kind 'implicit'"):
        WORDS.forms("gender", "trans-woman", "en", "implicit", 0)


def test_who_speaks_in_a_language():
    assert "zh-local" not in WORDS.speaking("region", "en", "explicit")
    assert set(WORDS.speaking("gender", "en", "implicit")) == {"woman", "man"}
    assert {"hui", "uyghur"} <= set(WORDS.speaking("ethnicity", "zh", "implicit"))


def test_a_group_on_another_axis_is_named():
    with pytest.raises(InputError, match=r"p\.yaml:14: group 'hui' is not on axis 'belief'; did "
                       "you mean axis 'ethnicity'"):  # fmt: skip
        WORDS.group("belief", "hui", where="p.yaml:14")


@pytest.mark.parametrize(
    ("rows", "columns"), [(11, 8), (15, 8), (5, 19), (24, 2), (7, 7), (30, 30)]
)
def test_cells_are_sampled_evenly(rows, columns):
    first, second = [f"r{i}" for i in range(rows)], [f"c{i}" for i in range(columns)]
    cells = _cells(first, second)
    assert 12 < len(cells) == len(set(cells)) <= MOST_CELLS
    pairs = [tuple(cell.split("+")) for cell in cells]
    assert set(pairs) <= {(a, b) for a in first for b in second}
    for place in (0, 1):  # every group drawn stands with every group drawn of the other axis
        taken = Counter(pair[place] for pair in pairs)
        assert len(set(taken.values())) == 1
        assert len(taken) >= 2
    assert _cells(first, second) == cells  # the same every time


def test_few_cells_are_all_taken():
    cells = _cells(["a", "b", "c", "d"], ["x", "y", "z"])
    assert cells == [f"{a}+{b}" for a in "abcd" for b in "xyz"]


def test_full_crosses_its_pairs_in_both_languages():
    groups = choose_groups(LIBRARY.suite("full"), WORDS, ["age+gender", "gender"])
    design = expand([LIBRARY.probe("decision")], WORDS, groups, limit=1)
    for language in ("en", "zh"):
        asked = (language, "age+gender", Arm.COUNTERFACTUAL)
        cells = {p.group for p in design.prompts if (p.language, p.axis, p.arm) == asked}
        assert cells == set(groups[language]["age+gender"])
        assert 12 < len(cells) <= MOST_CELLS
    text = next(p for p in design.prompts if p.axis == "age+gender" and p.language == "en")
    assert text.cue_words[0] in text.messages[0].content
