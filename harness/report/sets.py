"""Counterfactual sets: which of them a page carries, and in which form.

A set is one situation asked for every group of an axis, several times where answers are drawn.
Its difference is the highest group's outcome minus the lowest one's, each the mean over its
answers; sets of several task kinds are ordered by their differences in margins, since their units
differ. A set of texts has several numbers, whether there was an answer and what
every scorer says of it. The first of these that differs by a margin or more leads: the outcome,
then what the texts say, then how they are written, since twice the length is seldom what matters;
where none does, the largest. A page carries an index of its sets and, per axis, their texts as
gzip in base64; the page's script opens an axis when one of its sets is asked for.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from harness.analysis.cells import UNEDITED
from harness.columns import Coded, coded, first_seen, joint, listed
from harness.report.facts import ANSWERED
from harness.report.results import Key
from harness.scorers import FORM, RAW, reading

LARGEST = 200  # sets an axis, by difference
UNANSWERED = 50  # sets an axis in which a member has no outcome
RANDOM = 50  # further sets an axis, whatever they show

COLUMNS = ("probe", "kind", "language", "cue", "axis", "scenario", "variant")
MEMBER = (
    "group", "arm", "sample", "status", "y", "mass",
    "text", "answer", "cue_words", "detail", "favourable", "cue_position", "domain",
)  # fmt: skip
OUTCOME = "y"
Json = dict[str, Any]
Margins = Mapping[Key, Mapping[str, float | None]]
"""For every family of a page the margin of its outcome and of each scorer of its texts."""


@dataclass(frozen=True, slots=True)
class Set:
    """One counterfactual set. `difference` is None with fewer than two outcomes.

    `endpoint` is what the difference is of: the outcome, or a scorer of texts. `size` is the
    difference in the endpoint's margin; None also where it has none.

    `code` is the set's place among the rows' keys.
    """

    code: int
    id: str
    key: tuple[str, ...]
    endpoint: str
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

    `index` holds one entry a set, in the page's order; it and the shards are base64 of gzip of
    JSON.
    """

    entries: Sequence[Json]
    index: str
    shards: Mapping[str, str]
    shown: Mapping[str, tuple[int, int]]

    @property
    def complete(self) -> bool:
        return all(carried == all_ for carried, all_ in self.shown.values())

    def of(self, family: int, axis: str) -> list[Json]:
        """The index's entries of one axis in one family, in the page's order."""
        return [e for e in self.entries if e["family"] == family and e["axis"] == axis]


def bundle(rows: pa.Table, margins: Margins, *, seed: int, all_texts: bool) -> Bundle:
    """The sets of `rows` that a page carries.

    By default an axis keeps the `LARGEST` differences, `UNANSWERED` sets with a member that
    has no outcome, and `RANDOM` others drawn with `seed`; `all_texts` keeps every set.
    """
    scorers = sorted({name for of in margins.values() for name in of} - {OUTCOME}, key=reading)
    for name in (OUTCOME, *scorers, *(name + RAW for name in scorers)):
        rows = _finite(rows, name)
    keys = _keys(rows)
    sets, families = _sets(rows, keys, margins), list(margins)
    chosen: list[Set] = []
    shown: dict[str, tuple[int, int]] = {}
    for axis in dict.fromkeys(s.axis for s in sets):
        of_axis = [s for s in sets if s.axis == axis]
        kept = of_axis if all_texts else _choose(of_axis, seed)
        chosen.extend(kept)
        shown[axis] = (len(kept), len(of_axis))
    chosen.sort(key=_first)
    members = _members(rows, keys, [s.code for s in chosen], scorers)
    entries = [_entry(s, members[s.code], families.index(s.family)) for s in chosen]
    shards = {
        axis: _pack({s.id: members[s.code] for s in chosen if s.axis == axis}) for axis in shown
    }
    return Bundle(entries, _pack(entries), shards, shown)


def _finite(rows: pa.Table, name: str) -> pa.Table:
    """The rows with a column of numbers, null where there is none."""
    if name not in rows.column_names:
        return rows.append_column(name, pa.nulls(len(rows), pa.float64()))
    values = rows[name].cast(pa.float64())
    known = pc.if_else(pc.is_finite(values), values, None)
    return rows.set_column(rows.column_names.index(name), name, known)


def _keys(rows: pa.Table) -> Coded:
    """Which set every row belongs to."""
    columns = [coded(rows[name]) for name in COLUMNS]
    first, codes = first_seen(joint(*columns))
    each = [column.take(first).listed() for column in columns]
    return Coded(codes, [tuple(str(word or "") for word in key) for key in zip(*each, strict=True)])


def _sets(rows: pa.Table, keys: Coded, margins: Margins) -> list[Set]:
    names = sorted({OUTCOME}.union(*margins.values()))
    table = pa.table({"key": keys.codes, "group": rows["group"], **{n: rows[n] for n in names}})
    table = table.filter(pc.is_in(rows["arm"], pa.array(UNEDITED)))
    means = table.group_by(["key", "group"]).aggregate([(name, "mean") for name in names])
    means = means.rename_columns([name.removesuffix("_mean") for name in means.column_names])
    means = means.append_column("missing", pc.is_null(means[OUTCOME]))
    ends = [(name, end) for name in names for end in ("min", "max", "count")]
    sets = []
    for row in means.group_by("key").aggregate([*ends, ("missing", "sum")]).to_pylist():
        key = keys.values[row["key"]]
        found = [
            _difference(row, name, margin)
            for name, margin in margins[key[0], key[1], key[2], key[3]].items()
        ]
        first = max(found, key=lambda each: (-_tier(*each[::2]), each[2] or 0.0, each[1] or 0.0))
        sets.append(Set(row["key"], _id(key), key, *first, row["missing_sum"]))
    return sorted(sets, key=_first)


def _difference(
    row: Json, endpoint: str, margin: float | None
) -> tuple[str, float | None, float | None]:
    """An endpoint with its difference, and that in margins."""
    if row[f"{endpoint}_count"] < 2:
        return endpoint, None, None
    apart = row[f"{endpoint}_max"] - row[f"{endpoint}_min"]
    return endpoint, apart, apart / margin if margin else None


def _tier(endpoint: str, size: float | None) -> int:
    """What a reader needs first: outcome, what is said, form; last what is below its margin."""
    if size is None or size < 1.0:
        return 3
    return 0 if endpoint == OUTCOME else 1 + (endpoint in FORM)


def _first(item: Set) -> tuple[int, bool, float, bool, float, tuple[str, ...]]:
    """By what differs, by size, then what has no size by difference, then what has neither."""
    return (
        _tier(item.endpoint, item.size), item.size is None, -(item.size or 0.0),
        item.difference is None, -(item.difference or 0.0), item.key,
    )  # fmt: skip


def _id(key: tuple[str, ...]) -> str:
    """The same set has the same id in every run of its design, so links keep their meaning."""
    return hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:12]


def _choose(sets: Sequence[Set], seed: int) -> list[Set]:
    """`sets` come in the page's order; the draw depends on seed and id only, not on their order."""
    kept = dict.fromkeys(sets[:LARGEST])
    holes = sorted((s for s in sets if s.unanswered), key=lambda s: (-s.unanswered, s.key))
    kept.update(dict.fromkeys(holes[:UNANSWERED]))
    rest = [s for s in sets if s not in kept]
    rest.sort(key=lambda s: hashlib.sha256(f"{seed}:{s.id}".encode()).digest())
    kept.update(dict.fromkeys(rest[:RANDOM]))
    return list(kept)


def _members(
    rows: pa.Table, keys: Coded, codes: Sequence[int], scorers: Sequence[str]
) -> dict[int, list[Json]]:
    """Every row of the sets with these codes, all arms, in design order.

    `p` holds the probability of every option by its name, where options have one; `scores` the
    numbers of every scorer that measured the text, without and with the words of the group.
    """
    wanted = np.zeros(len(keys.values), bool)
    wanted[codes] = True
    mask = wanted[keys.codes]
    marks = [*scorers, *(name + RAW for name in scorers)]
    options = [n for n in rows.column_names if n.startswith("p_") and n not in marks]
    chosen = rows.select([*MEMBER, *options, *marks]).filter(pa.array(mask))
    options = [name for name in options if chosen[name].null_count < len(chosen)]
    known = {name: listed(chosen[name]) for name in (*options, *marks)}
    columns = {name: listed(chosen[name]) for name in MEMBER}
    members: dict[int, list[Json]] = {code: [] for code in codes}
    found = keys.codes[mask].tolist()
    for i, (code, *values) in enumerate(zip(found, *columns.values(), strict=True)):
        p = {n.removeprefix("p_"): value for n in options if (value := known[n][i]) is not None}
        pairs = {name: [known[name][i], known[name + RAW][i]] for name in scorers}
        scores = {name: pair for name, pair in pairs.items() if pair != [None, None]}
        members[code].append(dict(zip(columns, values, strict=True), p=p, scores=scores))
    return members


def _entry(item: Set, members: Sequence[Json], family: int) -> Json:
    """A line of the list: enough to sort, filter and name a set without opening its axis."""
    asked = [m for m in members if m["arm"] in UNEDITED]
    values: dict[str, list[float]] = {}
    for member in asked:
        if (value := _value(member, item.endpoint)) is not None:
            values.setdefault(member["group"], []).append(value)
    ends: list[Any] = [[group, fmean(found)] for group, found in values.items()]
    answered = [m for m in asked if m["status"] == ANSWERED and m["y"] is not None]
    return {
        "id": item.id, "family": family, "axis": item.axis,
        "language": item.key[2],
        "scenario": item.key[5], "variant": item.key[6], "domain": asked[0]["domain"],
        "endpoint": item.endpoint, "difference": item.difference,
        "answered": len(answered), "asked": len(asked),
        "high": max(ends, key=lambda end: end[1], default=None),
        "low": min(ends, key=lambda end: end[1], default=None),
        "statuses": _statuses(asked),
    }  # fmt: skip


def _value(member: Json, endpoint: str) -> float | None:
    value: float | None
    value = member["y"] if endpoint == OUTCOME else member["scores"].get(endpoint, [None])[0]
    return value


def _statuses(members: Sequence[Json]) -> dict[str, list[str]]:
    """Each status with the groups that have it."""
    found: dict[str, dict[str, None]] = {}
    for member in members:
        found.setdefault(member["status"], {})[member["group"]] = None
    return {status: list(groups) for status, groups in found.items()}


def _pack(content: object) -> str:
    packed = gzip.compress(orjson.dumps(content), compresslevel=6, mtime=0)
    return base64.b64encode(packed).decode("ascii")
