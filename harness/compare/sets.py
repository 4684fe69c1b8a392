"""The counterfactual sets that changed most from one version to the next, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from harness.analysis.cells import Family
from harness.compare.sides import Both, Side
from harness.nouns import Arm, Prompt, Record

SETS = 10
"""Sets shown of every axis of a family, the most changed first."""


def changed_sets(family: Family, both: Both, old: Side, new: Side) -> list[Record]:
    """The counterfactual sets whose contrasts changed most, with the answers of both versions."""
    size = np.abs(both.change).max(axis=1)
    order = [int(g) for g in np.argsort(-size, kind="stable") if size[g] > 0][:SETS]
    if not order:
        return []
    asked = [_asked(side, family) for side in (old, new)]
    found = []
    for g in order:
        k = int(np.abs(both.change[g]).argmax())
        found.append({
            **family._asdict(), "scenario": both.scenarios[g],
            "change": float(both.change[g, k]), "group": both.groups[k],
            "cells": [_cell(both, g, j, asked, (old, new)) for j in range(len(both.groups))],
        })  # fmt: skip
    return found


def _asked(side: Side, family: Family) -> dict[tuple[str, str], Prompt]:
    """The first counterfactual prompt of every scenario and group of a family."""
    found: dict[tuple[str, str], Prompt] = {}
    for row in side.families[family].of_arm(Arm.COUNTERFACTUAL).prompts.tolist():
        prompt = side.design.prompts[row]
        found.setdefault((prompt.scenario, prompt.group), prompt)
    return found


def _cell(
    both: Both, g: int, k: int, asked: Sequence[Mapping[tuple[str, str], Prompt]],
    sides: tuple[Side, Side],
) -> Record:  # fmt: skip
    key = both.scenarios[g], both.groups[k]
    prompt = asked[1].get(key)
    before, after = both.old.mean[g, k], both.new.mean[g, k]
    return {
        "group": both.groups[k],
        "text": prompt and "\n\n".join(message.content for message in prompt.messages),
        "cue_words": list(prompt.cue_words) if prompt else [],
        "change": _defined(after - before),
        "old": _answer(sides[0], asked[0].get(key), before),
        "new": _answer(sides[1], prompt, after),
    }


def _answer(side: Side, prompt: Prompt | None, outcome: float) -> Record:
    response = side.responses.get(prompt.id) if prompt else None
    return {
        "status": side.status.get(prompt.id) if prompt else None,
        "outcome": _defined(outcome),
        "answer": response.text if response else None,
    }


def _defined(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
