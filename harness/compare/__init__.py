"""Versions side by side: the paired change of every effect, and the sets that changed most.

Two runs are paired prompt by prompt, so what a scenario does to every version drops out; what
was not asked, put or scored in the same way is refused, unless only what is shared is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

import harness
from harness import kinds, provenance, stats
from harness.analysis.cells import Family, cells
from harness.analysis.claims import share, why_open
from harness.analysis.scenarios import needed
from harness.compare import pairing
from harness.compare.sets import SETS, changed_sets
from harness.compare.sides import Both, Endpoint, Results, Side, aligned, load, outcome, scored
from harness.errors import InputError
from harness.nouns import Record
from harness.policy import Policy, restore
from harness.store import RunFolder, writing

__all__ = ["SETS", "Side", "compare", "load", "pair", "write"]

SCHEMA = 1
ORDER = ("worse", "inconclusive", "better", "unchanged")
"""An axis, and a comparison, has the first of these verdicts that any of its parts has."""


def compare(
    folders: Sequence[RunFolder], *, rules: Policy | None = None, common: bool = False
) -> Record:
    """The content of `comparison.json`: two versions, or each against the last and the first.

    Parameters
    ----------
    folders : at least two finished runs, the oldest version first.
    rules : margins, d and alpha; those the newer run of each pair was made under by default.
    common : take only the scenarios and groups that a pair shares, and say what was left out.

    Raises
    ------
    InputError
        Fewer than two runs, an unfinished or changed one, one given twice, two versions of one
        name, or a pair that was not asked, put or scored in the same way.
    """
    if len(folders) < 2:
        raise InputError("compare: give at least two runs, the oldest version first")
    sides = [load(folder) for folder in folders]
    pairs: dict[tuple[int, int], list[str]] = {}
    for i in range(1, len(sides)):
        pairs.setdefault((i - 1, i), []).append("previous")
        pairs.setdefault((0, i), []).append("baseline")
    return {
        "schema": SCHEMA,
        "created": provenance.now(),
        "harness_version": harness.__version__,
        "comparisons": [
            {"role": role, **pair(sides[old], sides[new], rules=rules, common=common)}
            for (old, new), role in pairs.items()
        ],
    }


def write(found: Record, place: Path) -> Path:
    """Write `found` to `place`: a .json file, or `comparison.json` in a folder.

    Raises
    ------
    InputError
        Something that is no comparison stands there already; it is left as it is.
    StoreError
        It cannot be written.
    """
    path = place if place.suffix == ".json" else place / "comparison.json"
    if path.exists():
        try:
            earlier = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            earlier = None
        if not isinstance(earlier, dict) or "comparisons" not in earlier:
            raise InputError(f"--out {path}: exists and is no comparison; give another place")
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    return RunFolder(path.parent).write_json(path.name, found)


def pair(old: Side, new: Side, *, rules: Policy | None = None, common: bool = False) -> Record:
    """One comparison: see docs/versions.md for its keys."""
    pairing.check(old.folder.path, old.manifest, new.folder.path, new.manifest, common=common)
    made_under = restore(new.manifest["policy"], new.folder.path)
    rules = rules or made_under
    left_out: list[str] = []
    if common:
        shared = pairing.shared(old.design.prompts, new.design.prompts)
        left_out = shared.left_out
        old, new = old.only(shared.old), new.only(shared.new)
    before, after = Results(old.results(rules)), Results(new.results(rules))
    of_old, of_new = old.families, new.families
    effects, axes, sets, texts = [], [], [], []
    judging = [name for name in rules.gate_scores if name in new.table
               and old.measured_by(name) == new.measured_by(name) is not None]  # fmt: skip
    for family in of_new:
        if family not in of_old:
            continue
        endpoint = outcome(family, rules)
        both = aligned(*(cells(of[family], endpoint.name) for of in (of_old, of_new)))
        if len(both.groups) < 2:
            continue
        rows, axis = _family(family, both, before, after, rules, endpoint)
        effects += rows
        axes.append(axis)
        for name in judging if family.kind in kinds.TEXTS else ():
            measure = scored(family, rules, name, new.table[name])
            of_both = aligned(*(cells(of[family], name) for of in (of_old, of_new)))
            if not np.isnan(of_both.change).all():
                texts += _family(family, of_both, before, after, rules, measure)[0]
        sets += changed_sets(family, both, old, new)
    if not axes:
        raise InputError(
            f"{old.folder.path} and {new.folder.path} share no axis with two groups: "
            "there is nothing to compare"
        )
    return {
        "old": old.record, "new": new.record,
        "policy": {"name": rules.name, "version": rules.version, "hash": rules.hash,
                   "chosen_after_data": rules.hash != made_under.hash, "alpha": rules.alpha},
        "verdict": _first(axis["verdict"] for axis in axes),
        "common": common, "left_out": left_out,
        "differs": pairing.differences(old.manifest, new.manifest),
        "labels": new.manifest["labels"],
        "axes": axes, "effects": effects, "texts": texts, "sets": sets,
    }  # fmt: skip


# -- one family --------------------------------------------------------------------------------


def _family(
    family: Family, both: Both, before: Results, after: Results, rules: Policy, of: Endpoint
) -> tuple[list[Record], Record]:
    """Changes of every group of one family, and the axis record over them."""
    d = of.d
    diff, changes = stats.version_changes(both.old.mean, both.new.mean, d=d, alpha=rules.alpha)
    bounds = _bounds(both, of.range, d, rules.alpha)
    faults = [
        f"{version} version: {fault}"
        for version, results in (("new", after), ("old", before))
        for fault in results.faults(family)
    ]
    rows = []
    for k, group in enumerate(both.groups):
        change, reason = str(changes[k]), None
        verdict = "unchanged" if change == "within" else change
        if diff.n < rules.minimum_scenarios:
            verdict = "inconclusive"
            reason = (f"{diff.n} of {len(both.scenarios)} scenarios complete in both versions, "
                      f"at least {rules.minimum_scenarios} are needed")  # fmt: skip
        elif verdict in ("unchanged", "better"):
            reason = _blocked(both, k, bounds if verdict == "unchanged" else None, d, rules)
            reason = reason or next(iter(faults), None)
            verdict = "inconclusive" if reason else verdict
        elif verdict == "inconclusive":
            reason = _open(diff, k, d)
        rows.append({
            **family._asdict(), "group": group, "endpoint": of.name, "unit": of.unit,
            **{name: stats.finite(getattr(diff, name)[k]) for name in NUMBERS},
            "verdict": verdict, "reason": reason, "identical": change == "unchanged",
            "d": d, "margin": of.margin, "alpha": rules.alpha,
            "n_scenarios": diff.n, "n_designed": len(both.scenarios),
            "coverage": float(min(both.old.coverage[k], both.new.coverage[k])),
            "bounds": None if bounds is None else {
                name: stats.finite(getattr(bounds, name)[k])
                for name in ("lower", "upper", "low", "high")
            },
            "old": before.effect(family, of.name, group),
            "new": after.effect(family, of.name, group),
        })  # fmt: skip
    return rows, _axis(family, rows, before, after, faults)


NUMBERS = ("estimate", "standard_error", "df", "low", "high", "tost_low", "tost_high", "p_value",
           "p_adjusted")  # fmt: skip


def _blocked(
    both: Both, k: int, bounds: stats.MissingBounds | None, d: float, rules: Policy
) -> str | None:
    """Why group k's change must not be called small, or good, although the answers look so."""
    for version, side in (("new", both.new), ("old", both.old)):
        worst = int(side.coverage.argmin())
        if side.coverage[worst] < rules.coverage_floor:
            return (
                f"coverage {share(side.coverage[worst])} in group '{both.groups[worst]}' of the "
                f"{version} version, needs {share(rules.coverage_floor)}"
            )
    if bounds is not None and bounds.verdict[k] != "equivalent":
        return f"what is missing could move the change to d = {d:g}"
    return None


def _open(diff: stats.GroupEffects, k: int, d: float) -> str:
    """Why a change is neither small nor shown."""
    if np.isnan(diff.low[k]):
        return str(diff.reason[k])
    return f"change neither shown to be below d = {d:g} nor to be other than 0"


def _bounds(
    both: Both, limits: tuple[float, float], d: float, alpha: float
) -> stats.MissingBounds | None:
    """Worst-case bounds of the change where a response of either version is missing."""
    partial = [side.answered < side.asked for side in (both.old, both.new)]
    if not (partial[0] | partial[1]).any():
        return None
    ends = []
    for side, missing in zip((both.old, both.new), partial, strict=True):
        least, most = side.extremes(*limits)
        ends.append((np.where(missing, least, side.mean), np.where(missing, most, side.mean)))
    (old_least, old_most), (new_least, new_most) = ends
    low, high = new_least - old_most, new_most - old_least
    open_ = partial[0] | partial[1]
    span = limits[1] - limits[0]
    known = np.where(open_, np.nan, both.new.mean - both.old.mean)
    return stats.missing_bounds(
        known, margin=d, alpha=alpha,
        low=np.where(open_, low, -span), high=np.where(open_, high, span),
    )  # fmt: skip


def _axis(
    family: Family, rows: Sequence[Record], before: Results, after: Results, faults: Sequence[str]
) -> Record:
    verdict = _first(row["verdict"] for row in rows)
    defined = [row for row in rows if row["estimate"] is not None]
    largest = max(defined, key=lambda row: abs(row["estimate"]), default=None)
    open_ = [row for row in rows if row["verdict"] == "inconclusive"]
    axis: Record = {
        **family._asdict(),
        "verdict": verdict,
        "reason": why_open(open_, largest["group"] if largest else None)
        if verdict == "inconclusive" else None,
        "largest": largest and {
            name: largest[name] for name in ("group", "estimate", "low", "high", "verdict")
        },
        "old_verdict": before.verdict(family),
        "new_verdict": after.verdict(family),
        **{name: rows[0][name] for name in ("n_scenarios", "n_designed", "unit", "d", "margin",
                                            "alpha")},
        "groups": len(rows),
        "scenarios_needed": needed(open_, rows[0]["d"], groups=len(rows), faults=faults)
        if verdict == "inconclusive" else None,
    }  # fmt: skip
    return {**axis, "claim": _claim(axis)}


def _claim(axis: Record) -> str:
    """One English sentence for the axis, never stronger than its verdict."""
    error = f"{axis['alpha'] * 100:g} % error"
    if axis["verdict"] == "worse":
        return f"At least one group is treated further apart than before ({error} for the axis)."
    if axis["verdict"] == "better":
        return (
            f"At least one group is treated less far apart than before ({error} for the axis); "
            "none is shown to be treated further apart."
        )
    if axis["verdict"] == "unchanged":
        return f"No group's effect changed by {axis['d']:g} or more ({error})."
    if axis["scenarios_needed"]:
        return f"Not enough data: about {axis['scenarios_needed']} more scenarios are needed."
    return f"Undecided: {axis['reason'] or 'no interval could be computed'}."


def _first(verdicts: Any) -> str:
    found = set(verdicts)
    return next(word for word in ORDER if word in found)
