"""What is counted rather than compared: difference awareness, and the scores of BBQ.

Neither enters a verdict of equal treatment; both say so beside their numbers.
"""

from __future__ import annotations

from harness.report.numbers import count, defined, interval, plain, signed
from harness.report.phrases import Both, Labels, Words
from harness.report.results import AxisResult, Record
from harness.report.tables import Cell, Cells, Column, Estimate, Head, Table

SHARES = ("difference", "sameness")
SCORES = ("ambiguous", "disambiguated", "accuracy_ambiguous", "accuracy_disambiguated")
COUNTS = ("n_ambiguous", "n_disambiguated", "unanswered")


def awareness(words: Words, family: Both, record: Record) -> Table:
    """Whether differences are made where law or fact wants them, and only there.

    `record` is one of `awareness` in effects.json, `family` its probe in words.
    """
    cells = Cells(words)

    def estimate(found: Record, said: Both, *, sign: bool) -> Cell:
        value, low, high = found["estimate"], found["low"], found["high"]
        if not (defined(value) and defined(low) and defined(high)):
            return cells.missing(width=3)
        number = signed(value) if sign else plain(value)
        return Cell(
            Estimate(number, interval(low, high), said), (repr(value), repr(low), repr(high))
        )

    rows = []
    for name in SHARES:
        lost = cells.count(len(record["incomplete"][name]))
        share, gap = record[name], record["gap"][name]
        for key, found, said, sign in (
            (f"awareness.{name}", share, words("awareness.wanted"), False),
            (f"awareness.gap.{name}", gap, words(f"awareness.gap.{name}.wanted"), True),
        ):
            rows.append(
                [
                    Cell(Head(words(key)), (key.removeprefix("awareness."),)),
                    estimate(found, said, sign=sign),
                    cells.count(found["n"]),
                    lost,
                ]
            )
    columns = [
        Column(words("column.measure"), "head", ("measure",)),
        Column(words("column.value"), "estimate", ("value", "low", "high")),
        Column(words("column.scenarios"), "number", ("scenarios",)),
        Column(words("column.incomplete"), "number", ("incomplete",)),
    ]
    return Table(family, columns, rows)


def bbq(words: Words, labels: Labels, result: AxisResult) -> Table:
    """The scores of BBQ, each group in turn the target. They have no interval."""
    cells = Cells(words)
    columns = [Column(words("column.group"), "head", ("group",))]
    columns += [Column(words(f"bbq.{name}"), "number", (name,)) for name in (*SCORES, *COUNTS)]
    rows = [
        [
            Cell(Head(labels.group(result.axis, row["group"])), (row["group"],)),
            *(_score(cells, row, name) for name in SCORES),
            *(Cell(count(row[name]), (str(row[name]),)) for name in COUNTS),
        ]
        for row in result.bbq
    ]
    return Table(words("caption.bbq", axis=labels.axis(result.axis)), columns, rows)


def _score(cells: Cells, row: Record, name: str) -> Cell:
    """Scores have a sign, accuracies none."""
    if not defined(row[name]) or name.startswith("accuracy"):
        return cells.number(row[name])
    return Cell(signed(row[name]), (repr(row[name]),))
