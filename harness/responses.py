"""Responses by columns: one row a prompt, the last record of each; read from logs and Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from harness.columns import SHARED, Codes, Mask, coded, first_seen, places, read_table
from harness.nouns import Finish, Record, Response

CHANCES = pa.map_(pa.string(), pa.float64())
SCHEMA = pa.schema(
    [
        ("prompt", pa.string()), ("finish", SHARED), ("text", pa.string()),
        ("logprobs", CHANCES), ("absent_below", pa.float64()),
        ("detail", pa.string()), ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()), ("truncated", pa.bool_()),
        ("reasoning", pa.string()),
    ]
)  # fmt: skip
PIECE = 1 << 24
"""Bytes of a log that are parsed at a time."""


class Responses(Mapping[str, Response]):
    """The last response of every prompt that has one, by the prompt's id.

    `table` has a row for each, with the columns of `SCHEMA`; a `Response` is made when asked for.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = _last(table)

    @classmethod
    def of(cls, responses: Iterable[Response]) -> Responses:
        """Of responses in the order in which they came."""
        return cls(table_of(responses))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[str]:
        yield from self.table["prompt"].to_pylist()

    def __contains__(self, prompt: object) -> bool:
        return prompt in self._rows

    def __getitem__(self, prompt: str) -> Response:
        row = self._rows[prompt]
        return next(_responses(self.table.slice(row, 1)))

    def values(self) -> Any:
        """The responses, in the order of the prompts."""
        return list(_responses(self.table))

    def items(self) -> Any:
        """The prompts' ids, each with its response."""
        return [(response.prompt, response) for response in _responses(self.table)]

    @cached_property
    def _rows(self) -> Mapping[str, int]:
        return {prompt: row for row, prompt in enumerate(self)}

    @cached_property
    def failed(self) -> Mask:
        """Which rows have failed, as `failed` says of one."""
        truncated = self.table["truncated"].to_numpy(zero_copy_only=False)
        errors: Mask = coded(self.table["finish"]).is_in(Finish.ERROR) & ~truncated
        return errors

    def rows_of(self, prompts: pa.ChunkedArray) -> Codes:
        """The row of each of these prompts, -1 where it has no response."""
        return places(prompts, self.table["prompt"])

    def lacking(self, prompts: pa.ChunkedArray) -> Mask:
        """Which of these prompts are still to be asked: without a response that settled it."""
        lacking: Mask = np.append(self.failed, True)[self.rows_of(prompts)]
        return lacking


def read_log(path: Path) -> pa.Table:
    """The whole records of a log, in the order they were written; a torn line is passed over."""
    pieces = [SCHEMA.empty_table()]
    with path.open("rb") as file:
        while lines := file.readlines(PIECE):
            pieces.append(_parsed([each for each in lines if each.startswith(b"{")]))
    return pa.concat_tables(pieces)


def read_compacted(path: Path) -> pa.Table:
    """The responses of a finished run.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    return read_table(path, SCHEMA)


def table_of(responses: Iterable[Response]) -> pa.Table:
    """Responses, row by row, by columns."""
    records = [_record(response) for response in responses]
    columns = {name: [record[name] for record in records] for name in SCHEMA.names}
    columns["logprobs"] = [p if p is None else list(p.items()) for p in columns["logprobs"]]
    return pa.Table.from_pydict(columns, schema=SCHEMA)


def failed(response: Response) -> bool:
    """An answer worth asking for again: a prompt too long would be too long again."""
    return response.finish is Finish.ERROR and not response.truncated


def line(response: Response) -> bytes:
    """A response as a line of a log."""
    try:
        return orjson.dumps(response) + b"\n"
    except orjson.JSONEncodeError:  # a lone surrogate is no UTF-8
        return orjson.dumps(_record(response)) + b"\n"


def _last(table: pa.Table) -> pa.Table:
    """The last row of every prompt, in the order of the prompts' first."""
    if pc.count_distinct(table["prompt"]).as_py() == len(table):
        return table
    first, codes = first_seen(coded(table["prompt"]).codes)
    last = np.empty(len(first), np.int64)
    last[codes] = np.arange(len(codes))
    return table.take(last)


# -- records -----------------------------------------------------------------------------------

_READ = pyarrow.json.ParseOptions(
    explicit_schema=pa.schema(
        [field if field.type != SHARED else pa.field(field.name, pa.string())
         for field in SCHEMA if field.type != CHANCES]
    ),
    unexpected_field_behavior="infer",
)  # fmt: skip


def _parsed(lines: list[bytes]) -> pa.Table:
    """The records of these lines, without those that are none."""
    piece = b"".join(lines)
    whole = pyarrow.json.ReadOptions(block_size=len(piece) + 1)
    with suppress(pa.ArrowException, ValueError):
        return _shaped(pyarrow.json.read_json(BytesIO(piece), whole, _READ))
    half = len(lines) // 2  # one is torn by a kill, and its prompt is asked again: look for it
    parts = (lines[:half], lines[half:]) if half else ()
    return pa.concat_tables([SCHEMA.empty_table(), *map(_parsed, parts)])


def _shaped(table: pa.Table) -> pa.Table:
    """Parsed lines in the columns of `SCHEMA`; ValueError where one is no record."""
    if table["prompt"].null_count:
        raise ValueError("a record without a prompt")
    if not set(pc.unique(table["finish"]).to_pylist()) <= set(Finish):
        raise ValueError("a record that ended in no known way")
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name, value in (("prompt_tokens", 0), ("completion_tokens", 0), ("truncated", False)):
        columns[name] = pc.fill_null(columns[name], value)
    columns["logprobs"] = _chances(
        columns.get("logprobs", pa.chunked_array([pa.nulls(len(table))]))
    )
    shaped = pa.table({name: columns[name] for name in SCHEMA.names})
    shaped.validate(full=True)  # no byte that is not UTF-8
    return shaped.cast(SCHEMA)


def _chances(column: pa.ChunkedArray) -> pa.Array:
    """Objects with a number by name as maps; a name without a number is left out."""
    objects = column.combine_chunks()
    if pa.types.is_null(objects.type):
        return pa.nulls(len(objects), CHANCES)
    if not pa.types.is_struct(objects.type):
        raise ValueError("log-probabilities are an object")
    names = [field.name for field in objects.type]
    numbers = np.full((len(objects), len(names)), np.nan)
    for column, name in zip(numbers.T, names, strict=True):
        column[:] = pc.struct_field(objects, name).cast(pa.float64()).to_numpy(False)
    row, k = np.nonzero(~np.isnan(numbers))
    ends = np.searchsorted(row, np.arange(len(objects) + 1))
    none = np.append(objects.is_null().to_numpy(False), False)
    keys = pa.array(names, pa.string()).take(pa.array(k))
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32(), mask=none), keys, numbers[row, k])


def _record(response: Response) -> Record:
    """A response as it is written; a lone surrogate is marked as a spot that is no text."""
    record = {name: getattr(response, name) for name in SCHEMA.names}
    for name in ("text", "detail", "reasoning"):
        words = record[name]
        if words is not None and not words.isascii():
            record[name] = words.encode("utf-8", "replace").decode()
    return record


def _responses(table: pa.Table) -> Iterator[Response]:
    """The rows of a table, each as a response."""
    columns = {name: table[name].to_pylist() for name in SCHEMA.names}
    columns["finish"] = [Finish(name) for name in columns["finish"]]
    columns["logprobs"] = [p if p is None else dict(p) for p in columns["logprobs"]]
    yield from map(Response, *columns.values())
