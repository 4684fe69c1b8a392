"""What scorers say of texts, as a gate takes it: only those that the policy names in `gate_scores`.

A scorer whose own bias is not shown to be below half the margin decides nothing, neither pass nor
fail: its axes stay open, and so does an axis that it measured no text of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness import audits
from harness.analysis.cells import Family
from harness.compare import Side
from harness.errors import unknown
from harness.kinds import TEXTS
from harness.nouns import Record
from harness.policy import Policy
from harness.scorers import FIRST

FAMILY = Family._fields
Rows = Sequence[Mapping[str, Any]]


def check(side: Side, rules: Policy) -> None:
    """Refuse a policy that names a scorer nobody knows.

    Raises
    ------
    InputError
        With the policy's line.
    """
    known = [name for name in side.table if name != FIRST]
    for i, name in enumerate(rules.gate_scores):
        if name not in known:
            raise unknown("scorer", name, known, where=rules.place("gate_scores", i))


class Known(NamedTuple):
    """Of a gating scorer: what measured the run's texts, the run's audit, why it is too blunt."""

    measured: Record | None = None
    audit: Record | None = None
    blunt: str | None = None


def read(side: Side, rules: Policy) -> dict[str, Known]:
    """What is known of every gating scorer."""
    return {name: Known(side.measured_by(name), audits.read(side.folder, name),
                        audits.blunt(side.folder, name))
            for name in rules.gate_scores}  # fmt: skip


def families(
    axes: Rows,
    results: Mapping[str, Any],
    compared: Mapping[str, Any] | None,
    rules: Policy,
    known: Mapping[str, Known],
) -> list[tuple[Record, Rows, Rows | None]]:
    """One axis record, its effects and its changes, for every gating scorer and primary axis.

    `axes` are those of the outcomes, `known` is what `read` gave. An axis that must stay open
    has the reason as `barred`.
    """
    found: list[tuple[Record, Rows, Rows | None]] = []
    for axis in (axis for axis in axes if axis["kind"] in TEXTS):
        for name in rules.gate_scores:
            effects = _of(results["secondary"], axis, name)
            changes = None if compared is None else _of(compared["texts"], axis, name)
            measured, audit, barred = known.get(name, Known())
            if not effects or measured is None:
                effects = [_unknown(row) for row in _of(results["effects"], axis)]
                barred = f"scorer '{name}' measured no text"
            else:
                effects = [_confirmed(row) for row in effects]
                groups = [row["group"] for row in effects]
                barred = barred or audits.against(audit, measured, effects[0], groups)
            if changes == []:
                changes = None
                barred = barred or f"the baseline was not scored by the same '{name}'"
            first = effects[0]
            share = rules.allowed_change("scores", axis["axis"])
            whole = rules.margin("scores", axis["axis"])
            found.append(({
                **{key: axis[key] for key in FAMILY}, "endpoint": name,
                "name": f"{axis['axis']} by {name}", "barred": barred,
                "margin": first["margin"], "d": first["margin"] * share / whole,
                "n_scenarios": first["n_scenarios"], "groups": len(effects),
                "coverage": min(row["coverage"] for row in effects),
            }, effects, changes))  # fmt: skip
    return found


def _of(rows: Rows, axis: Mapping[str, Any], endpoint: str | None = None) -> Rows:
    return [
        row for row in rows
        if all(row[key] == axis[key] for key in FAMILY) and endpoint in (None, row["endpoint"])
    ]  # fmt: skip


def _confirmed(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A disparity that missing texts could bring below the margin is none that fails a gate."""
    bounds, margin = row["bounds"], row["margin"]
    if row["verdict"] != "disparity" or bounds is None:
        return row
    low, high = bounds["low"], bounds["high"]
    if (low is not None and low > margin) or (high is not None and high < -margin):
        return row
    return {**row, "verdict": "inconclusive", "low": None, "high": None,
            "reason": "texts that are missing could explain the difference"}  # fmt: skip


def _unknown(row: Mapping[str, Any]) -> Record:
    """A group without a number."""
    nothing = dict.fromkeys(("estimate", "standard_error", "df", "low", "high", "tost_low",
                             "tost_high"))  # fmt: skip
    return {**row, **nothing, "verdict": "inconclusive", "bounds": None}
