"""Nothing a terminal shows is wider than its 80 columns, of which a Chinese character takes two."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.cli import forecast, listing, screen, texts, versions_screen
from harness.cli.width import columns, fit, pad, short, wrap
from tests.report import synthetic
from tests.report.test_gate_files import check, group
from tests.test_cli import call

LONG = "某省某市某县某某民族的一位年长者与同乡们一道等候的人们"


def widest(text: str) -> int:
    return max(map(columns, text.splitlines()))


def chinese(record: Any) -> Any:
    """The record with every English label and every name long and in Chinese."""
    text = json.dumps(record, ensure_ascii=False)
    found = json.loads(text)
    for names in found["labels"]["groups"].values():
        for label in names.values():
            label["en"] = LONG
    return found


def test_columns_of_a_text():
    assert columns("a中b") == 4
    assert [short("中文字", most) for most in (6, 5, 4)] == ["中文字", "中文…", "中…"]
    assert short("abcdef", 4) == "abc…"
    assert [pad(text, 5) for text in ("ab", "中文", "中文字")] == ["ab   ", "中文 ", "中文…"]
    assert columns(fit("中", "某" * 99, "end")) == 80
    assert columns(fit("a" * 70, "middle", "end " * 4)) > 80  # numbers are never cut


def test_wrapping_breaks_what_no_space_breaks():
    assert wrap("") == []
    assert wrap("a b\tc\nd", 2) == ["  a b c d"]
    for text in (LONG * 9, "x" * 200, f"word {LONG} " * 9, "👩" * 100):
        lines = wrap(text, 4, hang=True)
        assert max(map(columns, lines)) in (79, 80)
        assert not lines[0].startswith(" ") and lines[1].startswith("    ")
        assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("what", ["models", "probes", "axes"])
def test_lists(capsys, what):
    assert widest(call(capsys, "list", what)[1]) <= 80


def test_lists_of_wide_names():
    rows = [{"name": LONG, "version": 1, "label": {"en": LONG, "zh": LONG}, "groups": [LONG] * 9}]
    assert widest(screen.columns(rows)) <= 80
    suite = {**listing.suite_row(listing.questions("quick")), "name": LONG}
    assert widest(screen.suites([suite])) <= 80


def every(parser: argparse.ArgumentParser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from every(each)


def test_the_help_of_every_command(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    helps = {parser.prog: parser.format_help() for parser in every(cli.parser())}
    assert len(helps) > 20
    assert {name: widest(text) for name, text in helps.items() if widest(text) > 80} == {}


def test_the_table_of_a_run():
    manifest, results, _ = synthetic.kinds()
    manifest = chinese(manifest)
    manifest["model"]["name"] = manifest["suite"]["name"] = LONG
    results["axes"][0].update(n_scenarios=123456)
    results["axes"][1]["largest"].update(low=-123.4567, high=123.4567)
    text = screen.table(manifest, results, Path("report.html"))
    assert widest(text) <= 80
    assert "123456" in text and "−123.457…+123.457" in text


def test_what_a_run_would_ask_and_needs():
    row = {"probe": LONG, "language": "zh", "cue": "implicit", "axis": "ethnicity+occupation",
           "groups": 24, "scenarios": 24400}  # fmt: skip
    counts = {
        "prompts": 10**7, "blocks": 10**6, "tokens": 10**10, "tokens_counted": False,
        "tokens_computed": 10**10, "seconds": 10**6, "design": "f" * 64, "requests": 10**7,
        "bill": {"prompt_tokens": 10**10, "completion_tokens": 10**10, "cost": None},
        "crossed": [], "returning": [],
        "detectable": [{**row, "sd": {"0.05": 0.01, "0.1": 0.02, "0.2": None}}],
    }  # fmt: skip
    assert widest(forecast.dry_run(counts)) <= 80
    need = {**row, "margin": 0.03, "sd": 0.2113, "shows": 0.1021, "difference": 100000,
            "all_equivalent": 100000, "verdict": "inconclusive", "still_needed": 10000}  # fmt: skip
    families = [need, {**need, "axis": "occupation"}, {**need, "probe": "q", "axis": "age"}]
    text = forecast.plan({"source": LONG * 5, "families": families})
    assert widest(text) <= 80
    assert "\nethnicity+occupation\n" in text and "inconclusive +10000" in text


def test_history_and_gate():
    manifest, results, _ = synthetic.kinds()
    record = {
        "model": {"family": LONG * 3, "name": LONG, "version": LONG}, "prompt_format": 2,
        "labels": chinese(manifest)["labels"], "axes": results["axes"], "design": "d" * 64,
        "date": "2026-11-24T10:00:00Z",
    }  # fmt: skip
    record["axes"][0].update(n_scenarios=12345)
    text = versions_screen.history([record], Path("ledger"))
    assert widest(text) <= 80
    assert any(line.endswith(" 12345") for line in text.splitlines())
    found = {
        "verdict": "inconclusive", "sentence": f"Not cleared: {LONG * 5}.", "alpha": 0.05,
        "checks": [check(LONG * 3, "inconclusive", group(LONG, "open", 0.1), needed=46)],
        "policy": {"name": LONG, "version": 1, "hash": "f" * 64, "note": LONG * 4},
        "release": 3, "not_asked": [LONG] * 4, "recorded": False,
        "waivers": [{"probe": LONG, "axis": LONG, "group": LONG, "used": True, "person": LONG,
                     "expires": "2027-01-01", "reason": LONG * 3}],
    }  # fmt: skip
    found["checks"][0]["reason"] = LONG * 4
    assert widest(versions_screen.gate(found)) <= 80


def test_a_comparison():
    _, results, _ = synthetic.kinds()
    manifest = chinese(synthetic.kinds()[0])
    side = {"model": {"name": LONG, "version": LONG}}
    axis = {**results["axes"][0], "verdict": "inconclusive", "claim": LONG * 4, "d": 0.02}
    name = axis["largest"]["group"]
    cell = {"group": name, "change": -0.1234, "old": {"outcome": 0.5, "status": None},
            "new": {"outcome": None, "status": "unparsed"}}  # fmt: skip
    pair = {
        "old": side, "new": side, "role": ["baseline"], "left_out": [LONG * 4],
        "differs": [{"what": LONG, "old": LONG * 5, "new": None}], "labels": manifest["labels"],
        "policy": {"chosen_after_data": True, "name": LONG}, "axes": [axis],
        "sets": [{"change": 0.1, "axis": axis["axis"], "scenario": LONG * 3, "language": "zh",
                  "cells": [cell]}],
    }  # fmt: skip
    assert widest(versions_screen.comparison({"comparisons": [pair]})) <= 80


def test_the_audit_of_a_scorer(capsys):
    code, out, _ = call(capsys, "audit-scorer", "sentiment", "--axes", "gender")
    assert code == 0 and widest(out) <= 80
    assert "and it tells texts of known worth apart" in " ".join(out.split())
    group = {"scorer": LONG, "language": "zh", "axis": "ethnicity+occupation", "group": LONG,
             "variant": "blind", "estimate": -0.12345, "low": -0.5, "high": 0.5, "small": False,
             "half_margin": 0.0125, "texts": 12, "of": 12}  # fmt: skip
    text = "\n".join(texts._audited(LONG, [group]))
    assert widest(text) <= 80 and "not shown below 0.0125" in " ".join(text.split())
