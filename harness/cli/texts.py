"""Commands about what models write: the scorer audit."""

from __future__ import annotations

import argparse

Commands = argparse._SubParsersAction  # argparse has no public name for it


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser(
        "audit-scorer", help="how far a scorer moves when only the person's words are swapped"
    )
    audit.add_argument("scorer", metavar="NAME", help="name of a scorer")
    audit.add_argument("--axes", nargs="+", metavar="AXIS", help="only these axes")
    audit.add_argument("--json", action="store_true", help="print JSON instead of text")
    audit.set_defaults(command=audit_scorer)


def audit_scorer(given: argparse.Namespace) -> int:
    """Prints the bias by axis and group; exit code 1 where it is not shown to be small."""
    import orjson

    from harness import lexicon, policy
    from harness.documents import shipped
    from harness.scorers.audit import audit, gates

    words = lexicon.load(shipped("probes") / "lexicon")
    rules = policy.load(shipped("probes") / "policies" / "default.yaml")
    rows = audit(given.scorer, words, share=rules.margins["scores"], axes=given.axes)
    if given.json:
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return 0 if gates(rows) else 1
    for row in (row for row in rows if "missing" in row):
        print(f"{row['scorer']} in '{row['language']}': not measured, {row['missing']}")
    moved = [row for row in rows if "group" in row and (row["estimate"] or not row["small"])]
    if not moved:
        print("no text moves, blind or raw")
    for row in moved:
        where = f"{row['scorer']:18} {row['language']} {row['axis']:11} {row['group']:26}"
        numbers = " to ".join(_number(row[key]) for key in ("low", "high"))
        small = "" if row["small"] else f"  not shown below {row['half_margin']:g}"
        print(f"{where} {_number(row['estimate'])} ({numbers}){small}")
    held = gates(rows)
    print(f"{given.scorer}: its own bias on blind texts is "
          + ("below half the margin everywhere: it can gate" if held
             else "not shown to be below half the margin: it cannot gate"))  # fmt: skip
    return 0 if held else 1


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.4f}"
