"""A gate's decision in both languages: its own English sentence, and the same in Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.cells import ProbeKey
from harness.gate_sentence import passed, together, told_apart, waivers
from harness.nouns import Record
from harness.report.numbers import percent
from harness.report.phrases import Both, Labels, Words, join

STATE = {"fail": "fail", "inconclusive": "open"}
"""The state of the groups that made a check's verdict."""
Check = Mapping[str, Any]


def sentence(found: Record, words: Words, labels: Labels) -> Both:
    """The sentence of `harness.gate.gate`; the English is the gate's own to the letter."""
    say = _cleared if found["verdict"] == "pass" else _not_cleared
    said = say(found, words, labels)
    if waived := waivers(found["checks"]):
        apart = told_apart(found["checks"])
        each = []
        for check, groups in waived:
            axis = _named([check], [check], apart, words, labels)
            names = join([labels.group(check["axis"], row["group"]) for row in groups])
            each.append(words("gate.axis", axis=axis, why=names) if groups else axis)
        said = said + words("gate.waived", axes=join(each))
    if found["verdict"] == "pass" and found["not_asked"]:
        said = said + words("gate.not_asked", axes=join(
            [labels.axis(name) if name in labels.axes else words(f"axis.{name}")
             for name in found["not_asked"]]
        ))  # fmt: skip
    return Both(found["sentence"], said.zh)


def rules(found: Record, words: Words) -> Both:
    """Under which policy, and against what, the gate decided."""
    policy, old = found["policy"], found["baseline"]
    baseline = words("gate.no_baseline")
    if old:
        baseline = words("gate.baseline", version=old["model"]["version"])
    return words("gate.rules", policy=f"{policy['name']} {policy['version']}", baseline=baseline)


def _cleared(found: Record, words: Words, labels: Labels) -> Both:
    checks, since, after = passed(found["checks"]), Both("", ""), Both("", "")
    if found["baseline"]:
        version = found["baseline"]["model"]["version"]
        since = words("gate.since", d=_one(checks, "d", words), version=version)
    if found["rules_after_data"]:
        after = words("gate.after")
    return words(
        "gate.pass", margin=_one(checks, "margin", words), since=since, rules=after,
        looked=_looked(checks, words, labels), alpha=percent(found["policy"]["alpha"]),
    )  # fmt: skip


def _not_cleared(found: Record, words: Words, labels: Labels) -> Both:
    bad = [check for check in found["checks"] if check["verdict"] == found["verdict"]]
    if not bad:
        return words("gate.none")
    apart = told_apart(found["checks"])
    if found["verdict"] == "fail":
        each = [
            words("gate.axis", axis=_named([check], [check], apart, words, labels),
                  why=_why(check, words, labels))
            for check in bad
        ]  # fmt: skip
        return words("gate.fail", axes=join(each))
    groups = [_named(*group, apart, words, labels) for group in together(bad, apart)]
    axes = join(groups, ";")
    if found["scenarios_needed"]:
        return words("gate.needed", axes=axes, n=found["scenarios_needed"])
    first = next(check for check in bad if check["scenarios_needed"] is None)
    why = _why(first, words, labels)
    if len(bad) > 1:
        named = _named([first], [first], apart, words, labels)
        why = words("gate.first", axis=named, why=why)
    return words("gate.open", axes=axes, why=why)


def _named(
    axes: Sequence[Check], places: Sequence[Check], apart: Sequence[str], words: Words,
    labels: Labels,
) -> Both:  # fmt: skip
    """Axes, and where several families were asked those in which they stand so."""
    said = join([_name(check, words, labels) for check in axes])
    if not apart:
        return said
    return words("gate.in", axes=said, places=join([_place(c, apart, words) for c in places]))


def _place(check: Check, apart: Sequence[str], words: Words) -> Both:
    """A check's family by what tells it from the others."""
    each = [words.known(f"{'kind' if key == 'probe' else key}.{check[key]}", check[key])
            for key in apart]  # fmt: skip
    return Both(" ".join(part.en for part in each), "".join(part.zh for part in each))


def _name(check: Check, words: Words, labels: Labels) -> Both:
    """The axis, and the scorer where the check is of what it says of texts."""
    axis, scorer = labels.axis(check["axis"]), check.get("endpoint")
    if not scorer:
        return axis
    return words("gate.by", axis=axis, scorer=words.known(f"endpoint.{scorer}", scorer))


def _why(check: Check, words: Words, labels: Labels) -> Both:
    """Every reason with the groups it holds for."""
    groups: dict[str, list[Both]] = {}
    for row in check["groups"]:
        if row["state"] == STATE[check["verdict"]]:
            label = labels.group(check["axis"], row["group"])
            groups.setdefault(row["reason"] or "–", []).append(label)
    each = [
        words("gate.why", groups=join(names), why=labels.named(check["axis"], words.reason(why)))
        for why, names in groups.items()
    ]
    return join(each, ";")


def _looked(checks: Sequence[Check], words: Words, labels: Labels) -> Both:
    """How much was looked at."""
    axes = list(dict.fromkeys(check["axis"] for check in checks))
    said = labels.axis(axes[0]) if len(axes) == 1 else words("gate.axes", n=len(axes))
    scorers = dict.fromkeys(filter(None, (check.get("endpoint") for check in checks)))
    if scorers:
        names = [words.known(f"endpoint.{name}", name) for name in scorers]
        said = said + words("gate.texts", scorers=join(names))
    families = len({tuple(check[name] for name in ProbeKey._fields) for check in checks})
    return said if families == 1 else said + words("gate.families", n=families)


def _one(checks: Sequence[Check], name: str, words: Words) -> Both:
    """The value that all checks share, or that each has its own."""
    values = {check[name] for check in checks}
    if len(values) > 1:
        return words(f"gate.own.{name}")
    said = f"{values.pop():g}"
    return Both(said, said)
