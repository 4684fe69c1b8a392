"""Effects and responses as CSV or Parquet tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from harness import columns, tables
from harness.exports.finished import Finished, write
from harness.nouns import Record, visible
from harness.store import SCORES

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would take for a formula."""


def parquet(run: Finished, out: str) -> list[str]:
    """`effects.parquet` and `responses.parquet` in the folder `out`, all values exact."""
    written = []
    for name, table in _tables(run).items():
        buffer = pa.BufferOutputStream()
        pyarrow.parquet.write_table(table, buffer, compression="zstd")
        written.append(write(Path(out) / f"{name}.parquet", buffer.getvalue().to_pybytes()))
    return written


def csv(run: Finished, out: str) -> list[str]:
    """`effects.csv` and `responses.csv` in the folder `out`.

    Lists are joined by " | ". Answers are a model's words: a text that a spreadsheet would run as a
    formula gets a quote mark before it, and characters that steer a terminal or the direction of
    writing are replaced by U+FFFD; Parquet has them as they are. Undefined numbers
    are empty.
    """
    written = []
    for name, table in _tables(run).items():
        plain = pa.table({column: _plain(table[column]) for column in table.column_names})
        buffer = pa.BufferOutputStream()
        pyarrow.csv.write_csv(plain, buffer)
        written.append(write(Path(out) / f"{name}.csv", buffer.getvalue().to_pybytes()))
    return written


def _tables(run: Finished) -> dict[str, pa.Table]:
    flat = [_flat(effect) for effect in run.results["effects"]]
    names = dict.fromkeys(name for row in flat for name in row)
    effects = pa.Table.from_pydict({name: [row.get(name) for row in flat] for name in names})
    folder = run.folder
    rows = tables.answers(folder.design(), folder.responses(), folder.path / SCORES)
    return {"effects": effects, "responses": columns.plain(rows)}


def _flat(record: Mapping[str, Any], prefix: str = "") -> Record:
    """Nested records as columns: `bounds_low`, `statuses_refused`."""
    row: Record = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            row |= _flat(value, f"{prefix}{key}_")
        else:
            row[prefix + key] = value
    return row


def _plain(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_list(column.type):
        values = [None if v is None else " | ".join(v) for v in column.to_pylist()]
    elif pa.types.is_string(column.type):
        values = column.to_pylist()
    else:
        return column
    shown = [None if v is None else visible(v) for v in values]
    safe = [f"'{v}" if v is not None and v.startswith(FORMULA) else v for v in shown]
    return pa.array(safe, pa.string())
