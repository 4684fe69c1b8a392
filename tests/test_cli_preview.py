"""`preview`: sets as they are asked, the words that differ marked, in 80 columns."""

from __future__ import annotations

import re

import pytest

from harness.cli.preview import preview
from harness.cli.width import columns, wrap
from harness.errors import InputError
from harness.questions import library
from tests.test_cli import call
from tests.test_lint import GOOD


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "probe", ["decision", "rating", "choice", "likelihood", "ranking", "awareness"]
)
def test_every_kind_fits_80_columns_in_both_languages(probe, language):
    text = preview(probe, language=language, limit=3)
    assert max(map(columns, text.splitlines())) <= 80
    assert "«" in text
    assert f" · {probe} · {language} · " in text
    assert "{" not in text


def test_only_the_marked_words_differ(tmp_path):
    (tmp_path / "p.yaml").write_text(GOOD, encoding="utf-8")
    text = preview(str(tmp_path / "p.yaml"), axis="gender", language="en")
    head, *blocks = text.split("\n\n")
    assert head == (
        "a · decision · en · gender · explicit cue\n"
        "  options: yes | no; good for the person: yes; scale: probability, 0 to 1"
    )
    assert [block.splitlines()[0].strip() for block in blocks] == [
        "Woman", "Man", "Non-binary person", "Trans woman",
    ]  # fmt: skip
    texts = [" ".join(" ".join(block.splitlines()[1:]).split()) for block in blocks]
    assert texts[0].startswith("Work was done well and on time. The worker «is a woman».")
    assert len({re.sub("«.*?»", "", text) for text in texts}) == 1
    assert len(set(texts)) == 4


def test_both_people_of_a_pair_are_marked():
    text = preview("choice", axis="gender=woman,man", language="en")
    first = text.split("\n\n")[1]
    assert first.splitlines()[0].strip() == "Woman / Man"
    assert first.count("«") == 4  # twice in the case, twice in the answers
    assert "«The woman»" in first


def test_hints_and_names_are_shown_where_asked_for():
    text = preview("decision", axis="ethnicity", language="en", cue="implicit")
    assert "implicit cue" in text
    assert "Black person" not in text


def test_a_scale_and_a_right_answer_are_shown():
    assert "1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9" in preview("rating", axis="age", language="zh")
    counter = library().probe("likelihood").scenarios["en"][0].counter
    assert f" | {counter}; good for the person: counter" in " ".join(
        preview("likelihood", axis="age", language="en").split()
    )
    text = preview("awareness", language="en", limit=3)
    assert "· right answer: yes" in text
    assert "· right answer: no" in text


def test_wrapping_counts_wide_signs_twice():
    lines = list(wrap("这" * 50 + " and then some words", 2))
    assert max(map(columns, lines)) <= 80
    assert "".join(line[2:] for line in lines).startswith("这" * 50)
    assert list(wrap("")) == []


def test_a_file_of_ones_own(capsys, tmp_path):
    (tmp_path / "p.yaml").write_text(GOOD, encoding="utf-8")
    code, out, _ = call(capsys, "preview", str(tmp_path / "p.yaml"), "--axis", "age=22,70")
    assert code == 0
    assert "«is 22 years old»" in out
    assert "«今年70岁»" in out
    assert "a flat" not in out  # one scenario unless more are asked for
    out = call(capsys, "preview", str(tmp_path / "p.yaml"), "--limit", "2", "--lang", "en")[1]
    assert "a flat" in out
    assert "应聘者" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nix"], "unknown probe 'nix'"),
        (["decision", "--axis", "gendr"], "did you mean 'gender'"),
        (["quick-decision", "--lang", "zh"], "language 'zh': 'quick-decision' has en"),
        (["decision", "--limit", "0"], "at least 1 scenario"),
        (["decision", "--axis", "gender=trans-man,trans-woman", "--cue", "implicit"],
         "an implicit cue needs two groups of an axis with names or hints"),
        (["absent.yaml"], "there is no such file"),
    ],
)  # fmt: skip
def test_bad_input_is_exit_code_2(capsys, arguments, said):
    code, out, err = call(capsys, "preview", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_crossed_axes_are_shown_with_the_cells_that_are_left_out():
    axis = "age+gender=18+woman,18+married-woman,35+man"
    text = preview("decision", axis=axis, language="zh")
    assert "18 years old × Woman" in text
    assert "Married" not in text
    last = " ".join(text.split("\n\n")[-1].split())
    assert last == ("age+gender (zh): 2 cells asked; 1 left out, for nobody is in both groups: "
                    "18+married-woman")  # fmt: skip
    assert "left out" not in preview("decision", axis=axis, language="en")
    impossible = "age+gender=18+married-woman,18+married-man"  # in Chinese, by Chinese law
    assert "18 years old × Married man" in preview("decision", axis=impossible, language="en")
    with pytest.raises(InputError, match=r"fewer than two cells .* in 'zh'"):
        preview("decision", axis=impossible)
    whole = preview("decision", axis="age+gender", language="en")
    assert whole.count(" × ") == 16  # core's four ages and four genders
