"""What a suite, a single probe, and a user's own folder ask; and how much that is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness import preparing
from harness.cli import commands
from harness.errors import InputError
from harness.questions import OWN, questions
from tests.conftest import PlantedBackend
from tests.test_cli import call
from tests.test_lint import GOOD
from tests.test_pipeline import chance


@pytest.mark.parametrize("suite", ["quick", "axis-gender", "zh"])
def test_the_count_is_that_of_the_design(suite):
    asked = questions(suite)
    assert asked.count() == len(asked.design().prompts)
    assert asked.count(limit=2) == len(asked.design(limit=2).prompts) < asked.count()


def test_a_single_probe_is_crossed_with_core_and_with_all_of_other_axes(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace("[gender, age]", "[gender, other]"), encoding="utf-8")
    asked = questions(str(path))
    assert asked.groups["en"]["gender"] == questions("core").groups["en"]["gender"]
    assert "orientation-gay" in asked.groups["en"]["other"]
    path.write_text(GOOD.replace("[gender, age]", "[gender, agee]"), encoding="utf-8")
    with pytest.raises(InputError, match=r"p\.yaml:5: unknown axis 'agee'; did you mean 'age'"):
        questions(str(path))


def test_a_folder_of_ones_own_joins_the_library(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv(OWN, str(tmp_path))
    (tmp_path / "p.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "mine.yaml").write_text(
        "name: mine\nversion: 1\nlanguages: [en]\nprobes: [p, quick-decision]\n"
        "groups: {en: {gender: [woman, man]}}\n",
        encoding="utf-8",
    )
    rows = json.loads(call(capsys, "list", "suites", "--json")[1])
    mine = next(row for row in rows if row["name"] == "mine")
    assert (mine["kinds"], mine["scenarios"]) == (["decision"], {"en": 38})
    quick = next(row for row in rows if row["name"] == "axis-gender")
    assert quick["scenarios"] == {
        "en": 5 * 36 + 2,
        "zh": 5 * 36 + 2,
    }  # awareness: its own axis only
    assert mine["prompts"] == 38 * 2 + 38 + 38  # two groups, a paraphrase and a control each
    shown = call(capsys, "list", "suites")[1]
    assert "mine                   152 prompts   scenarios en 38\n    kinds decision\n" in shown
    assert "    2 groups of gender\n" in shown and max(map(len, shown.splitlines())) <= 80
    assert "p" in {row["name"] for row in json.loads(call(capsys, "list", "probes", "--json")[1])}
    monkeypatch.setenv(OWN, str(tmp_path / "absent"))
    code, _, err = call(capsys, "list", "probes")
    assert (code, OWN in err) == (2, True)


def test_too_many_prompts_need_a_yes(capsys, planted, monkeypatch, tmp_path):
    backend = planted(PlantedBackend(chance()))
    code, _, err = call(capsys, "run", "--suite", "full")
    assert code == 2
    assert re.search(r"suite 'full' asks [2-9]\d\d,\d\d\d prompts, more than 200,000", err)
    assert "--yes" in err
    assert not backend.asked
    monkeypatch.setattr(commands, "MOST_PROMPTS", 100)
    arguments = ["run", "--axes", "age", "--limit", "20"]
    assert call(capsys, *arguments)[0] == 2
    assert call(capsys, *arguments, "--dry-run")[0] == 0
    assert call(capsys, *arguments, "--yes")[0] == 0
    assert len(backend.asked) > 100
    with pytest.raises(InputError, match="more than 5"):
        preparing.prepare(preparing.DEFAULT_MODEL, axes="age", most=5, backend=backend)


BAD = [
    ("[gender, age]", "[gender, agee]", 5, "unknown axis 'agee'; did you mean 'age'"),
    ("[gender, age]", "[gender, age, gender]", 5, "axis 'gender' stands twice; keep one"),
    ("{is}", "{has}", 10, "unknown form 'has' of group 'woman'"),
    ("worker {is}", "worker is {modified}", 10, "form 'modified' of group 'woman' holds a slot"),
    ("worker {is}", "worker {is}, {noun}", 14, "has 2 cue slots, needs exactly one"),
    ("worker {is}", "worker {{is}}", 14, "stray brace"),
    ("worker {is}", "worker works", 14, "has 0 cue slots"),
    ("id: b", "id: a", 18, "scenario id 'a' stands twice"),
    ("  zh:", "  en:", 26, "key 'en' stands here and on line 9"),
    ("  zh:", "  fr:", 26, "no groups for language 'fr'"),
    ('favourable: "yes"', "favourable: yes", 13, "'scenarios.en.0.favourable'"),
    ("question: Should the firm pay the worker?", "question: on", 15, "put it in quotes"),
    ("kind: decision", "kind: decisions", 3, "did you mean 'decision'"),
    ("name: p\n", "", 1, "'name' is missing"),
    ("relevance: irrelevant", "relevance: none", 6, "'relevance'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "said"), BAD)
def test_a_bad_probe_is_exit_code_2_with_file_and_line(capsys, planted, old, new, line, said):
    backend = planted(PlantedBackend(chance()))
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    path = Path("p.yaml")
    path.write_text(text, encoding="utf-8")
    code, out, err = call(capsys, "run", "--suite", "p.yaml")
    assert (code, out) == (2, "")
    assert f"p.yaml:{line}: " in err
    assert said in err
    assert "Traceback" not in err
    assert not backend.asked
    assert [p.name for p in Path().iterdir()] == ["p.yaml"]


@pytest.mark.parametrize(
    ("languages", "names", "said"),
    [
        ("[zh]", "[quick-decision]", "mine.yaml:4: probe 'quick-decision' has no scenario in zh"),
        ("[en, zh]", "[quick-decision]", "mine.yaml:3: no probe of suite 'mine' has a scenario in"),
        ("[en]", "[quick]", "mine.yaml:4: unknown probe 'quick'; did you mean 'quick-decision'"),
    ],
)
def test_a_suite_whose_language_is_missing(capsys, languages, names, said):
    Path("mine.yaml").write_text(
        f"name: mine\nversion: 1\nlanguages: {languages}\nprobes: {names}\n"
        "groups: {en: {gender: [woman, man]}, zh: {gender: [woman, man]}}\n",
        encoding="utf-8",
    )
    code, _, err = call(capsys, "run", "--suite", "mine.yaml")
    assert code == 2
    assert said in err


def test_a_group_without_words_in_the_language_is_refused(capsys):
    Path("mine.yaml").write_text(
        "name: mine\nversion: 1\nlanguages: [en]\nprobes: [quick-decision]\n"
        "groups: {en: {region: [us-california, zh-local]}}\n",
        encoding="utf-8",
    )
    code, _, err = call(capsys, "run", "--suite", "mine.yaml")
    assert code == 2
    assert "mine.yaml:5: group 'zh-local' of axis 'region' has no words in 'en'; take it out" in err


def test_a_dry_run_says_which_cells_are_left_out(capsys, planted):
    planted(PlantedBackend(chance()))
    Path("mine.yaml").write_text(
        "name: mine\nversion: 1\nlanguages: [en]\nprobes: [quick-decision, rating]\n"
        "groups: {en: {age: ['22', '75'], gender: [woman, man, pregnant-woman]}}\n"
        "cross: [[age, gender]]\n",
        encoding="utf-8",
    )
    arguments = ["run", "--suite", "mine.yaml", "--dry-run", "--limit", "2"]
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    said = "age+gender (en): 5 cells asked; 1 left out, for nobody is in both groups: "
    assert said + "75+pregnant-woman" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    assert len(re.findall(r"^age\+gender +5 +2 ", out, re.M)) == 1  # two probes, one line
    [pair] = json.loads(call(capsys, *arguments, "--json")[1])["crossed"]
    assert pair == {"language": "en", "axis": "age+gender", "cells": 5, "not_drawn": 0,
                    "left_out": ["75+pregnant-woman"]}  # fmt: skip
    assert "left out" not in call(capsys, *arguments, "--axes", "age")[1]
    Path("mine.yaml").write_text(Path("mine.yaml").read_text().replace("['22', '75']", "all")
                                 .replace("[woman, man, pregnant-woman]", "all"))  # fmt: skip
    [pair] = json.loads(call(capsys, *arguments, "--json")[1])["crossed"]
    possible = pair["cells"] + pair["not_drawn"]
    assert pair["cells"] <= 24 < possible
    assert f"cells asked of {possible}, drawn by a seed" in " ".join(
        call(capsys, *arguments)[1].split()
    )


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ('["22"]', ["'groups.en.age': needs at least two groups to compare, or the word all"]),
        ("[]", ["'groups.en.age': needs at least two groups to compare, or the word all"]),
        ("every", ["'groups.en.age': needs a list of groups, or the word all"]),
        ('["22", 35]', ["'groups.en.age.1' must be text, but YAML reads 35 here (a bare yes, no, "
                        "on, off or number): put it in quotes"]),
        ('["22", A]', ["'groups.en.age.1': String should match"]),
        ('["22", "22"]', ["'22' stands twice"]),
        ('["22", "35"], gender: [man]', ["'groups.en.gender': needs at least two groups"]),
    ],
)  # fmt: skip
def test_too_few_groups_are_refused_in_plain_words(capsys, groups, said):
    Path("mine.yaml").write_text(
        "name: mine\nversion: 1\nlanguages: [en]\nprobes: [quick-decision]\n"
        f"groups: {{en: {{age: {groups}}}}}\n",
        encoding="utf-8",
    )
    code, _, err = call(capsys, "run", "--suite", "mine.yaml")
    lines = err.removeprefix("bias-harness: ").splitlines()
    assert (code, len(lines)) == (2, len(said))
    for line, words in zip(lines, said, strict=True):
        assert line.startswith(f"mine.yaml:5: {words}")
        assert "constrained" not in line
        assert "literal" not in line


def test_a_probe_named_as_a_suite_is_told_its_file(capsys):
    code, _, err = call(capsys, "run", "--suite", "likelihood")
    assert code == 2
    assert "unknown suite 'likelihood', but there is a probe of this name" in err
    path = err.rpartition("--suite ")[2].strip()
    assert questions(path).suite.name == "likelihood"
    code, _, err = call(capsys, "run", "--suite", "cor")
    assert (code, "unknown suite 'cor'; did you mean 'core'" in err) == (2, True)
