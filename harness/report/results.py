"""The records of effects.json by family: probe x kind x language x cue never pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.numbers import defined

Record = Mapping[str, Any]
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class AxisResult:
    """One axis in one family: its verdict, its groups' effects, its other endpoints."""

    record: Record
    effects: Sequence[Record]
    secondary: Sequence[Record]
    bbq: Sequence[Record] = ()

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


def key(record: Record) -> Key:
    return record["probe"], record["kind"], record["language"], record["cue"]


def families(effects: Record) -> list[Family]:
    """Every family of a run, in the order in which the records name them."""
    keys = dict.fromkeys(key(record) for record in [*effects["axes"], *effects["probes"]])
    probes = {key(record): record for record in effects["probes"]}
    return [
        Family(
            family,
            [
                AxisResult(
                    record,
                    _of(effects["effects"], family, record["axis"]),
                    _of(effects["secondary"], family, record["axis"]),
                    _of(effects["bbq"], family, record["axis"]),
                )
                for record in effects["axes"]
                if key(record) == family
            ],
            probes.get(family),
        )
        for family in keys
    ]


def _of(records: Iterable[Record], family: Key, axis: str) -> list[Record]:
    return [r for r in records if key(r) == family and r["axis"] == axis]
