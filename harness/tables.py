"""Every prompt of a run beside its answer, as one Arrow table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson
import pyarrow as pa

from harness.columns import Coded, Codes, Wide, coded, read_scores, shared, wide
from harness.design import Design
from harness.kinds import KINDS
from harness.kinds.parts.members import Members, members
from harness.kinds.parts.reading import Asked, logs, powers
from harness.nouns import Status, Want
from harness.responses import Responses

ASKED = (
    "id", "probe", "kind", "scenario", "variant", "language", "axis", "group", "cue", "arm",
    "sample", "domain", "favourable", "cue_position",
)  # fmt: skip
"""Columns that the design gives."""
WORDS = pa.list_(pa.string())
Held = TypeVar("Held", pa.Array, pa.ChunkedArray, pa.Table)


def answers(design: Design, responses: Responses, path: Path) -> pa.Table:
    """Every prompt of the design with what was asked, answered and scored, in design order.

    A prompt about several groups has a row for each. Words that many rows share come by codes;
    `columns.plain` makes words of them.

    Columns: the design's, `text` (the words asked), `status`, `answer` (generated text), `p_NAME`
    for every option, one for every scorer, and `detail`. `path` is the scores file.

    `p_NAME` is the option's share of the probability on all options of its prompt, so that they
    add up to 1; how much that was is `mass`. Of kind `likelihood`, whose options are whole
    continuations, it is the continuation's own probability. Null where an answer was drawn, or
    none could be read.
    """
    said = _taken(responses.table, responses.rows_of(design.table["id"]))
    whom = members(Asked(design, said))
    found = wide(read_scores(path), design.table["id"])
    each = {
        **{name: design.table[name] for name in ASKED},
        "text": _made(design, "messages", _words, pa.string()),
        "cue_words": _made(design, "cue_words", orjson.loads, WORDS),
        "status": _statuses(found, len(design)),
        "answer": said["text"],
        **_chances(Asked(design, said), found),
        "detail": said["detail"],
    }
    columns = {name: _taken(column, whom.prompt) for name, column in each.items()}
    columns["group"] = shared(Coded(whom.group, whom.names))
    beside, none = _beside(found, whom), np.full(len(found.prompt), np.nan)
    for name in sorted({"y", "mass", *found.values} - columns.keys()):
        numbers = np.append(found.values.get(name, none), np.nan)
        columns[name] = pa.array(numbers[beside], from_pandas=True)
    detail = columns.pop("detail")
    return pa.table({"prompt": columns.pop("id"), **columns, "detail": detail})


def _taken(held: Held, rows: Codes) -> Held:
    """The rows by number, null for -1; nothing is copied where they are all, in their order."""
    if len(rows) == len(held) and (rows == np.arange(len(rows))).all():
        return held
    return held.take(pa.array(rows, mask=rows < 0))


def _words(messages: str) -> str:
    """What is asked, in one text."""
    return "\n\n".join(message["content"] for message in orjson.loads(messages))


def _made(design: Design, name: str, of: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """A column of the design with what `of` makes of each distinct text."""
    column = coded(design.table[name])
    return shared(Coded(column.codes, [of(text) for text in column.values]), kind)


def _statuses(found: Wide, prompts: int) -> pa.Array:
    """How every prompt's response ended; null where it has no score."""
    codes = np.full(prompts, -1, np.int32)
    codes[found.prompt] = found.status.codes
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0), pa.array(found.status.values, pa.string())
    )


def _chances(asked: Asked, scores: Wide) -> dict[str, pa.Array]:
    """Every option's share of the probability on the options, by its column."""
    found = logs(asked)
    answered = np.zeros(len(asked), bool)
    answered[scores.prompt] = scores.status.is_in(Status.ANSWERED)
    shown = found.found & answered[:, None]
    chances = np.where(shown, powers(found.values), 0.0)
    together = chances.sum(axis=1, keepdims=True)
    together[asked.design.column("kind").of(_of_texts, bool)] = 1.0
    shares = np.divide(chances, together, out=np.zeros_like(chances), where=together > 0)
    each = {name: k for k, name in enumerate(found.names)}
    return {
        f"p_{name}": pa.array(shares[:, k], mask=~shown[:, k]) for name, k in sorted(each.items())
    }


def _of_texts(kind: str) -> bool:
    """Whether a kind's options are whole continuations, which are no shares of one token."""
    return KINDS[kind].WANT is Want.SEQUENCE


def _beside(found: Wide, whom: Members) -> Codes:
    """The row of the scores for every prompt and group; one past the last where there is none."""
    code = {name: k for k, name in enumerate(whom.names)}
    size, own = len(code), found.group.of(lambda name: code.get(name, -1), int)
    keys = np.where(own < 0, -1, found.prompt * size + own)
    order = np.argsort(keys, kind="stable")
    wanted = whom.prompt * size + whom.group
    place = np.searchsorted(keys[order], wanted)
    row = np.append(order, len(keys))[place]
    return np.where(np.append(keys, -1)[row] == wanted, row, len(keys))
