"""Answers made up for the analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from harness.analysis.cells import COLUMNS, Answers
from harness.columns import coded
from harness.design import Design
from harness.nouns import Prompt, Status

Row = tuple[Prompt, str, Status, Mapping[str, float]]
"""A prompt, a group it is about, and what the response was worth for that group."""


def worth(rows: Sequence[Row]) -> Answers:
    design = Design.of(prompt for prompt, *_ in rows)
    names = {name for *_, values in rows for name in values}
    return Answers(
        np.arange(len(rows)),
        coded(pa.array([group for _, group, *_ in rows], pa.string())),
        coded(pa.array([str(status) for *_, status, _ in rows], pa.string())),
        {name: design.column(name) for name in COLUMNS},
        {name: np.array([values.get(name, np.nan) for *_, values in rows]) for name in names},
    )
