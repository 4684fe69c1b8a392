"""The records of effects.json by family: probe x kind x language x cue never pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.numbers import defined

Record = Mapping[str, Any]
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class AxisResult:
    """One axis in one family: its verdict, its groups' effects, its other endpoints.

    Of texts also the effects on every scorer's numbers, and how alike the texts are; of two crossed
    axes what every cell adds to its parts.
    """

    record: Record
    effects: Sequence[Record]
    secondary: Sequence[Record]
    bbq: Sequence[Record] = ()
    scored: Sequence[Record] = ()
    similarity: Record | None = None
    crossed: Sequence[Record] = ()

    @property
    def axis(self) -> str:
        return str(self.record["axis"])


@dataclass(frozen=True, slots=True)
class Family:
    """What stands and falls together; `probe` is its record of checks, None if there is none."""

    key: Key
    axes: Sequence[AxisResult]
    probe: Record | None

    @property
    def effects(self) -> list[Record]:
        return [effect for result in self.axes for effect in result.effects]


def measured(effect: Record) -> bool:
    """Whether an effect has a number that may be shown: an estimate with its interval."""
    return defined(effect["estimate"]) and defined(effect["low"]) and defined(effect["high"])


def of_scorer(record: Record) -> bool:
    """Whether a secondary effect is on a scorer's numbers of texts."""
    return "scorer_version" in record


def key(record: Record) -> Key:
    return record["probe"], record["kind"], record["language"], record["cue"]


def families(effects: Record) -> list[Family]:
    """Every family of a run, in the order in which the records name them."""
    keys = dict.fromkeys(key(record) for record in [*effects["axes"], *effects["probes"]])
    probes = {key(record): record for record in effects["probes"]}
    parts = {name: _by_axis(effects.get(name, ())) for name in PARTS}
    axes: dict[Key, list[AxisResult]] = {}
    for record in effects["axes"]:
        axes.setdefault(key(record), []).append(_result(parts, record))
    return [Family(family, axes.get(family, []), probes.get(family)) for family in keys]


PARTS = ("effects", "secondary", "bbq", "similarity", "intersections")
By = Mapping[tuple[Key, str], Sequence[Record]]


def _by_axis(records: Sequence[Record]) -> By:
    found: dict[tuple[Key, str], list[Record]] = {}
    for record in records:
        found.setdefault((key(record), record["axis"]), []).append(record)
    return found


def _result(parts: Mapping[str, By], record: Record) -> AxisResult:
    effects, secondary, bbq, similarity, crossed = (
        parts[name].get((key(record), record["axis"]), ()) for name in PARTS
    )
    return AxisResult(
        record, effects, [r for r in secondary if not of_scorer(r)], bbq,
        [r for r in secondary if of_scorer(r)], next(iter(similarity), None), crossed,
    )  # fmt: skip
