"""How alike the texts of one counterfactual set are, as excess over the floors.

Two texts of one model differ anyway; only what they differ more between groups than under a
rewording, or when the same prompt is asked again, says something of the groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from harness import stats
from harness.analysis.cells import Family, family_of
from harness.columns import Floats
from harness.nouns import Arm, Prompt, Record

Place = tuple[str, str, Arm, int]
"""Scenario, group, arm and sample of a text."""


def similarity(prompts: Sequence[Prompt], texts: Mapping[str, str], alpha: float) -> list[Record]:
    """One record a family: the mean distance between groups, both floors, and the excesses.

    Parameters
    ----------
    texts : answered texts, blind to the group, by prompt id.

    Notes
    -----
    Formula: distance = 1 - 2 M / (a + b), M the longest common subsequence of two texts of a and
    b characters (normalised indel distance); means over pairs of a scenario, then a one-sided t
    test over scenarios of (between groups - floor). Range: 0 (alike) to 1. Neutral: excess 0.
    Excludes: scenarios in which either side has no pair.
    """
    by_family: dict[Family, dict[Place, str]] = {}
    for prompt in prompts:
        if prompt.id in texts:
            place = (prompt.scenario, prompt.group, prompt.arm, prompt.sample)
            by_family.setdefault(family_of(prompt), {})[place] = texts[prompt.id]
    return [{**family._asdict(), **_family(members, alpha)}
            for family, members in by_family.items()]  # fmt: skip


def _family(texts: Mapping[Place, str], alpha: float) -> Record:
    scenarios = list(dict.fromkeys(place[0] for place in texts))
    groups = list(dict.fromkeys(place[1] for place in texts))
    between, paraphrase, repeat = (np.full(len(scenarios), np.nan) for _ in range(3))
    for i, scenario in enumerate(scenarios):
        plain = {g: texts.get((scenario, g, Arm.COUNTERFACTUAL, 0)) for g in groups}
        between[i] = _mean_distance(combinations(plain.values(), 2))
        for floor, arm, sample in ((paraphrase, Arm.PARAPHRASE, 0), (repeat, Arm.REPEAT, 1)):
            floor[i] = _mean_distance(
                (text, texts.get((scenario, g, arm, sample))) for g, text in plain.items()
            )
    return {
        "between": _mean(between),
        **{name: {"floor": _mean(floor), **_excess(between, floor, alpha)}
           for name, floor in (("paraphrase", paraphrase), ("repeat", repeat))},
    }  # fmt: skip


def _mean_distance(pairs: Iterable[tuple[str | None, str | None]]) -> float:
    from rapidfuzz.distance import Indel

    found = [Indel.normalized_distance(a, b) for a, b in pairs if a is not None and b is not None]
    return float(np.mean(found)) if found else float("nan")


def _excess(between: Floats, floor: Floats, alpha: float) -> Record:
    found = stats.floor_excess(between, floor, alpha=alpha)
    return {"estimate": found.estimate, "low": found.low, "p_value": found.p_value,
            "n": found.n, "reason": found.reason or None}  # fmt: skip


def _mean(values: Floats) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))
