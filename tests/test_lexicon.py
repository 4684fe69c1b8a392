"""How the lexicon finds words: crossed axes, names in turn, hints, and what it refuses."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from harness import lexicon
from harness.crossing import MOST_CELLS, choose_groups, left_out, rectangle
from harness.documents import shipped
from harness.errors import InputError
from harness.expansion import expand
from harness.lint import lint
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
    whole = [f"{a}+{b}" for a in first for b in second]
    cells = rectangle(whole, lambda cell: True)
    assert 12 < len(cells) == len(set(cells)) <= MOST_CELLS
    pairs = [tuple(cell.split("+")) for cell in cells]
    assert set(pairs) <= {(a, b) for a in first for b in second}
    for place in (0, 1):  # every group drawn stands with every group drawn of the other axis
        taken = Counter(pair[place] for pair in pairs)
        assert len(set(taken.values())) == 1
        assert len(taken) >= 2
    assert rectangle(whole, lambda cell: True) == cells  # the same every time


def test_a_rectangle_goes_round_cells_that_cannot_be():
    whole = [f"r{i}+c{j}" for i in range(10) for j in range(6)]
    cells = rectangle(whole, lambda cell: cell not in ("r0+c0", "r1+c1", "r2+c1"))
    assert len(cells) == MOST_CELLS
    assert not {"r0+c0", "r1+c1", "r2+c1"} & set(cells)
    taken = rectangle(whole, lambda cell: True)
    assert rectangle(whole, lambda cell: cell not in set(whole) - set(taken)) == taken
    everywhere = rectangle(whole, lambda cell: not cell.endswith(("c0", "c1", "c2")))
    assert sum(cell.endswith(("c0", "c1", "c2")) for cell in everywhere) == 6  # one column of four


def test_few_cells_are_all_taken():
    cells = [f"{a}+{b}" for a in "abcd" for b in "xyz"]
    assert rectangle(cells, lambda cell: cell != "a+x") == cells


@pytest.mark.parametrize(
    ("axis", "cell", "language", "can"),
    [
        ("age+gender", "18+married-woman", "zh", False),
        ("age+gender", "18+married-woman", "en", True),  # 18 is old enough where English is spoken
        ("age+gender", "22+married-man", "zh", True),
        ("age+gender", "18+woman", "zh", True),
        ("age+gender", "75+pregnant-woman", "en", False),
        ("age+gender", "75+pregnant-woman", "zh", False),
        ("gender+age", "pregnant-woman+75", "en", False),  # whichever comes first
        ("age+gender", "35+pregnant-woman", "en", True),
        ("age+occupation", "18+doctor", "en", False),
        ("age+occupation", "18+nurse", "zh", True),
    ],
)
def test_who_goes_together(axis, cell, language, can):
    assert WORDS.together(axis, cell, language) is can


def test_full_asks_no_cell_that_cannot_be():
    suite = LIBRARY.suite("full")
    groups, lacking = choose_groups(suite, WORDS, None), left_out(suite, WORDS, None)
    assert "18+married-man" in lacking["zh"]["age+gender"]
    assert "18+married-man" not in lacking["en"]["age+gender"]
    for language, found in groups.items():
        for axis, cells in found.items():
            if "+" in axis:
                assert all(WORDS.together(axis, cell, language) for cell in cells)
                first, second = ({cell.split("+")[i] for cell in cells} for i in (0, 1))
                assert len(cells) == len(first) * len(second) > 12  # still a full rectangle


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("[married-woman, married-man]", "[married-womann, married-man]", 16,
         "unknown group 'married-womann' of axis 'gender'; did you mean 'married-woman'"),
        ('{age: ["18"]}', '{age: ["81"]}', 17, "unknown group '81' of axis 'age'"),
        ('{age: ["18"]}', '{agee: ["18"]}', 17, "unknown axis 'agee'; did you mean 'age'"),
        ('{age: ["18"]}', "{gender: [man]}", 17, "groups of one axis are never crossed"),
        ('{age: ["18"]}', "{age: [hui]}", 17, "did you mean axis 'ethnicity'"),
        ("[zh]", "[cn]", 18, "unknown language 'cn'"),
    ],
)  # fmt: skip
def test_groups_that_are_said_not_to_go_together_exist(tmp_path, old, new, line, said):
    for path in (shipped("probes") / "lexicon").glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    path = tmp_path / "gender.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        lexicon.load(tmp_path)
    assert f"gender.yaml:{line}: " in str(caught.value)
    [complaint] = [c for c in lint([path], WORDS) if c.level == "error"]
    assert (complaint.rule, complaint.where) == ("together", f"{path}:{line}")
    assert said in complaint.message


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
