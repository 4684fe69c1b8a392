"""YAML files into checked objects: every complaint names file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from harness import documents
from harness.documents import Document, Part, parse, read, shipped, tree
from harness.errors import InputError


class Item(Part):
    id: str
    count: int = 0


class Paper(Document):
    title: str
    items: list[Item]


def parse_paper(text: str) -> Paper:
    return parse(text, Path("paper.yaml"), Paper)


def test_a_good_document_knows_its_lines():
    paper = parse_paper("title: a\nitems:\n  - id: x\n  - id: y\n    count: 2\n")
    assert [item.id for item in paper.items] == ["x", "y"]
    assert paper.place("items", 1, "count") == "paper.yaml:5"
    assert paper.place("items", 1, "nowhere") == "paper.yaml:4"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [a\n", "paper.yaml:2: not YAML"),
        ("- a\n", "paper.yaml:1: expected a mapping"),
        ("", "paper.yaml:1: expected a mapping"),
        ("title: yes\nitems: []\n", "paper.yaml:1: 'title' must be text, but YAML reads True"),
        ("title: 35\nitems: []\n", "paper.yaml:1: 'title' must be text, but YAML reads 35"),
        ("title: a\n", "key 'items' is missing"),
        ("title: a\nitms: []\n", "paper.yaml:2: unknown key 'itms'; did you mean 'items'?"),
        ("title: a\nitems:\n  - id: x\n    count: many\n", "paper.yaml:4: 'items.0.count'"),
        ("title: a\ntitle: b\nitems: []\n", "paper.yaml:2: key 'title' stands here and on line 1"),
        ("title: &a [*a]\nitems: []\n", "anchors and aliases are not used"),
        ("title: &a b\nitems: [{id: *a}]\n", "paper.yaml:1: YAML anchors and aliases"),
        ('title: "\\ud800"\nitems: []\n', "paper.yaml:1"),
        ('title: a\nitems:\n  - id: "a\\0b"\n', "paper.yaml:3: the text holds U+0000"),
        ("title: a\nitems:\n  - id: a\u202eb\n", "paper.yaml:3: the text holds U+202E"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ("title: !!python/object:os.system x\nitems: []\n", "paper.yaml"),
    ],
)
def test_bad_documents_are_refused_with_their_line(text, said):
    with pytest.raises(InputError) as caught:
        parse_paper(text)
    assert said in str(caught.value)


def test_an_unreadable_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"missing\.yaml: there is no such file"):
        read(tmp_path / "missing.yaml", Paper)


ODD = """
texts: [a, "1", '', x]
numbers: {1: one, 0x1f: 1_000, 2.5: 12:30:45, -1: .inf}
signs: [yes, off, null, ~, 2020-01-01, 2020-01-01 10:00:00]
merged: {<<: {a: 1, b: 2}, b: 3}
tagged: [!!set {a, b}, !!binary aGk=, !!str 5, !!int "7", !!omap [a: 1], !!float 3]
nested: {a: {b: [{c: [[d], {e: 1}]}], 1: {f: [g]}}}
equals: {=: 1, x: 2}
"""


def test_values_are_those_of_the_safe_loader():
    found = tree(ODD, Path("odd.yaml")).data
    assert found == yaml.safe_load(ODD)
    assert repr(found) == repr(yaml.safe_load(ODD))  # 1 is not True, nor 1.0


def test_a_text_is_parsed_once_and_a_changed_file_anew(tmp_path, monkeypatch):
    parsed = []
    compose = yaml.compose
    monkeypatch.setattr(yaml, "compose", lambda *a, **k: parsed.append(1) or compose(*a, **k))
    path = tmp_path / "paper.yaml"
    for title in ("once", "once", "again", "again"):
        path.write_text(f"title: {title}\nitems: []\n", encoding="utf-8")
        assert read(path, Paper).title == title
        assert read(path, Paper).place("items") == f"{path}:2"
    assert len(parsed) == 2
    other = tmp_path / "other.yaml"
    other.write_text("title: again\nitems: []\n", encoding="utf-8")
    assert read(other, Paper).place("items") == f"{other}:2"


def test_what_is_wrong_is_said_every_time():
    for _ in range(2):
        with pytest.raises(InputError, match="key 'items' is missing"):
            parse_paper("title: once more\n")


def test_a_long_text_is_not_kept(monkeypatch):
    text = "title: long\nitems: []\n"
    monkeypatch.setattr(documents, "LONG", len(text) - 1)
    assert tree(text, Path("p.yaml")) is not tree(text, Path("p.yaml"))
    monkeypatch.setattr(documents, "LONG", len(text))
    assert tree(text, Path("p.yaml")) is tree(text, Path("p.yaml"))


def test_data_folders_exist():
    assert (shipped("probes") / "suites" / "quick.yaml").is_file()
    assert list(shipped("models").glob("*.yaml"))


def test_every_room_is_in_the_table_of_the_architecture():
    root = Path(__file__).parent.parent
    table = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {p.stem for p in (root / "harness").glob("*.py")} | {
        p.parent.name for p in (root / "harness").glob("*/__init__.py")
    }
    data = {"__init__", "evaluate_modules"}
    named = set(re.findall(r"`(\w+)/?`", table))
    assert rooms - data <= named
