"""docs/add-a-probe.md: what it shows can be copied and asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from harness import lexicon
from harness.documents import shipped
from harness.kinds import KINDS
from harness.lint import lint
from harness.questions import questions
from tests.test_cli import call

PAGE = Path(__file__).resolve().parents[1] / "docs" / "add-a-probe.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
WORDS = lexicon.load(shipped("probes") / "lexicon")
KIND = re.compile(r"# kind: (\w+)\n")


def probe(kind: str, scenarios: str) -> str:
    head = BLOCKS[0][: BLOCKS[0].index("scenarios:")].replace("kind: decision", f"kind: {kind}")
    if kind == "awareness":
        head = re.sub("axes: .*", "axes: [health]", head)
        head = re.sub("relevance: .*", "relevance: lawful_difference", head)
    return f"{head}scenarios:\n  en:\n" + re.sub("^", "    ", scenarios, flags=re.M)


SHOWN = {"decision": BLOCKS[0]} | {
    found[1]: probe(found[1], block[found.end() :])
    for block in BLOCKS
    if (found := KIND.match(block))
}


def test_every_kind_is_shown():
    shown = {"decision", "rating", "choice", "likelihood", "ranking", "awareness"}
    assert shown <= set(SHOWN) <= set(KINDS)


@pytest.mark.parametrize("kind", SHOWN)
def test_what_is_shown_has_no_error_and_can_be_asked(kind):
    path = Path("loans.yaml")
    path.write_text(SHOWN[kind], encoding="utf-8")
    assert {(f.level, f.rule) for f in lint([path], WORDS)} <= {("warning", "few-scenarios")}
    assert questions(str(path)).count() > 4


def test_a_scenario_is_at_most_twelve_lines():
    scenario = BLOCKS[0][BLOCKS[0].index("    - id") :]
    assert len(scenario.splitlines()) <= 12


def test_the_suite_and_the_mapping_work(capsys, monkeypatch):
    monkeypatch.setenv("BIAS_HARNESS_PROBES", ".")
    Path("loans.yaml").write_text(BLOCKS[0], encoding="utf-8")
    suite = next(block for block in BLOCKS if block.startswith("name: mine"))
    Path("mine.yaml").write_text(suite, encoding="utf-8")
    asked = questions("mine.yaml")
    assert "age+gender" in asked.groups["en"]
    assert [p.name for p in asked.probes] == ["loans", "decision"]
    mapping = next(block for block in BLOCKS if "columns:" in block)
    Path("mapping.yaml").write_text(mapping, encoding="utf-8")
    Path("loans.yaml").unlink()
    Path("loans.csv").write_text(
        "text,good_answer,fact,other_fact\n[PERSON] paid all bills.,yes,paid,burned\n",
        encoding="utf-8",
    )
    assert call(capsys, "import-probe", "mapping.yaml", "--out", "loans.yaml")[0] == 0
    assert yaml.safe_load(Path("loans.yaml").read_text("utf-8"))["scenarios"]["en"][0]["case"] == (
        "{Noun} paid all bills."
    )
