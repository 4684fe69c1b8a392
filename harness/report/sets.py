"""Counterfactual sets: which of them a page carries, and in which form.

A set is one situation asked once for every group of an axis. Its difference is the highest
outcome minus the lowest; sets of several task kinds are ordered by their differences in margins,
since their units differ. A page carries an index of its sets and, per axis, their texts as
gzip in base64; the page's script opens an axis when one of its sets is asked for.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from harness.columns import Coded, coded, first_seen, joint, listed
from harness.report.results import Key

LARGEST = 200  # sets an axis, by difference
UNANSWERED = 50  # sets an axis in which a member has no outcome
RANDOM = 50  # further sets an axis, whatever they show

COLUMNS = ("probe", "kind", "language", "cue", "axis", "scenario", "variant")
MEMBER = (
    "group", "arm", "sample", "status", "y", "mass",
    "text", "answer", "cue_words", "detail", "favourable", "cue_position", "domain",
)  # fmt: skip
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Set:
    """One counterfactual set. `difference` is None with fewer than two outcomes.

    `size` is the difference in margins of its task kind; None also where the kind has none.

    `code` is the set's place among the rows' keys.
    """

    code: int
    id: str
    key: tuple[str, ...]
    difference: float | None
    size: float | None
    unanswered: int

    @property
    def family(self) -> Key:
        probe, kind, language, cue = self.key[:4]
        return probe, kind, language, cue

    @property
    def axis(self) -> str:
        return self.key[4]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a page carries: the index, one shard an axis, and how many sets of how many.

    `index` holds one entry a set, largest difference first; it and the shards are
    base64 of gzip of JSON.
    """

    entries: Sequence[Json]
    index: str
    shards: Mapping[str, str]
    shown: Mapping[str, tuple[int, int]]

    @property
    def complete(self) -> bool:
        return all(carried == all_ for carried, all_ in self.shown.values())

    def of(self, family: int, axis: str) -> list[Json]:
        """The index's entries of one axis in one family, largest difference first."""
        return [e for e in self.entries if e["family"] == family and e["axis"] == axis]


def bundle(
    rows: pa.Table, margins: Mapping[Key, float | None], *, seed: int, all_texts: bool
) -> Bundle:
    """The sets of `rows` that a page carries. `margins` has one entry a family of the page.

    By default an axis keeps the `LARGEST` differences, `UNANSWERED` sets with a member that
    has no outcome, and `RANDOM` others drawn with `seed`; `all_texts` keeps every set.
    """
    y = rows["y"].cast(pa.float64())
    finite = pc.if_else(pc.is_finite(y), y, None)
    rows = rows.set_column(rows.column_names.index("y"), "y", finite)
    keys = _keys(rows)
    sets, families = _sets(rows, keys, margins), list(margins)
    chosen: list[Set] = []
    shown: dict[str, tuple[int, int]] = {}
    for axis in dict.fromkeys(s.axis for s in sets):
        of_axis = [s for s in sets if s.axis == axis]
        kept = of_axis if all_texts else _choose(of_axis, seed)
        chosen.extend(kept)
        shown[axis] = (len(kept), len(of_axis))
    chosen.sort(key=_largest_first)
    members = _members(rows, keys, [s.code for s in chosen])
    entries = [_entry(s, members[s.code], families.index(s.family)) for s in chosen]
    shards = {
        axis: _pack({s.id: members[s.code] for s in chosen if s.axis == axis}) for axis in shown
    }
    return Bundle(entries, _pack(entries), shards, shown)


def _keys(rows: pa.Table) -> Coded:
    """Which set every row belongs to."""
    columns = [coded(rows[name]) for name in COLUMNS]
    first, codes = first_seen(joint(*columns))
    each = [column.take(first).listed() for column in columns]
    return Coded(codes, [tuple(str(word or "") for word in key) for key in zip(*each, strict=True)])


def _sets(rows: pa.Table, keys: Coded, margins: Mapping[Key, float | None]) -> list[Set]:
    asked = pc.and_(pc.equal(rows["arm"], "counterfactual"), pc.equal(rows["sample"], 0))
    y = rows["y"]
    table = pa.table({"key": keys.codes, "y": y, "missing": pc.is_null(y)}).filter(asked)
    grouped = table.group_by("key").aggregate(
        [("y", "min"), ("y", "max"), ("y", "count"), ("missing", "sum")]
    )
    sets = []
    for row in grouped.to_pylist():
        key = keys.values[row["key"]]
        difference = row["y_max"] - row["y_min"] if row["y_count"] > 1 else None
        margin = margins[key[0], key[1], key[2], key[3]]
        size = difference / margin if margin and difference is not None else None
        sets.append(Set(row["key"], _id(key), key, difference, size, row["missing_sum"]))
    return sorted(sets, key=_largest_first)


def _largest_first(item: Set) -> tuple[bool, float, bool, float, tuple[str, ...]]:
    """By size, then what has no size by difference, then what has neither."""
    return (
        item.size is None, -(item.size or 0.0),
        item.difference is None, -(item.difference or 0.0), item.key,
    )  # fmt: skip


def _id(key: tuple[str, ...]) -> str:
    """The same set has the same id in every run of its design, so links keep their meaning."""
    return hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:12]


def _choose(sets: Sequence[Set], seed: int) -> list[Set]:
    """`sets` come largest first; the draw depends on seed and id only, not on their order."""
    kept = dict.fromkeys(sets[:LARGEST])
    holes = sorted((s for s in sets if s.unanswered), key=lambda s: (-s.unanswered, s.key))
    kept.update(dict.fromkeys(holes[:UNANSWERED]))
    rest = [s for s in sets if s not in kept]
    rest.sort(key=lambda s: hashlib.sha256(f"{seed}:{s.id}".encode()).digest())
    kept.update(dict.fromkeys(rest[:RANDOM]))
    return list(kept)


def _members(rows: pa.Table, keys: Coded, codes: Sequence[int]) -> dict[int, list[Json]]:
    """Every row of the sets with these codes, all arms, in design order.

    `p` holds the probability of every option by its name, where options have one.
    """
    wanted = np.zeros(len(keys.values), bool)
    wanted[codes] = True
    mask = wanted[keys.codes]
    options = [name for name in rows.column_names if name.startswith("p_")]
    chosen = rows.select([*MEMBER, *options]).filter(pa.array(mask))
    options = [name for name in options if chosen[name].null_count < len(chosen)]
    columns = {name: listed(chosen[name]) for name in (*MEMBER, *options)}
    each = [columns.pop(name) for name in options]
    chances = zip(*each, strict=True) if each else iter([()] * chosen.num_rows)
    names = [name.removeprefix("p_") for name in options]
    members: dict[int, list[Json]] = {code: [] for code in codes}
    found = keys.codes[mask].tolist()
    for code, p, *values in zip(found, chances, *columns.values(), strict=True):
        known = {name: value for name, value in zip(names, p, strict=True) if value is not None}
        members[code].append(dict(zip(columns, values, strict=True), p=known))
    return members


def _entry(item: Set, members: Sequence[Json], family: int) -> Json:
    """A line of the list: enough to sort, filter and name a set without opening its axis."""
    asked = [m for m in members if m["arm"] == "counterfactual" and m["sample"] == 0]
    scored = [m for m in asked if m["y"] is not None]
    top = max(scored, key=lambda m: m["y"], default=None)
    bottom = min(scored, key=lambda m: m["y"], default=None)
    return {
        "id": item.id, "family": family, "axis": item.axis,
        "language": item.key[2],
        "scenario": item.key[5], "variant": item.key[6], "domain": asked[0]["domain"],
        "difference": item.difference, "answered": len(scored), "asked": len(asked),
        "high": top and [top["group"], top["y"]], "low": bottom and [bottom["group"], bottom["y"]],
        "statuses": _statuses(asked),
    }  # fmt: skip


def _statuses(members: Sequence[Json]) -> dict[str, list[str]]:
    """Each status with the groups that have it."""
    found: dict[str, list[str]] = {}
    for member in members:
        found.setdefault(member["status"], []).append(member["group"])
    return found


def _pack(content: object) -> str:
    packed = gzip.compress(orjson.dumps(content), compresslevel=6, mtime=0)
    return base64.b64encode(packed).decode("ascii")
