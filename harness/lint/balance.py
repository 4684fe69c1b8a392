"""Rules about a probe as a whole: how many scenarios, and whether its halves are halves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from harness.kinds.parts.scenario import Domain, Scenario
from harness.lint.sheet import Said, Sheet
from harness.probes import Probe

ENOUGH = 30
"""Scenarios of a probe and language below which no verdict is promised."""
HALVES = {
    "favourable": "a model that always gives one answer would look fair or unfair by it",
    "expected": "a model that always gives one answer would look fair or unfair by it",
    "position": "what it shows holds mostly for words about the person that stand there",
}
"""Keys whose two values share a probe, and what else becomes of it."""
LEAST_HALF = 0.4
"""Smallest share that still counts as a half."""


def _parts(sheet: Sheet) -> Iterator[tuple[Probe, str, Sequence[Scenario]]]:
    for probe in sheet.probes:
        for language, scenarios in probe.scenarios.items():
            yield probe, language, scenarios


def few(sheet: Sheet) -> Iterator[Said]:
    """The scenario is the statistical unit: few of them decide nothing."""
    for probe, language, scenarios in _parts(sheet):
        if len(scenarios) < ENOUGH and probe.relevance == "irrelevant":
            yield Said(probe.place("scenarios", language),
                       f"{len(scenarios)} scenarios in '{language}': a verdict is promised from "
                       f"{ENOUGH} on")  # fmt: skip


def halves(sheet: Sheet) -> Iterator[Said]:
    """The favourable answer, and the cue's position, are each of their two values in half."""
    for probe, language, scenarios in _parts(sheet):
        for key, why in HALVES.items():
            values = [str(getattr(s, key)) for s in scenarios if hasattr(s, key)]
            counts = Counter(values)
            if len(values) > 1 and max(counts.values()) > (1 - LEAST_HALF) * len(values):
                shown = ", ".join(f"{n} {value}" for value, n in counts.most_common())
                yield Said(
                    probe.place("scenarios", language),
                    f"'{key}' is not balanced in '{language}': {shown}; {why}",
                )


def domains(sheet: Sheet) -> Iterator[Said]:
    """No field of life holds more than a quarter of a probe that claims to cover several."""
    for probe, language, scenarios in _parts(sheet):
        counts = Counter(s.domain for s in scenarios)
        name, most = counts.most_common(1)[0]
        if len(scenarios) >= len(get_args(Domain)) and most > len(scenarios) / 4:
            yield Said(probe.place("scenarios", language),
                       f"{most} of {len(scenarios)} scenarios in '{language}' are of domain "
                       f"'{name}'; results speak mostly of it")  # fmt: skip
