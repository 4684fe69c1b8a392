"""The ledger's records as the overview page needs them: names, labels, reasons, effects to draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.ledger import name_of, version_of
from harness.nouns import Record
from harness.report.phrases import Both, Labels
from harness.report.results import key

UNDECIDED = "Undecided: "
"""How the claim of an axis begins that only has a reason; the ledger keeps no other."""


def merged(records: Iterable[Record]) -> Labels:
    """The labels of all records, those of the newest one last."""
    axes: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for record in records:
        axes |= record["labels"]["axes"]
        for axis, names in record["labels"]["groups"].items():
            groups.setdefault(axis, {}).update(names)
    return Labels(axes, groups)


def version_name(record: Record, records: Sequence[Record]) -> Both:
    """The version's name, with its family's where several stand beside each other."""
    name = version_of(record)
    if len({r["model"]["family"] for r in records}) > 1:
        name = f"{record['model']['family']} {name}"
    return Both(name, name)


def with_reason(axis: Record) -> Record:
    """An axis of the ledger with the reason that its claim gives."""
    claim = axis["claim"]
    open_ = claim.startswith(UNDECIDED)
    return {**axis, "reason": claim[len(UNDECIDED) :].removesuffix(".") if open_ else None}


def marked(record: Record, axis: Record) -> Record:
    """The largest effect of an axis as something to be drawn, under the axis's verdict.

    The ledger has no bounds of missing answers.
    """
    group = axis["largest"]["group"] if axis["largest"] else None
    found = next((e for e in record["effects"]
                  if key(e) == key(axis) and e["axis"] == axis["axis"] and e["group"] == group),
                 dict.fromkeys(("estimate", "low", "high", "tost_low", "tost_high")))  # fmt: skip
    return {**found, "verdict": axis["verdict"], "margin": axis["margin"], "bounds": None}


def stem(record: Record) -> str:
    return name_of(record).removesuffix(".json")


def design_of(records: Sequence[Record]) -> str:
    return str(records[-1]["design"][:8])
