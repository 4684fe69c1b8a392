"""A table as data: what its cells say and what a copy as CSV holds.

The macro `table` of templates/macros.html.j2 turns it into markup, one branch a kind of cell,
so that every table of the page has the same roles, narrow form and CSV copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.report.numbers import count, defined, interval, p_value, percent, plain, signed
from harness.report.phrases import Both, Words
from harness.report.scale import Mark, Scale

Kind = Literal["head", "text", "number", "estimate", "verdict", "plot", "version", "trend"]


@dataclass(frozen=True, slots=True)
class Column:
    """`csv` names the columns of the copy: an estimate fills three of them, a plot none."""

    heading: Both
    kind: Kind
    csv: tuple[str, ...] = ()
    scale: Scale | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The name of a row, with a link where it leads somewhere."""

    text: Both
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate as it is written; the three parts never stand alone."""

    number: str
    interval: str
    words: Both
    note: Both | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict: its key gives colour and form, `word` names it, `note` says why or how far."""

    verdict: str
    word: Both
    note: Both | None


@dataclass(frozen=True, slots=True)
class Plot:
    """`lead` is the mark whose intervals are drawn; of the others only the glyph is."""

    scale: Scale
    marks: Sequence[Mark]
    lead: Mark | None


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` is what the column's kind expects, or a `Both` in its place."""

    value: Any
    csv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows have one cell for each column."""

    caption: Both
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


class Cells:
    """Cells for the values that records hold; undefined ones say so."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def missing(self, reason: Both | None = None, width: int = 1) -> Cell:
        said = self._words("not_measured")
        if reason:
            said = self._words("not_measured_why", why=reason)
        return Cell(said, ("",) * width)

    def text(self, text: Both, csv: str | None = None) -> Cell:
        return Cell(text, (text.en if csv is None else csv,))

    def number(self, value: float | None) -> Cell:
        return Cell(plain(value), (repr(value),)) if defined(value) else self.missing()

    def count(self, value: int) -> Cell:
        return Cell(count(value), (str(value),))

    def share(self, value: float | None) -> Cell:
        return Cell(percent(value), (repr(value),)) if defined(value) else self.missing()

    def p(self, value: float | None) -> Cell:
        if not defined(value):
            return self.missing()
        return Cell(p_value(value).removeprefix("=\u202f"), (repr(value),))

    def of(self, n: int, all_: int) -> Cell:
        """A count and what it could have been, as "36 / 36"."""
        return Cell(f"{count(n)}\u202f/\u202f{count(all_)}", (str(n), str(all_)))

    def estimate(
        self, value: float | None, low: float | None, high: float | None,
        words: Both, reason: Both | None = None, note: Both | None = None,
    ) -> Cell:  # fmt: skip
        """A number, its interval and its direction in words: never one without the others."""
        if not (defined(value) and defined(low) and defined(high)):
            missing = self.missing(reason, 3)
            return Cell(missing.value + Both("; ", "；") + note, missing.csv) if note else missing
        said = Estimate(signed(value), interval(low, high), words, note)
        return Cell(said, (repr(value), repr(low), repr(high)))

    def verdict(self, verdict: str, note: Both | None = None) -> Cell:
        word = self._words(f"verdict.{verdict}")
        return Cell(Judgement(verdict, word, note), (verdict, note.en if note else ""))
