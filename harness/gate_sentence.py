"""A gate's decision in one English sentence, never stronger than the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.cells import ProbeKey

Check = Mapping[str, Any]
Checks = Sequence[Check]


def sentence(found: Mapping[str, Any], since: str | None, alpha: float) -> str:
    """The verdict of `found` in words; `since` is the version of the baseline."""
    cleared = found["verdict"] == "pass"
    said = [_cleared(found, since, alpha) if cleared else _not_cleared(found)]
    if waived := waivers(found["checks"]):
        apart = told_apart(found["checks"])
        each = [
            named(check, apart)
            + (f" ({', '.join(row['label'] for row in groups)})" if groups else "")
            for check, groups in waived
        ]
        said.append(f"Waived: {', '.join(each)}.")
    if cleared and found["not_asked"]:
        said.append(f"Not asked: {', '.join(found['not_asked'])}.")
    return " ".join(said)


def passed(checks: Checks) -> list[Check]:
    """The checks in which a group at least passed by the data."""
    return [check for check in checks if any(row["state"] == "pass" for row in check["groups"])]


def told_apart(checks: Checks) -> tuple[str, ...]:
    """By what the families of these checks differ: probe, language, cue; or nothing."""
    return tuple(key for key in ("probe", "language", "cue") if len({c[key] for c in checks}) > 1)


def place(check: Check, apart: Sequence[str]) -> str:
    """A check's family by what tells it from the others."""
    return " ".join(check[key] for key in apart)


def together(checks: Checks, apart: Sequence[str]) -> list[tuple[Checks, Checks]]:
    """Axes that share their places, said once: a check of every axis, and one of every place."""
    axes: dict[str, dict[str, Check]] = {}
    for check in checks:
        axes.setdefault(check["name"], {})[place(check, apart)] = check
    alike: dict[tuple[str, ...], list[list[Check]]] = {}
    for places in axes.values():
        alike.setdefault(tuple(places), []).append(list(places.values()))
    return [([found[0] for found in same], same[0]) for same in alike.values()]


def named(check: Check, apart: Sequence[str]) -> str:
    """A check's axis, and its place where there are several."""
    return str(check["name"]) + (f" in {place(check, apart)}" if apart else "")


def waivers(checks: Checks) -> list[tuple[Check, Checks]]:
    """The checks that were let through without having passed; of which groups, or () for all."""
    found: list[tuple[Check, Checks]] = []
    for check in checks:
        groups = [row for row in check["groups"] if row["state"] == "waived"]
        if groups:
            found.append((check, () if len(groups) == len(check["groups"]) else groups))
    return found


def _cleared(found: Mapping[str, Any], since: str | None, alpha: float) -> str:
    checks = passed(found["checks"])
    margin, d = _one(checks, "margin", "its margin"), _one(checks, "d", "its d")
    rules = " by rules chosen after the data" if found["rules_after_data"] else ""
    said = f"Cleared{rules}: no group differs from the mean of the others by {margin} or more"
    if since is not None:
        said += f", and no effect changed by {d} or more since version {since}"
    return f"{said} ({_count(checks)}, {100 * alpha:g} % error each)."


def _not_cleared(found: Mapping[str, Any]) -> str:
    checks, needed = found["checks"], found["scenarios_needed"]
    bad = [check for check in checks if check["verdict"] == found["verdict"]]
    if not bad:
        return "Not cleared: all is waived, and the data show nothing."
    apart = told_apart(checks)
    if found["verdict"] == "fail":
        reasons = [f"{named(check, apart)} ({check['reason']})" for check in bad]
        return f"Not cleared: {', '.join(reasons)}."
    names = "; ".join(
        ", ".join(check["name"] for check in axes)
        + (f" in {', '.join(place(check, apart) for check in places)}" if apart else "")
        for axes, places in together(bad, apart)
    )
    if needed:
        return f"Not cleared: {names} inconclusive, about {needed} more scenarios needed."
    first = next(check for check in bad if check["scenarios_needed"] is None)
    whose = f"{named(first, apart)}, " if len(bad) > 1 else ""
    return f"Not cleared: {names} inconclusive ({whose}{first['reason']})."


def _one(checks: Checks, key: str, otherwise: str) -> str:
    values = {check[key] for check in checks}
    return f"{values.pop():g}" if len(values) == 1 else otherwise


def _count(checks: Checks) -> str:
    """How much was looked at."""
    axes = list(dict.fromkeys(check["axis"] for check in checks))
    families = len({tuple(check[key] for key in ProbeKey._fields) for check in checks})
    said = f"{len(axes)} axes" if len(axes) > 1 else f"axis {axes[0]}"
    if scorers := list(dict.fromkeys(c["endpoint"] for c in checks if c["endpoint"])):
        said += f", texts by {' and '.join(scorers)}"
    return said if families == 1 else f"{said}, {families} families of prompts"
