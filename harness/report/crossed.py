"""Two axes asked together: what every cell adds to its parts, and the cells that were not asked.

Crossed axes are exploratory: no gate counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.numbers import count, defined, signed
from harness.report.phrases import Both, Labels, Words, join
from harness.report.results import AxisResult, Record
from harness.report.tables import Cell, Cells, Column, Head, Table

NUMBERS = ("raw", "additive", "interaction", "standard_error")


def interactions(words: Words, labels: Labels, result: AxisResult) -> Table:
    """One row a cell: as observed, as its two axes alone predict, and the interaction.

    The interaction also as shrunk towards none: the largest of many noisy ones is mostly noise.
    """
    cells = Cells(words)
    columns = [Column(words("column.cell"), "head", ("cell",))]
    columns += [Column(words(f"crossed.{name}"), "number", (name,)) for name in NUMBERS]
    columns += [
        Column(words("crossed.kept"), "number", ("shrunk_interaction",)),
        Column(words("column.p"), "number", ("p_adjusted",)),
        Column(words("crossed.beyond"), "text", ("beyond",)),
    ]
    rows = []
    for row in result.crossed:
        tested = defined(row["p_adjusted"])
        beyond = words(f"crossed.{'yes' if row['beyond'] else 'no'}" if tested else "not_measured")
        kept = row["shrunk"] - row["additive"] if defined(row["shrunk"]) else None
        rows.append([
            Cell(Head(labels.group(result.axis, row["group"])), (row["group"],)),
            *(_signed(cells, row[name]) for name in NUMBERS[:3]),
            cells.number(row["standard_error"]),
            _signed(cells, kept),
            cells.p(row["p_adjusted"]),
            cells.text(beyond, str(row["beyond"]) if tested else ""),
        ])  # fmt: skip
    n = result.crossed[0]["n"]
    why = labels.why(words, result.axis, result.crossed[0]["reason"])
    caption = words("caption.crossed", axis=labels.axis(result.axis), n=count(n))
    if why:
        caption = caption + words("crossed.why", why=why)
    return Table(caption, columns, rows)


def _signed(cells: Cells, value: float | None) -> Cell:
    return Cell(signed(value), (repr(value),)) if defined(value) else cells.missing()


def left_out(
    words: Words, labels: Labels, result: AxisResult, asked: Sequence[Record]
) -> list[Both]:
    """The cells of this pair of axes that were not asked: not drawn, or no person is in them.

    `asked` is the manifest's `crossed`.
    """
    of = result.axis, result.record["language"]
    said = []
    for pair in (p for p in asked if (p["axis"], p["language"]) == of):
        if more := pair.get("not_drawn"):  # older runs do not say
            whole = count(pair["cells"] + more)
            said.append(words("unmeasured.drawn", n=count(more), all=whole))
        if names := [labels.group(result.axis, cell) for cell in pair["left_out"]]:
            said.append(words("unmeasured.cells", n=count(len(names)), cells=join(names)))
    return said
