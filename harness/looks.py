"""Stopping an axis early once its answers have decided: a few looks, declared before the first.

Scenarios are asked in an order drawn from the model's seed. After each third of them every axis
of a sampled kind is looked at with a third of the error allowed (docs/remote.md); one on which
every group has its verdict is not asked about any further. So the error stays below alpha
however a run ends (`harness.stats.sequential.declared_looks` has the reason).
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping

import numpy as np
import pyarrow as pa

from harness import analysis, kinds
from harness.analysis.cells import Family
from harness.columns import Codes, Mask, first_seen, joint
from harness.design import Design
from harness.nouns import Record, Verdict
from harness.policy import Policy
from harness.responses import Responses
from harness.scorers import SCORERS
from harness.scorers.scorer import Scorer

LOOKS = 3
FAMILY = Family._fields


def declare(design: Design, sampled: Collection[str], seed: int) -> Record:
    """What a manifest says of the looks before anything is asked.

    `ends` are the numbers of scenarios at each look, by probe and language. `taken` counts the
    looks that were taken; `decided` has the axes that were stopped, with the look.
    """
    ends = {
        f"{probe} {language}": [math.ceil(len(order) * look / LOOKS)
                                for look in range(1, LOOKS + 1)]
        for (probe, language), order in _orders(design, seed).items()
    }  # fmt: skip
    return {"looks": LOOKS, "kinds": sorted(sampled), "seed": seed, "ends": ends, "taken": 0,
            "decided": []}  # fmt: skip


def _orders(design: Design, seed: int) -> dict[tuple[str, str], list[str]]:
    """The scenarios of every probe and language, in the order in which they are asked."""
    orders: dict[tuple[str, str], dict[str, None]] = {}
    columns = [design.column(name) for name in ("probe", "language", "scenario")]
    for place in first_seen(joint(*columns))[0].tolist():
        probe, language, scenario = (c.values[c.codes[place]] for c in columns)
        orders.setdefault((probe, language), {})[scenario] = None
    drawn = {}
    for key, scenarios in orders.items():
        order = sorted(scenarios)
        random.Random(f"{seed} {key}").shuffle(order)
        drawn[key] = order
    return drawn


def part(design: Design, declared: Record, look: int) -> Design:
    """What is asked until `look` is taken, its blocks in the order of asking.

    A kind that is not sampled is asked whole before the first look.
    """
    places = _places(design, declared)
    asked = _until(design, declared, look, places)
    order = np.lexsort((design.table["block"].to_numpy(), places))
    return Design(design.table.take(pa.array(order[asked[order]])))


def _places(design: Design, declared: Record) -> Codes:
    """The place of every prompt's scenario in the order of asking."""
    columns = [design.column(name) for name in ("probe", "language", "scenario")]
    places = {
        (*key, scenario): place
        for key, order in _orders(design, declared["seed"]).items()
        for place, scenario in enumerate(order)
    }
    first, scenario = first_seen(joint(*columns))
    each = [places[tuple(c.values[c.codes[row]] for c in columns)] for row in first.tolist()]
    return np.array(each, np.int64)[scenario]


def _until(design: Design, declared: Record, look: int, places: Codes) -> Mask:
    """Which prompts are asked until `look` is taken."""
    stopped = {tuple(row[name] for name in FAMILY): row["look"] for row in declared["decided"]}
    columns = [design.column(name) for name in FAMILY]
    first, family = first_seen(joint(*columns))
    ends = []
    for row in first.tolist():
        key = Family(*(c.values[c.codes[row]] for c in columns))
        until = declared["ends"][f"{key.probe} {key.language}"]
        sampled = key.kind in declared["kinds"]
        ends.append(until[min(look, stopped.get(key, look)) - 1] if sampled else len(places))
    found: Mask = places < np.array(ends, np.int64)[family]
    return found


def asked(design: Design, manifest: Mapping[str, Record]) -> Design:
    """The part of a design that its run asks; all of it without looks."""
    declared = manifest.get("looks")
    if not declared:
        return design
    look = min(declared["taken"] + 1, declared["looks"])
    return design.only(_until(design, declared, look, _places(design, declared)))


def take(design: Design, declared: Record, responses: Responses, rules: Policy) -> Record:
    """`declared` after one more look at the answers."""
    look = declared["taken"] + 1
    part = design.only(_until(design, declared, look, _places(design, declared)))
    found = analyse(part, kinds.score(part, responses), rules, declared)
    known = [{name: row[name] for name in FAMILY} for row in declared["decided"]]
    still: dict[tuple[str, ...], set[str]] = {}
    for effect in found["effects"]:
        family = tuple(effect[name] for name in FAMILY)
        still.setdefault(family, set()).add(effect["verdict"])
    new = [
        {**dict(zip(FAMILY, family, strict=True)), "look": look}
        for family, verdicts in still.items()
        if Verdict.INCONCLUSIVE not in verdicts and family[1] in declared["kinds"]
    ]
    new = [row for row in new if {name: row[name] for name in FAMILY} not in known]
    return {**declared, "taken": look, "decided": [*declared["decided"], *new]}


def analyse(
    design: Design,
    scores: pa.Table,
    rules: Policy,
    declared: Record | None,
    table: Mapping[str, Scorer] = SCORERS,
) -> Record:
    """`analysis.analyse`, each sampled kind with its share of the error, and where it stopped."""
    if not declared:
        return analysis.analyse(design, scores, rules, table)
    sampled = design.column("kind").is_in(*declared["kinds"])
    share = rules.model_copy(update={"alpha": rules.alpha / declared["looks"]})
    found = analysis.analyse(design.only(sampled), scores, share, table)
    if not sampled.all():
        other = analysis.analyse(design.only(~sampled), scores, rules, table)
        found = {
            name: [*found[name], *other[name]] if isinstance(value, list) else value
            for name, value in found.items()
        }
    stopped = {tuple(row[name] for name in FAMILY): row["look"] for row in declared["decided"]}
    for axis in found["axes"]:
        if axis["kind"] in declared["kinds"]:
            look = stopped.get(tuple(axis[name] for name in FAMILY), declared["looks"])
            axis["look"] = {"look": look, "of": declared["looks"],
                            "stopped": look < declared["looks"]}  # fmt: skip
    return found
