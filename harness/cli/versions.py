"""Commands across versions: history, import, compare, gate, export. Nothing heavy at the top."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.screen import put

if TYPE_CHECKING:
    from harness.policy import Policy

Commands = argparse._SubParsersAction  # argparse has no public name for it
FORMATS = ("csv", "parquet", "model-card", "eval-results", "model-index", "mlflow")


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    history = commands.add_parser("history", help="every version in the ledger, axis by axis")
    history.add_argument("--model", metavar="FAMILY", help="only this model family")
    history.add_argument("--axis", metavar="AXIS", help="only this axis")
    history.add_argument("--figure", metavar="FILE",
                         help="also draw the trend as a PNG or SVG figure")  # fmt: skip
    history.add_argument("--json", action="store_true", help="print the records instead")
    history.set_defaults(command=_history)
    bring = commands.add_parser("import", help="take in a finished run made elsewhere")
    bring.add_argument("run", metavar="RUN", help="run folder; its hashes are checked")
    bring.set_defaults(command=_import)
    compare = commands.add_parser("compare", help="what changed between versions, paired by prompt")
    compare.add_argument("runs", nargs="+", metavar="RUN", help="run folders, the oldest first")
    compare.add_argument("--common", action="store_true",
                         help="only the scenarios and groups that the runs share")  # fmt: skip
    compare.add_argument("--out", metavar="PLACE",
                         help="also write comparison.json: a folder or a .json file")  # fmt: skip
    compare.add_argument("--json", action="store_true", help="print comparison.json instead")
    compare.set_defaults(command=_compare)
    gate = commands.add_parser(
        "gate", help="may this version go out? exit code 0 pass, 1 fail, 3 inconclusive"
    )
    gate.add_argument("run", metavar="RUN", help="finished run of the new version")
    gate.add_argument("--baseline", metavar="RUN", help="finished run of the old version")
    gate.add_argument("--policy", metavar="FILE",
                      help="margins and rules (default: those fixed before the run)")  # fmt: skip
    gate.add_argument("--junit", metavar="FILE", help="write JUnit XML")
    gate.add_argument("--markdown", metavar="FILE", help="write a Markdown summary")
    gate.add_argument("--json", action="store_true", help="print JSON instead of text")
    gate.set_defaults(command=_gate)
    export = commands.add_parser("export", help="a run's results in other tools' formats")
    export.add_argument("run", metavar="RUN", help="finished run")
    export.add_argument("--format", choices=FORMATS, required=True, metavar="FORMAT",
                        help=", ".join(FORMATS))  # fmt: skip
    export.add_argument("--out", metavar="PLACE", required=True,
                        help="folder (csv, parquet), file, or MLflow tracking URI")  # fmt: skip
    export.add_argument("--dataset", metavar="OWNER/NAME",
                        help="benchmark dataset on the Hub (eval-results)")  # fmt: skip
    export.set_defaults(command=_export)


def _history(given: argparse.Namespace) -> int:
    from harness import ledger
    from harness.cli import versions_screen as screen

    records = ledger.select(ledger.read(ledger.LEDGER), family=given.model, axis=given.axis)
    if given.figure:
        from harness.report.history_figure import history_figure

        history_figure(records, Path(given.figure))
    put(records, screen.history(records, ledger.LEDGER), as_json=given.json)
    return 0


def _import(given: argparse.Namespace) -> int:
    from harness import importing

    run, record = importing.import_run(Path(given.run))
    print(f"run: {run.path}\nledger: {record}")
    return 0


def _compare(given: argparse.Namespace) -> int:
    from harness import compare
    from harness.cli import versions_screen as screen
    from harness.store import RunFolder

    found = compare.compare([RunFolder(Path(run)) for run in given.runs], common=given.common)
    text = screen.comparison(found)
    if given.out:
        text += f"\n\nwritten: {compare.write(found, Path(given.out))}"
    put(found, text, as_json=given.json)
    return 0


def _gate(given: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from harness import gate
    from harness.cli import versions_screen as screen
    from harness.report import gate_files
    from harness.store import RunFolder

    found = gate.gate(
        RunFolder(Path(given.run)),
        baseline=RunFolder(Path(given.baseline)) if given.baseline else None,
        rules=_policy(given.policy),
        today=datetime.now(UTC).date(),
    )
    if given.junit:
        Path(given.junit).write_bytes(gate_files.junit(found))
    if given.markdown:
        Path(given.markdown).write_text(gate_files.markdown(found), encoding="utf-8")
    put(found, screen.gate(found), as_json=given.json)
    return int(found["exit_code"])


def _policy(path: str | None) -> Policy | None:
    from harness import policy

    return policy.load(Path(path)) if path else None


def _export(given: argparse.Namespace) -> int:
    from harness import exports
    from harness.store import RunFolder

    run = RunFolder(Path(given.run))
    for written in exports.export(run, given.format, given.out, dataset=given.dataset):
        print(written)
    return 0
