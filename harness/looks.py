"""Stopping an axis early once its answers have decided: a few looks, declared before the first.

Scenarios are asked in an order drawn from the model's seed. After each third of them every axis
of a sampled kind is looked at with a third of the error allowed (docs/remote.md); one on which
every group has its verdict is not asked about any further. So the error stays below alpha
however a run ends (`harness.stats.sequential.declared_looks` has the reason).
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence

from harness import analysis, kinds
from harness.analysis.cells import Family, family_of
from harness.design import Design
from harness.nouns import Prompt, Record, Response, Score, Verdict
from harness.policy import Policy
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
    for prompt in design.prompts:
        orders.setdefault((prompt.probe, prompt.language), {})[prompt.scenario] = None
    drawn = {}
    for key, scenarios in orders.items():
        order = sorted(scenarios)
        random.Random(f"{seed} {key}").shuffle(order)
        drawn[key] = order
    return drawn


def part(design: Design, declared: Record, look: int) -> list[list[Prompt]]:
    """The blocks that are asked until `look` is taken, in the order of asking.

    A kind that is not sampled is asked whole before the first look.
    """
    stopped = {tuple(row[name] for name in FAMILY): row["look"] for row in declared["decided"]}
    places = {
        (*key, scenario): place
        for key, order in _orders(design, declared["seed"]).items()
        for place, scenario in enumerate(order)
    }
    blocks: dict[tuple[int, int], list[Prompt]] = {}
    for prompt in design.prompts:
        place = places[prompt.probe, prompt.language, prompt.scenario]
        if prompt.kind in declared["kinds"]:
            ends = declared["ends"][f"{prompt.probe} {prompt.language}"]
            if place >= ends[min(look, stopped.get(family_of(prompt), look)) - 1]:
                continue
        blocks.setdefault((place, prompt.block), []).append(prompt)
    return [blocks[key] for key in sorted(blocks)]


def asked(design: Design, manifest: Mapping[str, Record]) -> Design:
    """The part of a design that its run asks; all of it without looks."""
    declared = manifest.get("looks")
    if not declared:
        return design
    look = min(declared["taken"] + 1, declared["looks"])
    keep = {prompt.id for block in part(design, declared, look) for prompt in block}
    return Design(tuple(prompt for prompt in design.prompts if prompt.id in keep))


def take(
    design: Design, declared: Record, responses: Mapping[str, Response], rules: Policy
) -> Record:
    """`declared` after one more look at the answers."""
    look = declared["taken"] + 1
    prompts = [prompt for block in part(design, declared, look) for prompt in block]
    found = analyse(prompts, kinds.score(prompts, responses), rules, declared)
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
    prompts: Sequence[Prompt],
    scores: Sequence[Score],
    rules: Policy,
    declared: Record | None,
    table: Mapping[str, Scorer] = SCORERS,
) -> Record:
    """`analysis.analyse`, each sampled kind with its share of the error, and where it stopped."""
    if not declared:
        return analysis.analyse(prompts, scores, rules, table)
    early = [p for p in prompts if p.kind in declared["kinds"]]
    whole = [p for p in prompts if p.kind not in declared["kinds"]]
    share = rules.model_copy(update={"alpha": rules.alpha / declared["looks"]})
    found = analysis.analyse(early, scores_of(early, scores), share, table)
    if whole:
        other = analysis.analyse(whole, scores_of(whole, scores), rules, table)
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


def scores_of(prompts: Sequence[Prompt], scores: Sequence[Score]) -> list[Score]:
    """The scores of these prompts."""
    ids = {prompt.id for prompt in prompts}
    return [score for score in scores if score.prompt in ids]
