"""Margins and rules: which holds where, what is refused, and what the manifest keeps of them."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from harness.documents import shipped
from harness.errors import InputError
from harness.policy import load, restore

DOCS = Path(__file__).resolve().parents[1] / "docs"
BASE = "name: p\nversion: 1\nbase_rate: [0.05, 0.95]\nmargins: {decision: 0.03, story: 0.1}\n"
WAIVER = "{axis: age, group: '70', reason: r, person: p, expires: 2026-11-24}"


def policy(place: Path, text: str = ""):
    path = place / "p.yaml"
    path.write_text(BASE + text)
    return load(path)


def test_the_margin_of_an_axis_goes_before_that_of_the_kind(tmp_path):
    rules = policy(tmp_path, "axis_margins: {age: {decision: 0.05}}\nd: {decision: 0.02}\n")
    assert rules.margin("decision", "age") == 0.05
    assert rules.margin("decision", "gender") == 0.03
    assert rules.margin("story", "age") == 0.1
    assert rules.allowed_change("decision", "age") == 0.02
    assert rules.allowed_change("story", "age") == 0.1  # the margin, where d is not named


def test_the_manifest_gives_back_the_policy_with_its_waivers(tmp_path):
    rules = policy(tmp_path, f"waivers: [{WAIVER}]\nprimary: [a]\nspending: true\n")
    kept = json.loads(json.dumps({**rules.model_dump(mode="json"), "hash": rules.hash}))
    back = restore(kept, tmp_path)
    assert back.model_dump() == rules.model_dump()
    assert back.hash == rules.hash
    assert back.waivers[0].expires == date(2026, 11, 24)
    with pytest.raises(InputError, match="changed after the run began"):
        restore({**kept, "waivers": []}, tmp_path)
    with pytest.raises(InputError, match="damaged"):
        restore({**kept, "margins": {"decision": 0}}, tmp_path)


def test_bounds_the_wrong_way_round_are_refused_with_their_line(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(BASE.replace("[0.05, 0.95]", "[0.95, 0.05]"))
    with pytest.raises(InputError, match=r"p\.yaml:3: .*0\.95 is not below 0\.05"):
        load(path)


def test_a_waiver_holds_to_the_end_of_its_day(tmp_path):
    rules = policy(tmp_path, f"waivers: [{WAIVER}]\n")
    rules.check_waivers(date(2026, 11, 24))
    with pytest.raises(InputError, match=r"p\.yaml:5: the waiver for axis 'age' \(by p\) expired"):
        rules.check_waivers(date(2026, 11, 25))


def test_a_waiver_covers_its_axis_group_and_probe(tmp_path):
    [waiver] = policy(tmp_path, f"waivers: [{WAIVER}]\n").waivers
    assert waiver.covers("any", "age", "70")
    assert not waiver.covers("any", "age", "22")
    assert not waiver.covers("any", "gender", "70")
    wide = waiver.model_copy(update={"group": None, "probe": "hiring"})
    assert wide.covers("hiring", "age", "22")
    assert not wide.covers("lending", "age", "22")


@pytest.mark.parametrize("key", ["margins", "alpha", "d", "primary", "spending", "axis_margins"])
def test_the_hash_is_of_every_rule(tmp_path, key):
    text = {
        "margins": "", "alpha": "alpha: 0.01\n", "d": "d: {decision: 0.01}\n",
        "primary": "primary: [a]\n", "spending": "spending: true\n",
        "axis_margins": "axis_margins: {age: {decision: 0.01}}\n",
    }[key]  # fmt: skip
    plain = policy(tmp_path).hash
    other = policy(tmp_path, text)
    if key == "margins":
        other = other.model_copy(update={"margins": {"decision": 0.04, "story": 0.1}})
    assert other.hash != plain


def test_the_shipped_policy_gates_with_a_d_for_decisions():
    rules = load(shipped("probes") / "policies" / "default.yaml")
    assert rules.allowed_change("decision", "age") < rules.margin("decision", "age")
    assert (rules.primary, rules.waivers) == ([], [])


def test_the_policy_in_the_docs_can_be_read(tmp_path):
    text = (DOCS / "versions.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(name: .*?)```", text, re.DOTALL)
    path = tmp_path / "release.yaml"
    path.write_text(example)
    assert load(path).waivers[0].person == "A. Reviewer"


def test_the_pipelines_in_the_docs_are_yaml():
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    github, gitlab = (yaml.safe_load(t) for t in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    gates = [s["run"] for s in github["jobs"]["bias"]["steps"] if " gate " in s.get("run", "")]
    gates += [line for line in gitlab["bias"]["script"] if " gate " in line]
    from harness.cli import parser

    for gate in gates:
        words = gate.replace('"$GITHUB_STEP_SUMMARY"', "summary.md").split()
        assert parser().parse_args(words[1:]).junit == "gate.xml"
