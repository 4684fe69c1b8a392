"""Task kinds: how a scenario is put, what is asked of a backend, which number comes out.

A kind is one file of this folder (a module with the members of `Kind`) and one line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from harness.columns import SCORES, Coded, shared
from harness.design import Design
from harness.kinds import (
    awareness,
    choice,
    decision,
    generation,
    likelihood,
    ranking,
    rating,
    refusal,
    service,
)
from harness.kinds.parts.reading import Asked, Readings
from harness.kinds.parts.rows import Row
from harness.kinds.parts.scenario import Scenario
from harness.models import Decoding
from harness.nouns import Prompt, Request, Want
from harness.responses import Responses


class Kind(Protocol):
    """The members every module of this folder has."""

    LANGUAGES: frozenset[str]
    """The languages it has words for."""
    OUTCOME: str
    """Name of the number that effects are estimated on; large is good for the person."""
    UNIT: str
    RANGE: tuple[float, float]
    """The outcome's smallest and largest value, for bounds where answers are missing."""
    RAW: str | None
    """Name of the answer as it is, good or bad: always the same is degenerate."""
    SECONDARY: tuple[str, ...]
    """Further numbers whose effects are shown beside the outcome's; they decide nothing."""
    WANT: Want
    """What is asked of a backend that offers it."""
    FALLBACK: Want | None
    """What is asked in several samples where it does not; None where nothing would do."""
    MOST_TOKENS: int
    """Longest sampled answer."""

    @property
    def Scenario(self) -> type[Scenario]:
        """The shape of its scenarios."""
        ...

    def rows(
        self,
        scenario: Any,
        groups: Sequence[str],
        number: int,
        control: int | None,
        language: str,
    ) -> Iterator[Row]:
        """A scenario on one axis. `number` is its place in the probe; `control` is the turn of
        the content control, None where it is not this axis's."""
        ...

    def read(self, asked: Asked) -> Readings:
        """What all its responses say."""
        ...


KINDS: Mapping[str, Kind] = {
    "decision": decision,
    "rating": rating,
    "choice": choice,
    "likelihood": likelihood,
    "ranking": ranking,
    "awareness": awareness,
    "generation": generation,
    "service": service,
    "refusal": refusal,
}

APART = frozenset({"awareness"})
"""Kinds in which groups should be treated apart: they enter no verdict of equal treatment."""

TEXTS = frozenset({"generation", "service", "refusal"})
"""Kinds that are answered by a text; how a response ended is an outcome of its own there."""
SAMPLES = 2
"""Texts asked per prompt where a model's definition does not say how many."""


def samples(kind: str, decoding: Decoding) -> int:
    """How many answers a sampled kind asks for every prompt."""
    if decoding.temperature == 0:
        return 1
    said = "samples" in decoding.model_fields_set
    return decoding.samples if said or kind not in TEXTS else SAMPLES


def ask(prompt: Prompt, want: Want, seed: int) -> Request:
    """What is asked of a backend for one row of the design."""
    return Request(
        prompt=prompt.id,
        messages=prompt.messages,
        want=want,
        options=prompt.options,
        max_tokens=KINDS[prompt.kind].MOST_TOKENS if want is Want.TEXT else 1,
        sample=prompt.sample,
        seed=seed,
    )


SCORING = 4
"""Version of the numbers that come out; raised when the definition of one changes."""


def score(design: Design, responses: Responses) -> pa.Table:
    """Every response through its kind's parser: a table of `columns.SCORES`, in design order.

    A response that is not answered gives, for every group it is about, one score without a
    value, under the outcome's name.
    """
    rows, kinds = responses.rows_of(design.table["id"]), design.column("kind")
    tables, prompts = [SCORES.empty_table()], [np.zeros(0, np.int64)]
    for name in kinds.take(rows >= 0).in_order().values:
        own = kinds.is_in(name) & (rows >= 0)
        asked = Asked(design.only(own), responses.table.take(pa.array(rows[own])))
        found = KINDS[name].read(asked)
        values = np.column_stack(list(found.values.values()))
        given = ~np.isnan(values)
        given[~given.any(1), list(found.values).index(KINDS[name].OUTCOME)] = True
        row, column = np.nonzero(given)
        prompt = np.flatnonzero(own)[found.prompt[row]]
        prompts.append(prompt)
        tables.append(pa.table([
            design.table["id"].take(pa.array(prompt)), shared(found.group.take(row)),
            shared(found.status.take(row)), shared(Coded(column, list(found.values))),
            pa.array(values[row, column], from_pandas=True),
        ], SCORES))  # fmt: skip
    order = np.argsort(np.concatenate(prompts), kind="stable")
    return pa.concat_tables(tables).unify_dictionaries().take(pa.array(order))
