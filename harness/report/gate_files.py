"""A gate's decision as CI systems show it: JUnit XML and a Markdown summary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from harness.gate_sentence import named, told_apart
from harness.nouns import Record
from harness.report.numbers import defined, interval, signed

GLYPH = {"pass": "●", "waived": "○", "fail": "▲", "inconclusive": "◐"}
WITHIN = ("equivalent", "unchanged")
"""Verdicts that the 90 % interval gives."""
CONTROL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold."""


def junit(found: Mapping[str, Any]) -> bytes:
    """One test case a primary axis: failed, in error where inconclusive, skipped where waived.

    An inconclusive axis is an error, never skipped: skipped cases look green.
    """
    checks = found["checks"]
    count = {word: sum(c["verdict"] == word for c in checks) for word in GLYPH}
    suite = ElementTree.Element(
        "testsuite", name="bias-harness gate", tests=str(len(checks)),
        failures=str(count["fail"]), errors=str(count["inconclusive"]),
        skipped=str(count["waived"]),
        timestamp=found["created"].removesuffix("Z"), time="0",
    )  # fmt: skip
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _facts(found):
        ElementTree.SubElement(properties, "property", name=name, value=_clean(value))
    for check in checks:
        case = ElementTree.SubElement(
            suite, "testcase", time="0", name=check["name"],
            classname=".".join(check[key] for key in ("probe", "language", "cue")),
        )  # fmt: skip
        text = _clean("\n".join(line(check, row) for row in check["groups"]))
        if check["verdict"] == "waived":
            ElementTree.SubElement(case, "skipped", message=_clean(f"waived: {_reason(check)}"))
        elif check["verdict"] != "pass":
            kind = "failure" if check["verdict"] == "fail" else "error"
            wrong = ElementTree.SubElement(
                case, kind, type=check["verdict"], message=_clean(_reason(check))
            )
            wrong.text = text
        ElementTree.SubElement(case, "system-out").text = text
    whole = ElementTree.Element("testsuites", name="bias-harness gate")
    whole.append(suite)
    ElementTree.indent(whole)
    found_bytes: bytes = ElementTree.tostring(whole, encoding="utf-8", xml_declaration=True)
    return found_bytes + b"\n"


def markdown(found: Mapping[str, Any]) -> str:
    """The decision with one row a primary axis, for a CI system's summary page."""
    lines = [f"## {GLYPH[found['verdict']]} {_cell(found['sentence'])}", ""]
    lines += [f"- {name}: {_cell(value)}" for name, value in _facts(found)]
    lines += ["", "| axis | result | group | effect | change since the baseline | n | answered |",
              "|---|---|---|---|---|---:|---:|"]  # fmt: skip
    apart = told_apart(found["checks"])
    for check in found["checks"]:
        row = _worst(check)
        change = row["change"] or {}
        cells = (
            named(check, apart), f"{GLYPH[check['verdict']]} {check['verdict']}", row["label"],
            _number(row), _number(change), str(check["n_scenarios"]),
            f"{100 * check['coverage']:.0f} %",
        )  # fmt: skip
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    open_ = [check for check in found["checks"] if check["verdict"] != "pass"]
    lines += ["", *(f"- **{_cell(named(c, apart))}**: {_cell(_reason(c))}" for c in open_)]
    for waiver in found["waivers"]:
        lines.append(f"- {_cell(_waiver(waiver))}")
    lines += ["", "Effect: how much more (+) or less (−) of the favourable outcome a group gets "
              "than the mean of the others; intervals hold over all groups of all axes at once, "
              "but those marked 90 %, which lie within the margin (or d) and so make a group pass. "
              "Not a statement that the model is fair."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    run, policy = found["run"], found["policy"]
    facts = [("verdict", found["verdict"]), ("run", _version(run))]
    if found["baseline"]:
        facts.append(("baseline", _version(found["baseline"])))
    said = f"{policy['name']} version {policy['version']} ({policy['hash'][:8]})"
    facts.append(("policy", f"{said}, {policy['note']}" if policy["note"] else said))
    facts.append(("error", f"{100 * found['alpha']:.2g} % over all axes"
                  + (f" (release {found['release']})" if found["release"] else "")))  # fmt: skip
    if found["release"] and not found["recorded"]:
        facts.append(("release", "counted from a ledger that has no record of this run"))
    if found["not_asked"]:
        facts.append(("axes not asked", ", ".join(found["not_asked"])))
    if found["scenarios_needed"]:
        facts.append(("scenarios still needed", str(found["scenarios_needed"])))
    return facts


def _version(run: Mapping[str, Any]) -> str:
    model = run["model"]
    return f"{model['name']} version {model['version']} ({run['fingerprint'][:8]}), {run['run']}"


def _worst(check: Mapping[str, Any]) -> Record:
    """The group that decided: one of the state that made the verdict, the largest effect of it."""
    state = {"fail": "fail", "inconclusive": "open", "waived": "waived"}.get(check["verdict"])
    rows = [row for row in check["groups"] if state in (None, row["state"])]
    worst: Record = max(rows, key=lambda row: abs(row["estimate"] or 0.0))
    return worst


def _reason(check: Mapping[str, Any]) -> str:
    said = str(check["reason"])
    if check["scenarios_needed"]:
        said += f"; about {check['scenarios_needed']} more scenarios needed"
    return said


def line(check: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """A group's state, numbers and reason."""
    said = f"{row['label']}: {row['state']}, effect {_number(row)}, margin {check['margin']:g}"
    if row["change"]:
        said += f"; change {_number(row['change'])}, d {check['d']:g}"
    said += f"; {row['reason']}" if row["reason"] else ""
    for each in check["groups"]:
        said = said.replace(f"'{each['group']}'", f"'{each['label']}'")
    return said


def _waiver(waiver: Mapping[str, Any]) -> str:
    where = " ".join(filter(None, (waiver["probe"], waiver["axis"], waiver["group"])))
    used = "used" if waiver["used"] else "not used"
    return (f"waiver for {where} until {waiver['expires']}, by {waiver['person']} ({used}): "
            f"{waiver['reason']}")  # fmt: skip


def _number(row: Mapping[str, Any]) -> str:
    if not row or not defined(row["estimate"]):
        return "–"
    if row["verdict"] in WITHIN and defined(row["tost_low"]):
        return f"{signed(row['estimate'])} {interval(row['tost_low'], row['tost_high'])} 90 %"
    if not defined(row["low"]):
        return f"{signed(row['estimate'])} (no interval)"
    return f"{signed(row['estimate'])} {interval(row['low'], row['high'])}"


def _cell(text: str) -> str:
    """Text in a Markdown table: nothing in it is markup."""
    text = " ".join(CONTROL.sub("", str(text)).split())
    return re.sub(r"([\\`*_\[\]<>|&~])", r"\\\1", text)


def _clean(text: str) -> str:
    return CONTROL.sub("", str(text))
