"""A gate's decision as CI systems show it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from harness.report.gate_files import junit, markdown


def group(name, state, estimate, reason=None, change=None):
    return {
        "group": name, "label": name.title(), "state": state, "verdict": "inconclusive",
        "tost_low": None, "tost_high": None, "estimate": estimate, "reason": reason,
        "low": None if estimate is None else estimate - 0.01,
        "high": None if estimate is None else estimate + 0.01, "change": change,
    }  # fmt: skip


def check(axis, verdict, *groups, needed=None):
    return {
        "probe": "p", "kind": "decision", "language": "en", "cue": "explicit", "axis": axis,
        "name": axis, "endpoint": None,
        "verdict": verdict, "reason": None if verdict == "pass" else f"reason of {axis}",
        "margin": 0.03, "d": 0.02, "n_scenarios": 36, "coverage": 0.975,
        "scenarios_needed": needed, "groups": list(groups),
    }  # fmt: skip


@pytest.fixture
def found():
    version = {"model": {"name": "toy", "version": "2"}, "fingerprint": "f" * 64, "run": "runs/2"}
    step = {"estimate": 0.004, "low": -0.001, "high": 0.009, "verdict": "inconclusive"}
    return {
        "verdict": "fail", "sentence": "Not cleared: age.", "created": "2026-11-24T10:00:00Z",
        "not_asked": ["belief"], "recorded": False,
        "run": version, "baseline": None, "alpha": 0.03, "release": 2, "scenarios_needed": None,
        "policy": {"name": "default", "version": 2, "hash": "a" * 64, "note": None},
        "checks": [
            check("age", "fail", group("22", "pass", 0.2), group("70", "fail", -0.08, "bad", step)),
            check("gender", "inconclusive", group("man", "pass", 0.3),
                  group("woman", "open", 0.01, "open"), needed=46),
            check("health", "waived", group("hiv", "waived", -0.2, "bad")),
            check("region", "pass", {**group("rural", "pass", 0.004), "verdict": "equivalent",
                                     "tost_low": -0.012, "tost_high": 0.02}),
        ],
        "waivers": [{"probe": None, "axis": "health", "group": "hiv", "reason": "known",
                     "person": "A. B.", "expires": "2027-01-01", "used": True}],
    }  # fmt: skip


def test_junit_has_a_failure_an_error_and_what_is_waived_as_skipped(found):
    suite = ElementTree.fromstring(junit(found))[0]
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert [child.tag for child in cases["age"]] == ["failure", "system-out"]
    assert [child.tag for child in cases["gender"]] == ["error", "system-out"]
    assert [child.tag for child in cases["health"]] == ["skipped", "system-out"]
    assert cases["health"].find("skipped").get("message") == "waived: reason of health"
    assert [child.tag for child in cases["region"]] == ["system-out"]
    assert "Rural: pass, effect +0.004 [−0.012, 0.020] 90 %" in cases["region"][0].text
    assert "about 46 more scenarios needed" in cases["gender"].find("error").get("message")
    text = cases["age"].find("failure").text
    assert "70: fail, effect −0.080 [−0.090, −0.070], margin 0.03" in text
    assert "change +0.004 [−0.001, 0.009], d 0.02" in text


def test_markdown_shows_the_group_that_decided_and_the_waiver(found):
    text = markdown(found)
    assert text.startswith("## ▲ Not cleared: age.\n")
    rows = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert "| ▲ fail | 70 | −0.080" in rows["| age"]
    assert "| ◐ inconclusive | Woman | +0.010" in rows["| gender"]
    assert "98 %" in rows["| age"]
    assert "| ○ waived | Hiv | −0.200" in rows["| health"]
    assert "| ● pass | Rural | +0.004 [−0.012, 0.020] 90 %" in rows["| region"].replace("\\", "")
    assert "waiver for health hiv until 2027-01-01, by A. B. (used): known" in text
    assert "- axes not asked: belief" in text
    assert "- release: counted from a ledger that has no record of this run" in text
    assert "error: 3 % over all axes (release 2)" in text
    assert "**gender**: reason of gender; about 46 more scenarios needed" in text


def test_markdown_names_the_probe_where_there_are_several(found):
    found["checks"].append({**found["checks"][0], "probe": "q"})
    text = markdown(found)
    assert [line.split(" | ")[0] for line in text.splitlines() if "▲ fail" in line] == [
        "| age in p", "| age in q",
    ]  # fmt: skip
    assert "- **age in p**: reason of age" in text and "- **age in q**: reason of age" in text


def test_what_was_not_measured_has_no_number(found):
    found["checks"] = [check("age", "inconclusive", group("22", "open", None, "too few"))]
    row = next(line for line in markdown(found).splitlines() if line.startswith("| age"))
    assert "| 22 | – | – |" in row
    assert "effect –" in junit(found).decode()
