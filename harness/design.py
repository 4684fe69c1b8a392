"""The design: one row per prompt, cut into fixed blocks of whole counterfactual sets.

A block is everything asked about one scenario of one probe in one language: all axes and
groups, the paraphrases and the control. Its content depends on nothing but the probes, so
whatever is computed within a block is the same in a killed, resumed, sliced or merged run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from harness.columns import (
    SHARED,
    Coded,
    Codes,
    Mask,
    coded,
    first_seen,
    joint,
    read_table,
    shared,
)
from harness.errors import InputError
from harness.nouns import Arm, Message, Option, Prompt, Record

TYPES = {"id": pa.string(), "block": pa.int64(), "probe_version": pa.int64(), "sample": pa.int64()}
SCHEMA = pa.schema([(name, TYPES.get(name, SHARED)) for name in Prompt.__match_args__])
"""A column a field of `Prompt`; what has parts is JSON."""
MADE: Mapping[str, Callable[[str], Any]] = {
    "arm": Arm,
    "messages": lambda text: tuple(Message(**m) for m in orjson.loads(text)),
    "options": lambda text: tuple(
        Option(o["name"], tuple(o["spellings"])) for o in orjson.loads(text)
    ),
    "cue_words": lambda text: tuple(orjson.loads(text)),
    "members": lambda text: tuple(orjson.loads(text)),
}
"""How what is no word of its own is made of a column's text."""
LISTS = ("cue_words", "members")
"""Columns that the file holds as lists of words."""
AT_A_TIME = 20_000
"""Rows that are held at once as prompts, or in their canonical form."""


@dataclass(frozen=True)
class Design:
    """The expanded table, in block order; `table` has the columns of `SCHEMA`."""

    table: pa.Table

    @classmethod
    def of(cls, prompts: Iterable[Prompt]) -> Design:
        """Of prompts in block order."""
        rows = list(map(attrgetter(*SCHEMA.names), prompts))
        columns = dict(zip(SCHEMA.names, zip(*rows, strict=True), strict=True)) if rows else {}
        for name in columns.keys() & MADE.keys() - {"arm"}:
            columns[name] = [orjson.dumps(parts).decode() for parts in columns[name]]
        return cls(pa.Table.from_pydict(columns, schema=SCHEMA) if rows else SCHEMA.empty_table())

    @classmethod
    def read(cls, path: Path) -> Design:
        """The design in a Parquet file.

        Raises
        ------
        InputError
            It cannot be read, or is no design.
        """
        plain = {name: pa.list_(pa.string()) for name in LISTS}
        schema = pa.schema([(f.name, plain.get(f.name, f.type)) for f in SCHEMA])
        table = read_table(path, schema)
        for name in LISTS:
            lists = pc.binary_join(table[name], "\x1f").combine_chunks()
            words = coded(lists)
            as_json = [orjson.dumps(text.split("\x1f") if text else []).decode()
                       for text in words.values]  # fmt: skip
            table = _with(table, name, shared(Coded(words.codes, as_json)))
        return cls(table)

    def written(self) -> pa.Table:
        """The table as its file holds it."""
        table = self.table
        for name in LISTS:
            words = coded(table[name])
            lists = pa.array([orjson.loads(text) for text in words.values], pa.list_(pa.string()))
            table = _with(table, name, lists.take(pa.array(words.codes)))
        return table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> Coded:
        """A column by codes, its values as `Prompt` has them."""
        column = coded(self.table[name])
        made = MADE.get(name)
        return Coded(column.codes, [made(v) for v in column.values]) if made else column

    def ids(self, rows: Codes) -> list[str]:
        """The ids of these rows."""
        return list(self.table["id"].take(pa.array(rows)).to_pylist())

    def only(self, rows: Mask) -> Design:
        """The rows where `rows` is true."""
        return self if rows.all() else Design(self.table.filter(pa.array(rows)))

    @cached_property
    def prompts(self) -> tuple[Prompt, ...]:
        """Every row as a prompt; what many rows share is one object."""
        columns = [
            self.column(name).listed() if SCHEMA.field(name).type == SHARED
            else self.table[name].to_pylist()
            for name in SCHEMA.names
        ]  # fmt: skip
        return tuple(map(Prompt, *columns))

    @cached_property
    def by_id(self) -> Mapping[str, Prompt]:
        return {prompt.id: prompt for prompt in self.prompts}

    def blocks(self) -> Iterator[tuple[Prompt, ...]]:
        """One block after the other, its prompts made when it comes near."""
        for start, end in pairwise(_cuts(self.table["block"].to_numpy())):
            some = Design(self.table.slice(start, end - start)).prompts
            yield from (tuple(block) for _, block in groupby(some, attrgetter("block")))

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the sorted canonical rows: no model, no time, no order.

        Rows of one scenario begin alike, so scenarios are sorted first, by what they begin with.
        """
        rank = self._rank()
        order = np.argsort(rank, kind="stable")
        digest = hashlib.sha256()
        for rows in canonical(self.table, np.split(order, _cuts(rank[order])[1:-1])):
            digest.update(b"\n".join([*sorted(rows), b""]))
        return digest.hexdigest()

    def _rank(self) -> Codes:
        """The place of every row's scenario among those that are sorted by canonical rows."""
        names = ("probe", "probe_version", "scenario")
        first, scenario = first_seen(joint(*(self.column(name) for name in names)))
        rows = self.table.select(names).take(pa.array(first)).to_pylist()
        begins = [orjson.dumps(list(row.values()))[:-1] + b"," for row in rows]
        rank = np.empty(len(rows), np.int64)
        rank[sorted(range(len(rows)), key=begins.__getitem__)] = np.arange(len(rows))
        return rank[scenario]

    def slice(self, shard: tuple[int, int] | None) -> Design:
        """Every n-th block, for slice i of n from the i-th on; all of them without a slice."""
        if shard is None:
            return self
        i, n = shard
        return self.only(self.table["block"].to_numpy() % n == i - 1)


def _cuts(codes: Codes) -> list[int]:
    """Where pieces of about `AT_A_TIME` rows begin and the last ends; none parts equal codes
    that follow each other."""
    ends = np.flatnonzero(np.diff(codes)) + 1
    cuts = ends[np.searchsorted(ends, np.arange(AT_A_TIME, ends.max(initial=0), AT_A_TIME))]
    return [0, *np.unique(cuts).tolist(), len(codes)]


def canonical(table: pa.Table, parts: Iterable[Codes]) -> Iterator[list[bytes]]:
    """What is asked in these rows of a design, part by part: each row a list in JSON."""
    columns = []
    for name, text in CANONICAL.items():
        column = coded(table[name])
        columns.append((column.codes, pa.array(map(text, column.values), pa.binary())))
    for rows in parts:
        texts = [values.take(pa.array(codes[rows])) for codes, values in columns]
        yield pc.binary_join_element_wise(*texts, b"").to_pylist()


def _messages(text: str) -> bytes:
    return b"," + orjson.dumps([[m["role"], m["content"]] for m in orjson.loads(text)])


def _options(text: str) -> bytes:
    return b"," + orjson.dumps([[o["name"], o["spellings"]] for o in orjson.loads(text)])


CANONICAL: Mapping[str, Callable[[Any], bytes]] = {
    "probe": lambda word: b"[" + orjson.dumps(word),
    **dict.fromkeys(
        ("probe_version", "scenario", "variant", "axis", "group", "cue", "language", "arm",
         "sample", "favourable"),
        lambda value: b"," + orjson.dumps(value),
    ),
    "messages": _messages,
    "options": _options,
    "members": lambda text: b"]" if text == "[]" else b"," + text.encode() + b"]",
}  # fmt: skip
"""The parts of a row that say what is asked, in their order, and how each is written."""


def identified(table: pa.Table) -> pa.Table:
    """The table with every row's id: the beginning of the SHA-256 of its canonical form."""
    starts = np.arange(AT_A_TIME, table.num_rows, AT_A_TIME)
    ids = [
        hashlib.sha256(row).hexdigest()[:16]
        for rows in canonical(table, np.split(np.arange(table.num_rows), starts)) for row in rows
    ]  # fmt: skip
    return _with(table, "id", pa.array(ids, pa.string()))


def favourable(design: Design, axis: str, group: str) -> dict[str, str]:
    """The prompts of one group, in every arm, with the option that is good for the person.

    Raises
    ------
    InputError
        The design does not ask about this group.
    """
    about = design.column("axis").is_in(axis) & design.column("group").is_in(group)
    if not about.any():
        raise InputError(f"group '{group}' of axis '{axis}' is not asked about in this run")
    found = design.only(about)
    return dict(
        zip(found.table["id"].to_pylist(), found.column("favourable").listed(), strict=True)
    )


def returning(design: Design) -> list[Record]:
    """Where a group's hint (a name, a place) had to serve in a second scenario of a probe.

    One record a language and axis where any did: `words`, how many hints the probes use, each
    group's and probe's by itself; `returning`, how many of them serve more than once. Prompts
    about several groups are left out, as in the analysis.
    """
    hinted = design.column("cue").is_in("implicit") & ~design.column("members").of(bool, bool)
    hinted &= design.column("arm").is_in(Arm.COUNTERFACTUAL)
    names = ("language", "axis", "probe", "group", "cue_words", "scenario")
    served: dict[tuple[Any, ...], set[str]] = {}
    for *word, scenario in zip(
        *(design.column(name).take(hinted).listed() for name in names), strict=True
    ):
        served.setdefault(tuple(word), set()).add(scenario)
    found: dict[tuple[str, str], list[int]] = {}
    for (language, axis, *_), scenarios in served.items():
        found.setdefault((language, axis), []).append(len(scenarios))
    return [
        {"language": language, "axis": axis, "words": len(uses),
         "returning": sum(n > 1 for n in uses)}
        for (language, axis), uses in found.items() if max(uses) > 1
    ]  # fmt: skip


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
