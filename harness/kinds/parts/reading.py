"""What the kinds share in reading responses: their status, and the shares of the options.

Responses are read by columns, all of one kind at once; what a text says is worked out once for
every distinct text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from harness.columns import SHARED, Coded, Codes, Floats, Mask, coded, first_seen, joint
from harness.design import Design
from harness.nouns import Finish, Option, Response, Status
from harness.responses import table_of

LEAST_MASS = 0.05
"""Probability that must lie on the options together; below it a response is unparsed."""
MOST_UNKNOWN = 0.005
"""How far options outside a server's returned tokens may leave the shares unknown."""
STATUSES = list(Status)
LARGEST = 700.0
"""Largest power of e that is taken; a log-probability beyond it is none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Prompts of one kind, and row by row beside them their responses."""

    design: Design
    responses: pa.Table

    def __len__(self) -> int:
        return len(self.design)


def asking(
    options: Sequence[tuple[Option, ...]], languages: Sequence[str], responses: Sequence[Response]
) -> Asked:
    """Questions that no design has, for `answer`: all that it goes by, row by row."""
    as_json = [orjson.dumps(each).decode() for each in options]
    columns = {"options": pa.array(as_json, SHARED), "language": pa.array(languages, SHARED)}
    return Asked(Design(pa.table(columns)), table_of(responses))


@dataclass(frozen=True, slots=True)
class Readings:
    """What a kind made of responses: a row for every prompt and group that it is about.

    Of shape (rows,): the `prompt`'s row, the `group`, the `status` and, by name, the numbers; NaN
    where there is none, as everywhere but where answered (in kinds of text, ended).
    """

    prompt: Codes
    group: Coded
    status: Coded
    values: Mapping[str, Floats]


def of_one(asked: Asked, status: Codes, values: Mapping[str, Floats]) -> Readings:
    """Readings of prompts that are about one group each."""
    return Readings(
        np.arange(len(asked)), asked.design.column("group"), Coded(status, STATUSES), values
    )


def code(status: Status) -> int:
    """The place of a status among `STATUSES`."""
    return STATUSES.index(status)


def unanswered(asked: Asked) -> Codes:
    """How responses ended, by code; `ANSWERED` where there may be an answer."""
    responses = asked.responses
    finish = coded(responses["finish"])
    blank = coded(responses["text"]).of(lambda text: not (text or "").strip(), bool)
    status = np.full(len(asked), code(Status.ANSWERED))
    status[blank & _is_null(responses["logprobs"])] = code(Status.EMPTY)
    status[finish.is_in(Finish.FILTER)] = code(Status.REFUSED)
    status[finish.is_in(Finish.ERROR)] = code(Status.ERROR)
    status[responses["truncated"].to_numpy(zero_copy_only=False)] = code(Status.TRUNCATED)
    return status


def of_texts(
    asked: Asked, rows: Mask, told: Callable[[str, str], Any], dtype: type = int
) -> NDArray[Any]:
    """What `told` makes of the text and the language of these rows."""
    text = coded(asked.responses["text"].filter(pa.array(rows)))
    language = asked.design.column("language").take(rows)
    places, codes = first_seen(joint(text, language))
    each = [told(text.values[text.codes[i]] or "", language.values[language.codes[i]])
            for i in places.tolist()]  # fmt: skip
    return np.array(each, dtype)[codes]


@dataclass(frozen=True, slots=True)
class Logs:
    """Log-probabilities of the options `names`, of shape (responses, options).

    `offered` are the options a prompt has, `found` those with a value, `given` the responses
    that have values at all.
    """

    names: list[str]
    offered: Mask
    found: Mask
    values: Floats
    given: Mask


def logs(asked: Asked) -> Logs:
    """The log-probabilities of every prompt's options."""
    options = asked.design.column("options")
    listed = [[option.name for option in each] for each in options.values]
    names = list(dict.fromkeys(name for each in listed for name in each))
    has = np.array([[name in each for name in names] for each in listed], bool)
    offered = has.reshape(len(listed), len(names))[options.codes]
    values = np.full(offered.shape, np.nan)
    found = np.zeros(offered.shape, bool)
    chances = asked.responses["logprobs"].combine_chunks()
    keys = coded(chances.keys)
    row = np.repeat(np.arange(len(asked)), np.diff(chances.offsets.to_numpy()))
    column = keys.of(lambda name: names.index(name) if name in names else -1, int)
    known = column >= 0
    place = row[known], column[known]
    values[place] = chances.items.to_numpy(zero_copy_only=False)[known]
    found[place] = True
    return Logs(names, offered, found & offered, values, ~_is_null(asked.responses["logprobs"]))


@dataclass(frozen=True, slots=True)
class Shares:
    """Each option's share of their `mass`; NaN where not `ANSWERED`, mass where not measured.

    `of` has the shape (responses, options).
    """

    status: Codes
    names: list[str]
    of: Floats
    mass: Floats

    def share(self, name: str) -> Floats:
        """The share of one option: (responses,)."""
        found: Floats = self.of[:, self.names.index(name)]
        return found


def answer(asked: Asked, said: Callable[[str, str], str | None]) -> Shares:
    """The options' shares, from probabilities or from sampled answers, or why there are none.

    `said` tells from a text and its language the option it names, None where it names none;
    all of a sampled answer's share is that option's.
    """
    found, status = logs(asked), unanswered(asked)
    open_ = status == code(Status.ANSWERED)
    of, mass = np.zeros(found.values.shape), np.full(len(asked), np.nan)

    sampled = open_ & ~found.given
    names = {name: k for k, name in enumerate(found.names)}
    named = of_texts(asked, sampled, lambda *told: names.get(said(*told) or "", -1))
    row = np.flatnonzero(sampled)
    known = (named >= 0) & found.offered[row, named]
    of[row[known], named[known]] = 1.0
    status[row[~known]] = code(Status.UNPARSED)

    row = np.flatnonzero(open_ & found.given)
    chances = np.where(found.found[row], powers(found.values[row]), 0.0)
    mass[row] = reduce(np.add, chances.T, np.zeros(len(row)))
    status[row] = _weighed(asked, row, found, mass[row])
    with np.errstate(divide="ignore", invalid="ignore"):
        of[row] = chances / mass[row, None]

    lost = status != code(Status.ANSWERED)
    of[lost], mass[lost] = np.nan, np.nan
    return Shares(status, found.names, of, np.minimum(mass, 1.0))


def _weighed(asked: Asked, row: Codes, found: Logs, mass: Floats) -> Codes:
    """The status of responses with this mass on the options that were found."""
    absent = (found.offered[row] & ~found.found[row]).sum(1)
    below = asked.responses["absent_below"].to_numpy(zero_copy_only=False).astype(float)[row]
    with np.errstate(invalid="ignore"):
        told = (absent == 0) | (absent * powers(below) <= MOST_UNKNOWN * mass)
    status = np.where((mass < LEAST_MASS) | ~told, code(Status.UNPARSED), code(Status.ANSWERED))
    status[~np.isfinite(mass)] = code(Status.ERROR)
    return status


def powers(values: Floats) -> Floats:
    """e to these powers, infinite beyond `LARGEST` and where there is no number.

    By the C library, as NumPy's own differs in the last digit from one processor to the next.
    """
    found = np.full(values.shape, math.inf)
    small = values < LARGEST  # false for no number
    found[small] = [math.exp(value) for value in values[small].tolist()]
    return found


def _is_null(column: pa.ChunkedArray) -> Mask:
    found: Mask = column.is_null().to_numpy()
    return found
