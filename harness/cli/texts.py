"""Commands about what models write: the scorer audit, and labels by people."""

from __future__ import annotations

import argparse
from itertools import groupby

from harness.cli.screen import label, named
from harness.cli.width import pad, wrap
from harness.nouns import Record

Commands = argparse._SubParsersAction  # argparse has no public name for it


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser(
        "audit-scorer",
        help="how far a scorer moves when only the person's words are swapped, "
        "and whether it tells texts of known worth apart",
    )
    audit.add_argument("scorer", metavar="NAME",
                       help="a scorer, or YAML file of one of your own")  # fmt: skip
    audit.add_argument("--axes", nargs="+", metavar="AXIS", help="only these axes")
    audit.add_argument("--run", metavar="RUN",
                       help="finished run scored by it: keeps the audit, for `gate`")  # fmt: skip
    audit.add_argument("--json", action="store_true", help="print JSON instead of text")
    audit.set_defaults(command=audit_scorer)
    again = commands.add_parser("score", help="score a run's texts with a scorer of your own")
    again.add_argument("run", metavar="RUN", help="run folder")
    again.add_argument("definition", metavar="FILE",
                       help="YAML file: a classifier, a measurement or a judge")  # fmt: skip
    again.set_defaults(command=score)
    labels = commands.add_parser("labels", help="have people label a sample of a run's texts")
    actions = labels.add_subparsers(metavar="ACTION", required=True)
    draw = actions.add_parser("sample", help="draw whole scenarios and write sheets for raters")
    draw.add_argument("run", metavar="RUN", help="run folder")
    draw.add_argument("--scenarios", type=int, required=True, metavar="N",
                      help="scenarios of every probe and language")  # fmt: skip
    draw.set_defaults(command=labels_sample)
    bring = actions.add_parser("import", help="check the raters' sheets and correct the effects")
    bring.add_argument("run", metavar="RUN", help="run folder")
    bring.add_argument("sheets", nargs="+", metavar="FILE", help="CSV file of one or more raters")
    bring.set_defaults(command=labels_import)
    for each in (draw, bring):
        each.add_argument("--scorer", default="status", metavar="NAME",
                          help="what is labelled (default: status)")  # fmt: skip


def audit_scorer(given: argparse.Namespace) -> int:
    """Prints the bias by axis and group and the response to texts of known worth; exit code 1
    where the one is not shown to be small, or the other to be above the margin."""
    from pathlib import Path

    import orjson

    from harness import pipeline, rescore
    from harness.scorers.audit import gates
    from harness.store import RunFolder

    run = RunFolder(Path(given.run)) if given.run else None
    rows = rescore.audited(given.scorer, axes=given.axes, run=run)
    if run is not None:
        pipeline.write_report(run)
    text = "\n".join(_audited(given.scorer, rows))
    print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() if given.json else text)
    return 0 if gates(rows) else 1


def _audited(name: str, rows: list[Record]) -> list[str]:
    """An audit in lines: what moves a scorer, what it tells apart, and what that allows."""
    from harness.scorers.audit import gates, responses

    lines: list[str] = []

    def say(text: str) -> None:
        lines.extend(wrap(text, indent=4, hang=True))

    for row in (row for row in rows if "missing" in row):
        say(f"{row['scorer']} in '{row['language']}': not measured, {row['missing']}")
    moved = [row for row in rows if "group" in row and (row["estimate"] or not row["small"])]
    if not moved and any("group" in row for row in rows):
        say("no text moves, blind or raw")
    for head, members in groupby(moved, lambda r: f"{r['scorer']} · {r['language']} · {r['axis']}"):
        say(head)
        for row in members:
            numbers = " to ".join(_number(row[key]) for key in ("low", "high"))
            small = "" if row["small"] else f"  not shown below {row['half_margin']:g}"
            lines += wrap(f"{pad(row['group'], 24)} {_number(row['estimate'])} ({numbers}){small}",
                          indent=2)  # fmt: skip
    for row in responses(rows):
        say(f"{row['scorer']} · {row['language']} · texts of known worth: {_response(row)}")
    say(f"{name}: {_own_bias(rows)}, and {_told_apart(rows)}: "
        + "; ".join([_may(name, gates(rows)), *_gaps(rows).values()]))  # fmt: skip
    return lines


def _own_bias(rows: list[Record]) -> str:
    """Where the bias on blind texts is shown to be small; "everywhere" only of an audit that
    lacks no text of any language."""
    from harness.scorers.audit import blind, unbiased

    seen = blind(rows)
    if unbiased(rows):
        where = _in(seen) if _gaps(rows) else " everywhere"
        return f"its own bias on blind texts is below half the margin{where}"
    large = _in([row for row in seen if not row["small"]])
    return f"its own bias on blind texts is not shown to be below half the margin{large}"


def _told_apart(rows: list[Record]) -> str:
    """Where texts of known worth are told apart."""
    from harness.scorers.audit import responses

    seen = responses(rows)
    dull = [row for row in seen if not row["tells"]]
    if dull or not seen:
        return f"it is not shown to tell texts of known worth apart{_in(dull)}"
    missing = any("missing" in row for row in rows)
    return f"it tells texts of known worth apart{_in(seen) if missing else ''}"


def _gaps(rows: list[Record]) -> dict[str, str]:
    """By language what an audit lacks, in words; no entry where every text has a number."""
    from harness.scorers import RAW

    gaps: dict[str, str] = {}
    for language in dict.fromkeys(row["language"] for row in rows):
        members = [row for row in rows if row["language"] == language and "group" in row]
        if not members:
            gaps[language] = f"it is not measured in {language}"
            continue
        least = min(members, key=lambda row: row["texts"])
        if least["texts"] < least["of"]:
            form = "raw" if least["scorer"].endswith(RAW) else "blind"
            gaps[language] = (f"in {language} only {least['texts']} of {least['of']} {form} texts "
                              "have a number in every group")  # fmt: skip
    return gaps


def _in(rows: list[Record]) -> str:
    """The languages of some rows, as the end of a sentence."""
    languages = ", ".join(dict.fromkeys(row["language"] for row in rows))
    return f" in {languages}" if languages else ""


def _response(row: Record) -> str:
    """How far a scorer moves between texts of known worth, and what has no number."""
    endings = ", ".join(f"{how} {n}" for how, n in sorted(row["endings"].items()))
    lost = f"; texts without a number: {endings}" if endings else ""
    if row["reason"]:
        return f"not measured, {row['reason']}{lost}"
    said = (f"{_number(row['estimate'])} ({_number(row['low'])} to {_number(row['high'])}), "
            f"{row['in_margins']:.1f} margins, {row['pairs']} of {row['of']} pairs of "
            f"'{row['control']}'{lost}")  # fmt: skip
    return said if row["tells"] else f"{said} not shown above {row['margin']:g}"


def _may(name: str, held: bool) -> str:
    """What an audit means for a gate; the detector of refusals makes the outcome itself."""
    from harness.scorers import FIRST

    if name == FIRST:
        return ("what it finds is the outcome, which gates without being named in a policy"
                if held else "it makes the outcome; label a sample of the run by hand")  # fmt: skip
    return "a policy may name it in gate_scores" if held else "it cannot gate there"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.4f}"


def score(given: argparse.Namespace) -> int:
    from pathlib import Path

    from harness import rescore
    from harness.cli.screen import Screen
    from harness.store import REPORT, RunFolder

    found = rescore.rescore(RunFolder(Path(given.run)), Path(given.definition), listener=Screen())
    print(found.path / REPORT)
    return 0


def labels_sample(given: argparse.Namespace) -> int:
    from pathlib import Path

    from harness import labels
    from harness.errors import InputError
    from harness.store import RunFolder

    if given.scenarios < 1:
        raise InputError(f"--scenarios {given.scenarios}: must be at least 1")
    print(labels.sample(RunFolder(Path(given.run)), scenarios=given.scenarios,
                        scorer=given.scorer))  # fmt: skip
    return 0


def labels_import(given: argparse.Namespace) -> int:
    """Prints every group's effect, automatic and corrected, and the scorer's error; the report
    shows them from then on."""
    from pathlib import Path

    from harness import labels, pipeline
    from harness.store import RunFolder

    run = RunFolder(Path(given.run))
    found = labels.bring_in(run, [Path(sheet) for sheet in given.sheets], scorer=given.scorer)
    print(_labelled(found, run.manifest()["labels"]))
    print(f"report: {pipeline.write_report(run)}")
    return 0


def _labelled(found: Record, labels: Record) -> str:
    """What people's labels say of the effects and of the scorer, a table a family."""
    lines: list[str] = []
    for family in found["families"]:
        head = " · ".join(
            [family["probe"], family["language"], f"{family['cue']} cues", family["axis"]]
        )
        lines += wrap(f"{head}: {found['scorer']} labelled in {family['labelled']} scenarios, "
                      f"{family['unlabelled']} not")  # fmt: skip
        if not family["raters"]["reliable"]:
            lines += wrap("! these labels are not shown to be reliable: the raters' alpha must "
                          "be above 0.67 with its whole interval", indent=2)  # fmt: skip
        lines += wrap(f"agreement (alpha): raters {_alpha(family['raters'])}; scorer and raters "
                      f"{_alpha(family['scorer_and_people'])}", indent=2)  # fmt: skip
        lines.append(_row("", "automatic", "corrected", "labels minus scorer"))
        for row in family["groups"]:
            error = {"estimate": row["error"], "low": row["error_low"], "high": row["error_high"]}
            name = label(labels, family["axis"], row["group"])
            lines.append(_row(name, *map(_effect, (row["automatic"], row["corrected"], error))))
        whys = {
            row[way]["reason"]: way
            for row in family["groups"] for way in ("automatic", "corrected")
            if row[way]["reason"] and row[way]["estimate"] is None
        }  # fmt: skip
        for why, way in whys.items():
            lines += wrap(f"{way}: {named(labels, family['axis'], why)}", indent=2)
        if family["labels_alone"]:
            lines += wrap("corrected: few yes or few no among the labels, so by the labels alone, "
                          "with bounds that assume no distribution", indent=2)  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def _row(name: str, *cells: str) -> str:
    return f"{pad(name, 19)}  {'  '.join(f'{cell:<18}' for cell in cells)}".rstrip()


def _effect(found: Record) -> str:
    """With its interval, in two decimals: 18 columns."""
    if found["estimate"] is None:
        return "not measured"
    numbers = (f"{found[key]:+.2f}" for key in ("estimate", "low", "high"))
    value, low, high = ("0.00" if float(n) == 0 else n.replace("-", "−") for n in numbers)
    return f"{value} {low}…{high}"


def _alpha(found: Record) -> str:
    if found["alpha"] is None:
        return f"not measured, {found['reason']}"
    if found["low"] is None:
        return "not measured: no interval"
    return f"{found['alpha']:.2f} ({found['low']:.2f}…{found['high']:.2f})".replace("-", "−")
