"""From effects and a comparison, by a policy, to pass, fail or inconclusive.

- Fail: a material disparity in a primary family; or a change not shown to be within d, whose
  interval excludes 0, while the effect is as large as it was or larger.
- Pass: every primary axis equivalent, and every change within d.
- Inconclusive otherwise, and an inconclusive result never passes. What is waived counts for
  neither; where nothing is left that passed by the data, the gate is inconclusive.

Crossed axes ("age+gender") are exploratory: they are shown and never gate. What scorers say of
texts gates only where the policy asks for it, by a scorer that passed its audit.

A gate is one sentence about a whole run, so its intervals hold over all groups of all primary
families at once, and over a family's releases where the policy spends alpha.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from harness import compare, gate_scores, kinds, ledger, policy, provenance, stats
from harness.analysis.cells import Family, ProbeKey
from harness.analysis.scenarios import needed
from harness.compare import Side
from harness.errors import InputError, unknown
from harness.gate_sentence import passed, sentence
from harness.lexicon import CROSSED
from harness.nouns import AXES, Record
from harness.policy import Policy, Waiver
from harness.stats.intervals import Intervals, t_intervals
from harness.store import RunFolder

SCHEMA = 1
EXIT = {"pass": 0, "fail": 1, "inconclusive": 3}
FAMILY = Family._fields
Rows = Sequence[Mapping[str, Any]]


def gate(
    run: RunFolder,
    *,
    baseline: RunFolder | None = None,
    rules: Policy | None = None,
    records: Path = ledger.LEDGER,
    today: date,
) -> Record:
    """Whether a version may go out: verdict, sentence, and a check of every primary axis.

    Parameters
    ----------
    run, baseline : finished runs of the new and the old version on one design.
    rules : the policy; the one the run was made under by default.
    records : the ledger, from which the number of the release is counted.
    today : the day on which waivers must still hold.

    Raises
    ------
    InputError
        An unfinished or changed run, one that the ledger knows with other results, a baseline
        that cannot be paired with it, an expired waiver, a name in the policy that nothing has, a
        primary probe that was not asked, or no margin for a task kind.
    """
    side = compare.load(run)
    known = ledger.read(records)
    ledger.confirm(side.manifest, run, known)
    made_under = policy.restore(side.manifest["policy"], run.path)
    rules = rules or made_under
    rules.check_waivers(today)
    rules.check_names([*kinds.KINDS, "scores"], [*AXES, "other", *side.manifest["labels"]["axes"]])
    _check_asked(side, rules)
    gate_scores.check(side, rules)
    compared = None
    if baseline is not None:
        compared = compare.pair(compare.load(baseline), side, rules=rules)
    release = _release(side.manifest, known) if rules.spending else None
    scorers = gate_scores.read(side, rules)
    found = judge(side.results(rules), compared, rules, release=release, scorers=scorers,
                  labels=side.manifest["labels"],
                  rules_after_data=_bare(rules) != _bare(made_under))  # fmt: skip
    return {
        "schema": SCHEMA, "created": provenance.now(), **found,
        "run": side.record, "baseline": compared and compared["old"],
        "policy": {"name": rules.name, "version": rules.version, "hash": rules.hash,
                   "alpha": rules.alpha, "chosen_after_data": rules.hash != made_under.hash,
                   "note": _note(rules, made_under)},
        "labels": side.manifest["labels"],
        "recorded": ledger.has(side.manifest, known),
    }  # fmt: skip


def judge(
    results: Mapping[str, Any],
    compared: Mapping[str, Any] | None,
    rules: Policy,
    *,
    release: int | None = None,
    scorers: Mapping[str, gate_scores.Known] | None = None,
    labels: Record | None = None,
    rules_after_data: bool = False,
) -> Record:
    """The decision from `effects.json`, a comparison (or None) and the policy alone.

    `release` counts the family's versions from 1 where alpha is spent over them. `scorers` is
    what `gate_scores.read` gives; `labels` are the manifest's; `rules_after_data` says that
    the rules, not the waivers alone, are not those fixed before the run.
    """
    people = (labels or {}).get("groups", {})
    axes = [
        a for a in results["axes"]
        if CROSSED not in a["axis"] and (not rules.primary or a["probe"] in rules.primary)
    ]  # fmt: skip
    if not axes:
        raise InputError("no axis of a primary probe has a result: there is nothing to decide")
    effects = _by_family(results["effects"])
    changes = None if compared is None else _by_family(compared["effects"])
    families: list[tuple[Record, Rows, Rows | None]] = [
        ({**axis, "endpoint": None, "name": axis["axis"], "barred": None,
          "margin": rules.margin(axis["kind"], axis["axis"]),
          "d": rules.allowed_change(axis["kind"], axis["axis"])},
         effects[_key(axis)], None if changes is None else changes[_key(axis)])
        for axis in axes
    ]  # fmt: skip
    families += gate_scores.families(axes, results, compared, rules, scorers or {})
    spent = rules.alpha if release is None else stats.alpha_spending(release, rules.alpha)
    sizes = sum(stats.family_size(axis["groups"]) for axis, *_ in families)
    many = sizes * rules.alpha / spent
    used: dict[int, Waiver] = {}
    faulty = {_probe(probe) for probe in results.get("probes", ()) if probe["faults"]}
    checks = [
        _check({**axis, "faulty": _probe(axis) in faulty}, rows, new, rules, many, used, people)
        for axis, rows, new in families
    ]
    verdicts = {check["verdict"] for check in checks}
    shown = "pass" if passed(checks) else "inconclusive"
    verdict = next((word for word in ("fail", "inconclusive") if word in verdicts), shown)
    open_ = [check for check in checks if check["verdict"] == "inconclusive"]
    needs = [check["scenarios_needed"] for check in open_]
    most = max(needs) if needs and None not in needs else None
    found: Record = {
        "verdict": verdict,
        "exit_code": EXIT[verdict],
        "scenarios_needed": most if verdict == "inconclusive" else None,
        "release": release, "alpha": spent, "comparisons": many,
        "rules_after_data": rules_after_data,
        "checks": checks,
        "not_asked": [axis for axis in AXES if axis not in {check["axis"] for check in checks}],
        "waivers": [_waived(waiver, i in used) for i, waiver in enumerate(rules.waivers)],
    }  # fmt: skip
    since = None if compared is None else compared["old"]["model"]["version"]
    return {**found, "sentence": sentence(found, since, rules.alpha)}


# -- one axis of one family --------------------------------------------------------------------


def _check(
    axis: Record, effects: Rows, changes: Rows | None, rules: Policy, many: float,
    used: dict[int, Waiver], people: Mapping[str, Any],
) -> Record:  # fmt: skip
    margin, d, barred = axis["margin"], axis["d"], axis["barred"]
    wide = _intervals(effects, rules.alpha, many)
    steps = None if changes is None else _intervals(changes, rules.alpha, many)
    groups = []
    for k, effect in enumerate(effects):
        row: Record = {
            "group": effect["group"],
            "label": people.get(axis["axis"], {}).get(effect["group"], {}).get("en")
            or effect["group"],
            "estimate": effect["estimate"], **_ends(wide, k), **_narrow(effect),
            "verdict": effect["verdict"], "change": None,
        }  # fmt: skip
        states = [_effect_state(effect, wide, k, margin)]
        if changes is not None and steps is not None:
            change = changes[k]
            row["change"] = {"estimate": change["estimate"], **_ends(steps, k),
                             **_narrow(change), "verdict": change["verdict"]}  # fmt: skip
            states.append(_change_state(change, steps, k))
        if barred:
            states = [("open", barred)]
        bad = [state for state in states if state[0] == "fail"]
        state, reason = next(iter(bad or [s for s in states if s[0] == "open"]), ("pass", None))
        waiver = _waiver(rules, axis, effect["group"]) if state != "pass" else None
        if waiver is not None:
            used[waiver] = rules.waivers[waiver]
        groups.append({**row, "state": "waived" if waiver is not None else state,
                       "reason": reason, "waiver": waiver})  # fmt: skip
    failed = [row for row in groups if row["state"] == "fail"]
    open_ = [row for row in groups if row["state"] == "open"]
    waived = [row for row in groups if row["state"] == "waived"]
    words = ((failed, "fail"), (open_, "inconclusive"), (waived, "waived"))
    verdict, rows = next(((word, rows) for rows, word in words if rows), ("pass", []))
    return {
        **{key: axis[key] for key in FAMILY}, "endpoint": axis["endpoint"], "name": axis["name"],
        "verdict": verdict,
        "reason": _reasons(rows, groups),
        "margin": margin, "d": d, "n_scenarios": axis["n_scenarios"], "coverage": axis["coverage"],
        "scenarios_needed": _needed(open_, effects, changes, margin, d, many)
        if open_ and not failed and not barred and not axis["faulty"] else None,
        "groups": groups,
    }  # fmt: skip


def _reasons(rows: Rows, all_: Rows) -> str | None:
    """Every reason with the groups it holds for; those it quotes are named too."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row["reason"], []).append(row["label"])
    said = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in groups.items())
    for row in all_:
        said = said.replace(f"'{row['group']}'", f"'{row['label']}'")
    return said or None


def _effect_state(
    effect: Mapping[str, Any], wide: Intervals, k: int, margin: float
) -> tuple[str, str | None]:
    beyond = wide.low[k] > margin or wide.high[k] < -margin
    if beyond and effect["verdict"] == "disparity":  # not from fewer scenarios than a verdict needs
        return "fail", f"differs by more than the margin of {margin:g}"
    if effect["verdict"] == "equivalent":
        return "pass", None
    said = f"neither shown to be within the margin of {margin:g} nor to be beyond it"
    return "open", effect["reason"] or said


def _change_state(change: Mapping[str, Any], steps: Intervals, k: int) -> tuple[str, str | None]:
    if change["verdict"] == "unchanged":
        return "pass", None
    d = f"{change['d']:g}"
    shown = steps.low[k] > 0 or steps.high[k] < 0
    if change["verdict"] == "worse" and shown:
        return "fail", "worse than the baseline"
    if change["verdict"] == "better":
        return "open", (
            f"better than the baseline, and not by less than d = {d}: a new baseline is due"
        )
    return "open", change["reason"] or f"change since the baseline not shown to be within d = {d}"


def _needed(
    open_: Rows, effects: Rows, changes: Rows | None, margin: float, d: float, many: float
) -> int | None:
    """Scenarios after which every open group should be decided; None where that is not known."""
    names = {row["group"] for row in open_}
    whole = max(2, math.ceil(many))
    counts = []
    sides = ((effects, margin, "equivalent", margin), (changes or (), d, "unchanged", 0.0))
    for rows, bound, done, beyond in sides:
        left = [row for row in rows if row["group"] in names and row["verdict"] != done]
        if left:
            counts.append(needed(left, bound, groups=whole, beyond=beyond))
    known = [count for count in counts if count is not None]
    return max(known) if known and len(known) == len(counts) else None


def _intervals(rows: Rows, alpha: float, many: float) -> Intervals:
    """Intervals over all primary families from each row's estimate and standard error.

    Bounds that come from counting scenarios (no `df`) stand as they are: no spread gives others.
    """
    estimate, error, df, low, high = (
        np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64)
        for name in ("estimate", "standard_error", "df", "low", "high")
    )
    counted = np.isnan(df)
    found = t_intervals(
        estimate, error, np.where(counted, 1.0, df), np.isnan(low) | counted, alpha=alpha, many=many
    )
    return replace(
        found, low=np.where(counted, low, found.low), high=np.where(counted, high, found.high)
    )


def _ends(intervals: Intervals, k: int) -> Record:
    ends = {"low": float(intervals.low[k]), "high": float(intervals.high[k])}
    return {name: end if math.isfinite(end) else None for name, end in ends.items()}


def _narrow(row: Mapping[str, Any]) -> Record:
    """The interval that decides equivalence: 1 - 2 alpha, of this group alone."""
    return {key: row[key] for key in ("tost_low", "tost_high")}


def _by_family(rows: Rows) -> dict[tuple[str, ...], list[Mapping[str, Any]]]:
    """Rows by family and axis; their groups follow the design in effects and changes alike."""
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(_key(row), []).append(row)
    return found


def _probe(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in ProbeKey._fields)


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in FAMILY)


# -- policy ------------------------------------------------------------------------------------


def _check_asked(side: Side, rules: Policy) -> None:
    asked = {probe["name"]: probe["kind"] for probe in side.manifest["probes"]}
    for i, name in enumerate(rules.primary):
        if name not in asked:
            raise unknown("primary probe", name, asked, where=rules.place("primary", i),
                          of="the run")  # fmt: skip
    for kind in asked.values():
        if kind not in rules.margins:
            raise InputError(f"{rules.place('margins')}: no margin for task kind '{kind}'")


def _waiver(rules: Policy, axis: Mapping[str, Any], group: str) -> int | None:
    return next(
        (i for i, waiver in enumerate(rules.waivers)
         if waiver.covers(axis["probe"], axis["axis"], group)),
        None,
    )  # fmt: skip


def _waived(waiver: Waiver, used: bool) -> Record:
    return {**waiver.model_dump(mode="json"), "used": used}


def _note(rules: Policy, made_under: Policy) -> str | None:
    """What must be said of a policy that is not the one in the manifest."""
    if rules.hash == made_under.hash:
        return None
    if _bare(rules) == _bare(made_under):
        return "waivers chosen after the data; the rules are those fixed before the run"
    return "chosen after the data: the run was made under another policy"


def _bare(rules: Policy) -> Record:
    return rules.model_dump(exclude={"waivers", "version"})


def _release(manifest: Mapping[str, Any], records: Sequence[Record]) -> int:
    """Which version of its family this is, by the ledger: earlier ones asked the same suite."""
    model = manifest["model"]
    earlier = {
        record["fingerprint"]
        for record in records
        if record["model"]["family"] == model["family"]
        and record["suite"]["name"] == manifest["suite"]["name"]
        and record["date"] < manifest["finished"]
    }
    return len(earlier - {model["fingerprint"]}) + 1
