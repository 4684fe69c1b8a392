"""The sensitivity control of the audit: does a scorer tell texts of known worth apart?

A scorer that gives every text the same number, or numbers that have nothing to do with the text,
moves by nothing when the person's words are swapped: it has no bias, and finds all groups alike.
So every scorer is asked about pairs of texts of which one has clearly more of what it measures
(harness/scorers/words/sensitivity.yaml, or a file of the user's). Its mean response must be shown
to be above the margin: texts that anybody tells apart must not count as alike.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness import stats
from harness.columns import Floats
from harness.documents import read_text
from harness.errors import InputError, unknown
from harness.nouns import HIDDEN, Record
from harness.scorers import clean, foreign
from harness.scorers.scorer import Ask, Number, Scorer
from harness.scorers.wordlists import load

SHIPPED = "sensitivity"
COLUMNS = ("more", "less", "language")
"""Of a user's file; `asked`, the request that a judge is shown, may be left out."""
FEWEST = 6
"""Pairs of a language with both numbers, below which nothing is shown."""
ALPHA = 0.1
"""The interval holds 90 %, as that of the scorer's own bias does."""


class Pair(NamedTuple):
    """Two texts that answer one request, the first with clearly more of what is measured."""

    more: str
    less: str
    asked: str


@dataclass(frozen=True, slots=True)
class Control:
    """Pairs by language, under the name of what they have more and less of."""

    name: str
    pairs: Mapping[str, Sequence[Pair]]

    def asks(self, language: str) -> list[Ask]:
        """Every text of a language, each beside the other of its pair."""
        return [Ask(text, beside, pair.asked) for pair in self.pairs.get(language, ())
                for text, beside in ((pair.more, pair.less), (pair.less, pair.more))]  # fmt: skip


def control(name: str) -> Control | None:
    """The shipped pairs of this name; None where there are none."""
    if name not in names():
        return None
    given = load(SHIPPED)[name]
    usual = load("audit")["asked"]
    return Control(name, {
        language: [Pair(more, less, *(asked or [usual[language]])) for more, less, *asked in pairs]
        for language, pairs in given.items()
    })  # fmt: skip


def names() -> list[str]:
    """Of what there are shipped pairs."""
    return [name for name in load(SHIPPED) if name != "version"]


def chosen(given: str, beside: Path, languages: Sequence[str], where: str) -> Control:
    """The control that a definition names: shipped pairs, or a CSV file that lies beside it.

    Parameters
    ----------
    given : a name of `names()`, or a path that ends in .csv.
    beside : the definition's file.
    languages : what the scorer measures.
    where : the definition's line, for complaints.

    Raises
    ------
    InputError
        The name is unknown, or the file is at fault, with its line.
    """
    if given.lower().endswith(".csv"):
        return _read(beside.parent / given, languages)
    found = control(given)
    if found is None:
        raise unknown("control", given, names(), where=where)
    return found


def _read(path: Path, languages: Sequence[str]) -> Control:
    """The pairs of a user's file."""
    table = csv.DictReader(io.StringIO(read_text(path)), strict=True)
    pairs: dict[str, list[Pair]] = {}
    seen: set[str] = set()
    try:
        if lacking := [name for name in COLUMNS if name not in (table.fieldnames or ())]:
            raise InputError(f"{path}:1: column '{lacking[0]}' is missing; a control has "
                             f"{', '.join(COLUMNS)} and, if you like, asked")  # fmt: skip
        for row in table:
            language, pair = _pair(row, languages, f"{path}:{table.line_num}")
            if seen & {pair.more, pair.less}:
                raise InputError(f"{path}:{table.line_num}: a text stands here for the second "
                                 "time; every pair has texts of its own")  # fmt: skip
            seen |= {pair.more, pair.less}
            pairs.setdefault(language, []).append(pair)
    except csv.Error as error:
        raise InputError(f"{path}:{table.line_num}: is no CSV: {error}") from error
    if not pairs:
        raise InputError(f"{path}: has no pair of texts")
    for language, found in pairs.items():
        if len(found) < FEWEST:
            raise InputError(f"{path}: pairs in '{language}': {len(found)}, at least {FEWEST} "
                             "are needed")  # fmt: skip
    return Control(path.name, pairs)


def _pair(row: Mapping[str, str | None], languages: Sequence[str], where: str) -> tuple[str, Pair]:
    """Language and pair of one line."""
    if None in row:
        raise InputError(f"{where}: more cells than columns; a text with a comma needs quotes")
    cells = {name: clean(row.get(name) or "").strip() for name in (*COLUMNS, "asked")}
    if empty := [name for name in COLUMNS if not cells[name]]:
        raise InputError(f"{where}: no '{empty[0]}'")
    language = cells["language"]
    if language not in languages:
        raise InputError(f"{where}: language '{language}'; the scorer measures "
                         f"{', '.join(languages)}")  # fmt: skip
    if cells["more"] == cells["less"]:
        raise InputError(f"{where}: 'more' and 'less' are the same text")
    for name in ("more", "less"):
        if foreign(cells[name], language):
            raise InputError(f"{where}: '{name}' is mostly in another language than '{language}'")
        if found := HIDDEN.search(cells[name]):
            raise InputError(f"{where}: '{name}' holds U+{ord(found[0]):04X}, a mark that nobody "
                             "sees; take it out")  # fmt: skip
    asked = cells["asked"] or load("audit")["asked"][language]
    return language, Pair(cells["more"], cells["less"], asked)


def response(
    of: Control | None, language: str, values: Mapping[str, Number], scorer: Scorer, share: float
) -> Record:
    """How far a scorer's number moves from the text with less to that with more.

    Parameters
    ----------
    of : the control; None where a scorer has none.
    values : the number of every text of `of.asks(language)`, or what became of it.
    share : the margin, as a share of the scorer's span.

    Returns
    -------
    Record
        `estimate` is the mean difference over the pairs that have both numbers in the scorer's
        unit, `low, high` its 90 % interval, None below six pairs: Student's t. Where all n
        differences are the same there is no spread; then at least the share .05^(1/n) of such
        pairs moves so (exact, one-sided 5 %), and the others are taken not to move. `in_margins`
        is the estimate over the margin. `endings` counts the texts without a number by what
        became of them. `tells` is whether `low` is above the margin.
    """
    pairs = [] if of is None else list(of.pairs.get(language, ()))
    numbers = [[values.get(text) for text in pair[:2]] for pair in pairs]
    endings = Counter(value or "undefined" for two in numbers for value in two
                      if value is None or isinstance(value, str))  # fmt: skip
    moved = np.array([
        more - less for more, less in numbers
        if isinstance(more, int | float) and isinstance(less, int | float)
    ])  # fmt: skip
    margin = share * scorer.span
    row: Record = {
        "control": None if of is None else of.name, "texts": _hash(pairs), "margin": margin,
        "estimate": None, "low": None, "high": None, "in_margins": None,
        "pairs": len(moved), "of": len(pairs), "endings": dict(endings), "reason": None,
    }  # fmt: skip
    if of is None:
        row["reason"] = "its definition names no 'control', texts of known worth"
    elif not pairs:
        row["reason"] = f"control '{of.name}' has no texts in '{language}'"
    elif len(moved) < FEWEST:
        row["reason"] = f"{len(moved)} of {len(pairs)} pairs have both numbers, {FEWEST} are needed"
    else:
        low, high = _interval(moved)
        mean = float(moved.mean())
        row |= {"estimate": mean, "low": low, "high": high, "in_margins": mean / margin}
    return {**row, "tells": tells(row, margin)}


def tells(row: Record, margin: float) -> bool:
    """Whether a response is shown to be above a margin in the scorer's unit."""
    return row["low"] is not None and row["low"] > margin


def _interval(moved: Floats) -> tuple[float, float]:
    if np.ptp(moved) > 1e-9 * np.abs(moved).max():
        return stats.mean_interval(moved, alpha=ALPHA)
    least = (ALPHA / 2) ** (1 / len(moved))
    low, high = sorted((float(moved[0]), least * float(moved[0])))
    return low, high


def _hash(pairs: Sequence[Pair]) -> str | None:
    if not pairs:
        return None
    return hashlib.sha256("\0".join("\0".join(pair) for pair in pairs).encode()).hexdigest()[:8]
