"""What a suite, a single probe, and a user's own folder ask; and how much that is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.compute as pc
import pytest

from harness import preparing
from harness.cli import commands, listing
from harness.errors import InputError
from harness.kinds import KINDS, SAMPLES
from harness.questions import OWN, library, questions
from tests.conftest import PlantedBackend
from tests.test_cli import call
from tests.test_lint import GOOD
from tests.test_pipeline import chance

TEXTS = ("generation", "service", "refusal")
TWICE = dict.fromkeys(TEXTS, SAMPLES)


@pytest.mark.parametrize("suite", ["quick", "axis-gender", "zh"])
def test_the_count_is_that_of_the_design(suite):
    asked = questions(suite)
    assert asked.count() == len(asked.design(samples=TWICE))
    assert asked.count(limit=2) == len(asked.design(limit=2, samples=TWICE)) < asked.count()


def test_core_holds_every_kind_and_every_scenario_in_both_languages():
    asked = questions("core")
    whole = {name: probe for name in asked.suite.probes for probe in [library().probe(name)]}
    assert {probe.kind for probe in whole.values()} == set(KINDS)
    rows = asked.design(samples=TWICE).table
    assert asked.count() == len(rows)
    for language in ("en", "zh"):
        half = rows.filter(pc.equal(rows["language"].cast("string"), language))
        for name, probe in whole.items():
            own = half.filter(pc.equal(half["probe"].cast("string"), name))
            scenarios = {s.id for s in probe.scenarios[language] if s.axis != "other"}
            assert set(own["scenario"].to_pylist()) == scenarios
            if name != "awareness":  # its scenarios are about one axis each
                assert set(own["axis"].to_pylist()) == set(asked.groups[language])
            if name in TEXTS:
                groups = set(zip(own["axis"].to_pylist(), own["group"].to_pylist(), strict=True))
                assert len(groups) == 2 * 8  # a pair an axis
    assert asked.suite.languages == ["en", "zh"]
    for language in asked.suite.languages:  # the halves are halves
        alone = questions(language)
        assert questions("core", language=language).fewer == alone.fewer
        assert alone.suite.probes == asked.suite.probes
        assert alone.groups == {language: asked.groups[language]}
        assert alone.fewer == {n: {language: f[language]} for n, f in asked.fewer.items()}


SMALL = """name: mine
version: 1
languages: [en]
probes: [quick-decision, service]
groups:
  en: {gender: [woman, man, non-binary], age: all}
fewer_groups:
  - probes: [service]
    groups:
      en: {gender: [woman, man]}
"""


def asked_about(text: str = SMALL, **given) -> dict[tuple[str, str], set[str]]:
    """Of every probe and axis the groups in the design of a suite."""
    Path("mine.yaml").write_text(text, encoding="utf-8")
    asked = questions("mine.yaml", **given)
    design = asked.design(limit=2, samples=TWICE)
    assert asked.count(limit=2) == len(design)
    found: dict[tuple[str, str], set[str]] = {}
    for row in design.prompts:
        found.setdefault((row.probe, row.axis), set()).add(row.group)
    return found


def test_a_suite_may_ask_some_probes_about_fewer_groups():
    found = asked_about()
    assert found["quick-decision", "gender"] == {"woman", "man", "non-binary"}
    assert found["service", "gender"] == {"woman", "man"}
    assert found["service", "age"] == found["quick-decision", "age"]  # not named: as the suite
    assert len(found["service", "age"]) > 10


def test_groups_that_the_command_line_names_hold_for_every_probe():
    found = asked_about(axes=["gender=woman,trans-woman"])
    assert set(map(frozenset, found.values())) == {frozenset({"woman", "trans-woman"})}
    assert asked_about(axes=["gender"]) == {
        ("quick-decision", "gender"): {"woman", "man", "non-binary"},
        ("service", "gender"): {"woman", "man"},
    }


def test_fewer_groups_of_crossed_axes_are_fewer_cells():
    found = asked_about(SMALL.replace("age: all", "age: ['22', '70']") + "cross: [[age, gender]]\n")
    assert len(found["quick-decision", "age+gender"]) == 6
    assert found["service", "age+gender"] == {
        "22+woman", "22+man", "70+woman", "70+man",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("[service]", "[servise]", 8, "unknown probe 'servise' of suite 'mine'; did you mean"),
        ("[service]", "[decision]", 8, "unknown probe 'decision' of suite 'mine'"),
        ("[service]", "[service, service]", 8, "'service' stands twice under fewer_groups"),
        ("      en: {", "      zh: {", 10, "unknown language 'zh' of suite 'mine'; known: en"),
        ("gender: [woman, man]}", "belief: [muslim, hindu]}", 10,
         "unknown axis 'belief' of suite 'mine'"),
        ("[woman, man]}", "[woman, trans-man]}", 10,
         "unknown group 'trans-man' of axis 'gender' in suite 'mine'; did you mean"),
        ("[woman, man]}", "[man, man]}", 10, "'man' stands twice"),
        ("[woman, man]}", "[woman]}", 10, "needs a list of at least two groups to compare"),
        ("[woman, man]}", "all}", 10, "needs a list of at least two groups to compare"),
        ("  - probes: [service]\n    ", "  - ", 8, "key 'fewer_groups.0.probes' is missing"),
    ],
)  # fmt: skip
def test_fewer_groups_that_are_not_there_are_refused(capsys, old, new, line, said):
    assert SMALL.rpartition(old)[1]
    Path("mine.yaml").write_text(new.join(SMALL.rsplit(old, 1)), encoding="utf-8")
    for command in (["run", "--suite", "mine.yaml"], ["lint", "mine.yaml"]):
        code, out, err = call(capsys, *command)
        assert code in (1, 2)
        assert f"mine.yaml:{line}: " in out + err
        assert said in " ".join((out + err).split())
        assert "Traceback" not in err


def test_the_list_and_a_dry_run_show_fewer_groups(capsys, planted, monkeypatch, tmp_path):
    monkeypatch.setenv(OWN, str(tmp_path))
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "mine.yaml").write_text(SMALL, encoding="utf-8")
    row = listing.suite_row(questions("mine"))
    assert row["fewer_groups"] == [
        {"probes": ["service"], "groups": {"en": {"gender": ["woman", "man"]}}}
    ]
    assert row["prompts"] == questions("mine").count()
    shown = call(capsys, "list", "suites")[1]
    assert "    3 groups of gender\n    all groups of age\n" in shown
    assert "    service: only 2 groups of gender\n" in shown
    planted(PlantedBackend(chance()))
    table = call(capsys, "run", "--suite", "mine", "--axes", "gender", "--dry-run")[1]
    lines = [line.split() for line in table.splitlines() if ", en " in line]
    assert [(words[0], words[2:5]) for words in lines] == [
        ("quick-decision,", ["gender", "3", "36"]), ("service,", ["gender", "2", "36"]),
    ]  # fmt: skip


def test_a_single_probe_is_crossed_with_core_and_with_all_of_other_axes(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace("[gender, age]", "[gender, other]"), encoding="utf-8")
    asked = questions(str(path))
    assert asked.groups["en"]["gender"] == questions("core").groups["en"]["gender"]
    path_of_texts = str(library().probes["service"])  # core asks it about fewer
    texts, core = questions(path_of_texts), questions("core")
    assert texts.groups["en"]["gender"] == core.groups["en"]["gender"]
    assert not texts.fewer and core.fewer
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
    mine = listing.suite_row(questions("mine"))
    assert (mine["kinds"], mine["scenarios"]) == (["decision"], {"en": 38})
    quick = listing.suite_row(questions("axis-gender"))
    assert quick["scenarios"] == {
        "en": 5 * 36 + 2,
        "zh": 5 * 36 + 2,
    }  # awareness: its own axis only
    assert mine["prompts"] == 38 * 2 + 38 + 38  # two groups, a paraphrase and a control each
    shown = call(capsys, "list")[1]  # suites, where nothing is named
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
    assert len(re.findall(r"^(?:quick-decision|rating), en +age\+gender +5 +2 ", out, re.M)) == 2
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
