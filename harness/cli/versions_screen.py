"""How history, comparisons and gates look in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.cli.screen import GLYPH, label, largest_effect, number
from harness.cli.screen import named as by_name
from harness.cli.width import fit, pad, short, wrap
from harness.ledger import LEDGER, version_of
from harness.nouns import Record

CHANGE = {"worse": "▲", "better": "▽", "unchanged": "●", "inconclusive": "◐"}
GATE = {"pass": "●", "waived": "○", "fail": "▲", "inconclusive": "◐"}
SETS = 3
"""Sets of a comparison that a terminal shows; comparison.json has more."""
FAMILY = ("probe", "language", "cue")
Row = Mapping[str, Any]


def history(records: Sequence[Record], ledger: Path) -> str:
    """Every version of every family, axis by axis, the oldest first."""
    if not records:
        return f"no runs in {ledger} yet: a finished `bias-harness run` adds one"
    lines: list[str] = []
    for family in dict.fromkeys(record["model"]["family"] for record in records):
        mine = [record for record in records if record["model"]["family"] == family]
        several = len({_family(row) for record in mine for row in record["axes"]}) > 1
        lines += ["", *wrap(family)] if lines else wrap(family)
        lines.append(fit("  date       version       ", "largest effect",
                         f"{'interval':<13} {'verdict':<14}   n"))  # fmt: skip
        keys = dict.fromkeys((_family(a), a["axis"]) for r in mine for a in r["axes"])
        for of, axis in keys:
            lines += ["", *wrap(axis + (f" ({', '.join(of)})" if several else ""))]
            design = None
            for record in mine:
                for row in record["axes"]:
                    if (_family(row), row["axis"]) != (of, axis):
                        continue
                    if record["design"] != design and len({r["design"] for r in mine}) > 1:
                        lines.append(f"  design {record['design'][:8]}")
                    design = record["design"]
                    lines.append(_version(record, row))
    if len({record["design"] for record in records}) > 1:
        lines += ["", *wrap("only runs of one design can be compared")]
    return "\n".join(lines)


def _version(record: Record, found: Row) -> str:
    effect, group, interval = largest_effect(found, record["labels"])
    end = f"{interval:<13} {GLYPH[found['verdict']]} {found['verdict']:<12}"
    end += f" {found['n_scenarios']:>3}"
    start = f"  {record['date'][:10]} {pad(version_of(record), 14)}"
    return fit(start, f"{effect} {group}".rstrip(), end)


def comparison(found: Record) -> str:
    """Every pair: the axes, what was left out, the sets that changed most."""
    return "\n\n".join("\n".join(_pair(pair)) for pair in found["comparisons"])


def _pair(pair: Record) -> list[str]:
    names = [f"{pair[s]['model']['name']} version {pair[s]['model']['version']}"
             for s in ("old", "new")]  # fmt: skip
    if pair["role"] == ["baseline"]:
        names[0] += " (the first)"
    lines = [*wrap(f"old: {names[0]}", 5, hang=True), *wrap(f"new: {names[1]}", 5, hang=True)]
    for row in pair["differs"]:
        lines += wrap(f"differs: {row['what']}: {_words(row['old'])} -> {_words(row['new'])}", 9,
                      hang=True)  # fmt: skip
    for said in pair["left_out"]:
        lines += wrap(f"left out: {said}", 10, hang=True)
    policy = pair["policy"]
    if policy["chosen_after_data"]:
        lines += wrap(f"policy {policy['name']}: chosen after the data")
    family = None
    several = len({_family(axis) for axis in pair["axes"]}) > 1
    for axis in pair["axes"]:
        if _family(axis) != family:
            family = _family(axis)
            lines += ["", " · ".join(family)] if several else [""]
            lines.append(_row("axis", "largest change", "interval", "verdict", "n"))
        lines.append(_axis(axis, pair["labels"]))
        if axis["verdict"] == "inconclusive":
            lines += wrap(by_name(pair["labels"], axis["axis"], axis["claim"]), indent=4)
    lines += ["", *_reading(pair["axes"])]
    return lines + _sets(pair)


def _row(axis: str, effect: str, interval: str, verdict: str, n: str) -> str:
    return fit(pad(axis, 11), effect, f"{interval:<17} {verdict:<14} {n:>4}")


def _axis(axis: Row, labels: Record) -> str:
    effect, group, interval = largest_effect(axis, labels)
    verdict = f"{CHANGE[axis['verdict']]} {axis['verdict']}"
    return _row(axis["axis"], f"{effect} {group}".rstrip(), interval, verdict,
                str(axis["n_scenarios"]))  # fmt: skip


def _reading(axes: Iterable[Row]) -> list[str]:
    ds = " or ".join(f"{d:g}" for d in sorted({axis["d"] for axis in axes}))
    return wrap(
        "change: the effect in the new version minus that in the old, paired by scenario, with "
        f"its simultaneous interval; ● every change lies within ±{ds} (90 % interval); ▲ shown "
        "to have moved, and as far from the others as before or further; ▽ moved, but nearer"
    )


def _sets(pair: Record) -> list[str]:
    """The most changed sets of the pair, old and new outcome of every group side by side."""
    sets = sorted(pair["sets"], key=lambda s: -abs(s["change"]))[:SETS]
    lines = ["", f"the sets that changed most ({len(sets)} of {len(pair['sets'])} in "
             "comparison.json)"] if sets else []  # fmt: skip
    for found in sets:
        where = f"{found['axis']}, scenario {found['scenario']} ({found['language']})"
        lines += ["", *wrap(where), f"  {'group':<34} {'old':>12} {'new':>12} {'change':>8}"]
        for cell in found["cells"]:
            name = label(pair["labels"], found["axis"], cell["group"])
            change = "" if cell["change"] is None else number(cell["change"])
            lines.append(f"  {pad(name, 34)} {_outcome(cell['old']):>12} "
                         f"{_outcome(cell['new']):>12} {change:>8}")  # fmt: skip
    return lines


def _outcome(side: Row) -> str:
    return f"{side['outcome']:.3f}" if side["outcome"] is not None else side["status"] or "-"


def gate(found: Record) -> str:
    """The sentence first, then every primary axis, then what the reader must know of the rules."""
    from harness.gate_sentence import named, told_apart  # heavy, and `history` needs none of it
    from harness.report.gate_files import line

    lines = [*wrap(f"{GATE[found['verdict']]} {found['sentence']}"), ""]
    apart = told_apart(found["checks"])
    for check in found["checks"]:
        lines += wrap(
            f"{GATE[check['verdict']]} {check['verdict']:<13} {named(check, apart)}: "
            f"{len(check['groups'])} groups, {check['n_scenarios']} scenarios"
        )
        if check["verdict"] != "pass":
            lines += wrap(check["reason"], indent=4)
            for row in (row for row in check["groups"] if row["state"] == "fail"):
                lines += wrap(line(check, {**row, "reason": None}), indent=4)
        if check["scenarios_needed"]:
            lines += wrap(f"about {check['scenarios_needed']} more scenarios needed", indent=4)
    policy = found["policy"]
    lines += ["", *wrap(f"policy {policy['name']} version {policy['version']} "
                        f"({policy['hash'][:8]}), {_error(found)}")]  # fmt: skip
    if policy["note"]:
        lines += wrap(f"! {policy['note']}")
    if found["release"] and not found["recorded"]:
        lines += wrap(f"! the ledger of this folder ({LEDGER}) has no record of this run: its "
                      "release is counted from what is there")  # fmt: skip
    if found["not_asked"]:
        lines += wrap(f"! not asked: {', '.join(found['not_asked'])}")
    for waiver in found["waivers"]:
        where = " ".join(filter(None, (waiver["probe"], waiver["axis"], waiver["group"])))
        used = "waived" if waiver["used"] else "waiver not used"
        lines += wrap(f"! {used}: {where} until {waiver['expires']}, by {waiver['person']}: "
                      f"{waiver['reason']}")  # fmt: skip
    return "\n".join(lines)


def _error(found: Record) -> str:
    said = f"{100 * found['alpha']:.2g} % error over all axes"
    return said + (f", release {found['release']} of its family" if found["release"] else "")


def _family(row: Row) -> tuple[str, ...]:
    return tuple(row[key] for key in FAMILY)


def _words(value: object, most: int = 60) -> str:
    return short("none" if value is None else " ".join(str(value).split()), most)
