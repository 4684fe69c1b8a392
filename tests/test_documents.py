"""YAML files into checked objects: every complaint names file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.documents import Document, Part, parse, read, shipped
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
