"""Arrow tables of a run: the scores, and every prompt beside its answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.design import Design
from harness.errors import InputError
from harness.nouns import Response, Score, Status

SCORES = pa.schema(
    [
        ("prompt", pa.string()),
        ("group", pa.string()),
        ("status", pa.string()),
        ("scorer", pa.string()),
        ("value", pa.float64()),
    ]
)


def scores(rows: Sequence[Score]) -> pa.Table:
    """One row a score."""
    return pa.Table.from_pydict(
        {name: [getattr(row, name) for row in rows] for name in SCORES.names}, schema=SCORES
    )


def read_scores(path: Path) -> list[Score]:
    """The scores of a finished run."""
    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    return [Score(**{**row, "status": Status(row["status"])}) for row in rows]


def answers(design: Design, responses: Mapping[str, Response], path: Path) -> pa.Table:
    """Every prompt of the design with what was asked, answered and scored, in design order.

    A prompt about several groups has a row for each.

    Columns: the design's, `text` (the words asked), `status`, `answer` (generated text), `p_NAME`
    for every option, one for every scorer, and `detail`. `path` is the scores file.
    """
    options = sorted({option.name for p in design.prompts for option in p.options})
    scored: dict[tuple[str, str], dict[str, float | None]] = {}
    status: dict[str, str] = {}
    scorers: set[str] = set()
    for score in read_scores(path):
        scored.setdefault((score.prompt, score.group), {})[score.scorer] = score.value
        status[score.prompt] = score.status
        scorers.add(score.scorer)
    rows = []
    for prompt, group in ((p, group) for p in design.prompts for group in p.groups):
        response = responses.get(prompt.id)
        logprobs = (response.logprobs if response else None) or {}
        rows.append(
            {
                "prompt": prompt.id, "probe": prompt.probe, "kind": prompt.kind,
                "scenario": prompt.scenario, "variant": prompt.variant,
                "language": prompt.language, "axis": prompt.axis, "group": group,
                "cue": prompt.cue, "arm": str(prompt.arm), "sample": prompt.sample,
                "domain": prompt.domain, "favourable": prompt.favourable,
                "cue_position": prompt.cue_position,
                "text": "\n\n".join(message.content for message in prompt.messages),
                "cue_words": list(prompt.cue_words),
                "status": status.get(prompt.id),
                "answer": response.text if response else None,
                **{f"p_{o}": math.exp(logprobs[o]) if o in logprobs else None for o in options},
                **{name: scored.get((prompt.id, group), {}).get(name) for name in sorted(scorers)},
                "detail": response.detail if response else None,
            }
        )  # fmt: skip
    kinds = {"y": pa.float64(), "mass": pa.float64(), "detail": pa.string(), "answer": pa.string()}
    table = pa.Table.from_pylist(rows)
    for name in {*kinds, *(f"p_{o}" for o in options)}:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(rows), kinds.get(name, pa.float64())))
        elif table.schema.field(name).type == pa.null():
            place = table.column_names.index(name)
            empty = pa.nulls(len(rows), kinds.get(name, pa.float64()))
            table = table.set_column(place, name, empty)
    return table
