"""Arrow columns: codes for what many rows share, and the table of scores.

A run has a row a prompt, and up to millions of them; most columns hold few distinct values. So
data is kept as Arrow tables and NumPy codes, and Python objects are made of what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from harness.errors import InputError
from harness.nouns import Score

Codes = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
SHARED = pa.dictionary(pa.int32(), pa.string())
"""The type of a column of words that many rows share."""
LARGEST = 1 << 62
"""Number of combinations that still have a code each."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column by codes: row i holds `values[codes[i]]`."""

    codes: Codes
    values: Sequence[Any]

    def __len__(self) -> int:
        return len(self.codes)

    def is_in(self, *wanted: object) -> Mask:
        """Which rows hold one of these values."""
        return self.of(lambda value: value in wanted, bool)

    def of(self, number: Callable[[Any], Any], dtype: type) -> NDArray[Any]:
        """A number of every row's value, worked out once for each distinct one."""
        return np.array([number(value) for value in self.values], dtype)[self.codes]

    def take(self, rows: NDArray[Any]) -> Coded:
        return Coded(self.codes[rows], self.values)

    def listed(self) -> list[Any]:
        """The values, row by row."""
        return [self.values[code] for code in self.codes.tolist()]

    def in_order(self) -> Coded:
        """The same with codes that count the values up from their first appearance."""
        places, codes = first_seen(self.codes)
        return Coded(codes, [self.values[self.codes[place]] for place in places.tolist()])


def coded(column: pa.ChunkedArray | pa.Array) -> Coded:
    """A column of a table by codes, without values that no row holds; a null is None."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # of no rows
        column = pa.array([], column.type)
    size = len(column.dictionary)
    codes = pc.fill_null(column.indices, size).to_numpy(zero_copy_only=False)
    used = np.flatnonzero(np.bincount(codes, minlength=size + 1))
    rank = np.zeros(size + 1, np.int32)
    rank[used] = np.arange(len(used))
    values = column.dictionary.take(pa.array(used[used < size])).to_pylist()
    return Coded(rank[codes], values if len(values) == len(used) else [*values, None])


def first_seen(codes: Codes) -> tuple[Codes, Codes]:
    """Where each distinct code appears first, in that order; and the codes counted up so."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse]


def joint(*columns: Coded) -> Codes:
    """One code for every combination of values, counted up from their first appearance."""
    codes: Codes = np.zeros(len(columns[0]), np.int64)
    size = 1
    for column in columns:
        size *= len(column.values)
        if size > LARGEST:
            codes = first_seen(codes)[1].astype(np.int64)
            size = (int(codes.max(initial=0)) + 1) * len(column.values)
        codes = codes * len(column.values) + column.codes
    return first_seen(codes)[1]


def listed(column: pa.ChunkedArray) -> list[Any]:
    """A column's values, row by row; what many rows share is one object."""
    shared = pa.types.is_dictionary(column.type)
    return coded(column).listed() if shared else list(column.to_pylist())


def places(wanted: pa.ChunkedArray, ids: pa.ChunkedArray) -> Codes:
    """Where each wanted id stands among `ids`; -1 where it does not."""
    if wanted.equals(ids):  # as in the files of a finished run
        return np.arange(len(ids))
    found = pc.index_in(wanted, value_set=ids.combine_chunks())
    rows: Codes = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return rows


def shared(column: Coded, kind: pa.DataType | None = None) -> pa.DictionaryArray:
    """The column as Arrow has it, with values of this kind: words where not said otherwise."""
    values = pa.array(column.values, kind or pa.string())
    return pa.DictionaryArray.from_arrays(column.codes.astype(np.int32), values)


def plain(table: pa.Table) -> pa.Table:
    """The table with words themselves in place of their codes."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()) if column.type == SHARED else _decoded(column)
        columns[name] = column
    return pa.table(columns)


def _decoded(column: pa.ChunkedArray) -> pa.Array:
    chunk = column.unify_dictionaries().combine_chunks()
    return chunk.dictionary.take(chunk.indices)


# -- scores ------------------------------------------------------------------------------------

SCORES = pa.schema(
    [
        ("prompt", pa.string()), ("group", SHARED), ("status", SHARED), ("scorer", SHARED),
        ("value", pa.float64()),
    ]
)  # fmt: skip
"""One row a score: a number that a scorer gave one response about one group.

`value` is null where it could not be measured: for most kinds, unless the status is `answered`;
in kinds of text, how a response ended is itself a number.
"""


def scores(rows: Sequence[Score]) -> pa.Table:
    """One row a score."""
    return pa.Table.from_pydict(
        {name: [getattr(row, name) for row in rows] for name in SCORES.names}, schema=SCORES
    )


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """These columns of a Parquet file of the run folder.

    Raises
    ------
    InputError
        It cannot be read, or holds something else.
    """
    by_code = [field.name for field in schema if field.type == SHARED]
    try:
        with pq.ParquetFile(path, read_dictionary=by_code) as file:
            return file.read().select(schema.names).cast(schema)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def read_scores(path: Path) -> pa.Table:
    """The scores of a finished run.

    Raises
    ------
    InputError
        The file cannot be read, or holds no scores.
    """
    return read_table(path, SCORES)


@dataclass(frozen=True, slots=True)
class Wide:
    """Scores with a row for every prompt and group that has any, in the order of the prompts.

    `prompt` is the place of a prompt's id among those that were given; `values` holds the numbers
    by scorer, NaN where a response has none.
    """

    prompt: Codes
    group: Coded
    status: Coded
    values: dict[str, Floats]


def wide(scores: pa.Table, ids: pa.ChunkedArray) -> Wide:
    """The scores, in any order, of the prompts with these ids; those of others are left out.

    Groups of one prompt stand in the order of their first scores.
    """
    prompt = _by_run(scores["prompt"].combine_chunks(), ids)
    if (known := prompt >= 0).sum() < len(prompt):
        scores, prompt = scores.filter(pa.array(known)), prompt[known]
    group, scorer = coded(scores["group"]), coded(scores["scorer"])
    _, first, place = np.unique(
        prompt * len(group.values) + group.codes, return_index=True, return_inverse=True
    )
    order = np.lexsort((first, prompt[first]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    place, first = rank[place], first[order]
    number = scores["value"].to_numpy()
    values = {}
    for k, name in enumerate(scorer.values):
        own = scorer.codes == k
        values[name] = np.full(len(first), np.nan)
        values[name][place[own]] = number[own]
    return Wide(prompt[first], group.take(first), coded(scores["status"]).take(first), values)


def _by_run(wanted: pa.Array, ids: pa.ChunkedArray) -> Codes:
    """`places`, looked up once for ids that follow each other."""
    if not len(wanted):
        return np.zeros(0, np.int64)
    changes = pc.not_equal(wanted[1:], wanted[:-1]).to_numpy(zero_copy_only=False)
    heads = np.append(0, np.flatnonzero(changes) + 1)
    found = places(pa.chunked_array([wanted.take(pa.array(heads))]), ids)
    return np.repeat(found, np.diff(np.append(heads, len(wanted))))
