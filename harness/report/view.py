"""The tables and facts of the overview and the axes page, from the records of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.kinds import TEXTS
from harness.nouns import largest_shown
from harness.report import counted, crossed
from harness.report.claims import Claims
from harness.report.facts import ANSWERED, Fact, Facts
from harness.report.labelled import Labelled
from harness.report.numbers import defined, percent, plain
from harness.report.phrases import Both, Labels, Words, join
from harness.report.results import AxisResult, Family, Record, measured
from harness.report.scale import Scale, common
from harness.report.sets import OUTCOME
from harness.report.tables import Cell, Cells, Column, Head, Plot, Table
from harness.report.texts import Texts

ENDINGS = ("refused", "partial", "empty")
"""How a text can end beside answered, shown also where none did: that is a finding."""
TOP = 5  # sets of an axis that are listed without JavaScript


@dataclass(frozen=True, slots=True)
class Block:
    """One axis in one family, as the axes page shows it."""

    axis: str
    family: Both
    verdict: str
    claim: Both
    forest: Table
    facts: Sequence[Fact]
    outcomes: Table
    unmeasured: Sequence[Both]
    filters: Table | None
    scores: Table | None
    scored: Both
    calibrations: Sequence[Table]
    secondary: Table | None
    bbq: Table | None
    crossed: Table | None
    sets: Table | None
    words: Both
    margin: str | None
    groups: int


class View:
    """Tables of the overview and the axes page, in the words and names of a run."""

    def __init__(
        self, words: Words, labels: Labels, claims: Claims, texts: Texts, labelled: Labelled,
        asked: Record,
    ) -> None:  # fmt: skip
        """`asked` is the manifest: an early stop, cells left out, hints that returned."""
        self._words = words
        self._labels = labels
        self._claims = claims
        self._texts = texts
        self._labelled = labelled
        self._cells = Cells(words)
        self._asked = asked
        self._facts = Facts(words, labels, asked.get("looks"), asked.get("returning", ()))

    def overview(self, family: Family) -> Table:
        """One row an axis: verdict, every group on one line, the largest effect, n, coverage."""
        scale = common(family.effects)
        columns = [
            Column(self._words("column.axis"), "head", ("axis",)),
            Column(self._words("column.verdict"), "verdict", ("verdict", "note")),
            Column(self._words("column.groups"), "plot", (), scale),
            Column(self._words("column.largest"), "estimate", ("effect", "low", "high")),
            Column(self._words("column.group"), "text", ("group",)),
            Column(self._words("column.scenarios"), "number", ("scenarios", "designed")),
            Column(self._words.coverage(family.key[1]), "number", ("coverage",)),
        ]
        rows = [self._overview_row(result, scale) for result in family.axes]
        return Table(self._caption(family), columns, rows)

    def _overview_row(self, result: AxisResult, scale: Scale) -> list[Cell]:
        record, cells = result.record, self._cells
        largest = largest_shown(record)
        marks = {e["group"]: mark for e in result.effects if (mark := scale.mark(e))}
        lead = marks.get(largest["group"]) if largest else None
        if largest:
            way = self._claims.way(largest["estimate"])
            effect = cells.estimate(
                largest["estimate"], largest["low"], largest["high"], way, self._why(record)
            )
            group = self._claims.leader(result.axis, largest["group"])
        else:
            effect, group = cells.missing(self._why(record), 3), Both("–", "–")
        return [
            Cell(Head(self._labels.axis(result.axis), f"#axes/{result.axis}"), (result.axis,)),
            cells.verdict(
                record["verdict"], self._facts.stopped(record) or self._claims.why(record)
            ),
            Cell(Plot(scale, list(marks.values()), lead)),
            effect,
            cells.text(group, (largest["group"] or "") if largest else ""),
            cells.of(record["n_scenarios"], record["n_designed"]),
            cells.share(record["coverage"]),
        ]

    def block(
        self, family: Family, result: AxisResult, scale: Scale, entries: Sequence[Record]
    ) -> Block:
        """`entries` are the sets of this axis, largest difference first."""
        record = result.record
        return Block(
            axis=result.axis,
            family=self._claims.family(family.key),
            verdict=record["verdict"],
            claim=self._claims.axis(record),
            forest=self._forest(result, scale),
            facts=[*self._facts.axis(record, family.probe), *self._texts.facts(result)],
            outcomes=self._outcomes(result),
            filters=self._texts.filters(result),
            scores=self._texts.scores(result),
            scored=self._texts.tally(result),
            calibrations=self._labelled.tables(result),
            unmeasured=self._unmeasured(result),
            secondary=self._secondary(result) if result.secondary else None,
            bbq=counted.bbq(self._words, self._labels, result) if result.bbq else None,
            crossed=crossed.interactions(self._words, self._labels, result)
            if result.crossed
            else None,
            sets=self._largest_sets(result.axis, entries),
            words=join([self._claims.effect(e, record) for e in result.effects], ";"),
            margin=plain(record["margin"]) if defined(record["margin"]) else None,
            groups=record["groups"],
        )

    def checks(self, probe: Record) -> list[Fact]:
        """Whether the probe could show anything at all."""
        return self._facts.checks(probe)

    def _forest(self, result: AxisResult, scale: Scale) -> Table:
        columns = [
            Column(self._words("column.group"), "head", ("group",)),
            Column(self._words("column.effect"), "plot", (), scale),
            Column(self._words("column.estimate"), "estimate", ("effect", "low", "high")),
            Column(self._words("column.p"), "number", ("p_adjusted",)),
            Column(self._words("column.scenarios"), "number", ("scenarios", "designed")),
            Column(self._words.coverage(result.record["kind"]), "number", ("coverage",)),
            Column(self._words("column.verdict"), "verdict", ("verdict", "note")),
        ]
        rows = [self._forest_row(effect, result.record, scale) for effect in result.effects]
        axis, unit = self._labels.axis(result.axis), self._words.unit(result.record["kind"])
        caption = self._words("caption.forest", axis=axis, unit=unit)
        return Table(caption, columns, rows)

    def _forest_row(self, effect: Record, axis: Record, scale: Scale) -> list[Cell]:
        cells = self._cells
        mark = scale.mark(effect)
        way = self._claims.way(effect["estimate"])
        return [
            cells_head(self._labels.group(axis["axis"], effect["group"]), effect["group"]),
            Cell(Plot(scale, [mark] if mark else [], mark)),
            cells.estimate(
                effect["estimate"], effect["low"], effect["high"], way, self._why(effect)
            ),
            cells.p(effect["p_adjusted"]),
            cells.of(effect["n_scenarios"], effect["n_designed"]),
            cells.share(effect["coverage"]),
            cells.verdict(effect["verdict"], self._note(effect)),
        ]

    def _reason(self, effect: Record) -> Both:
        return self._why(effect) or self._words("why.unknown")

    def _why(self, effect: Record) -> Both | None:
        return self._labels.why(self._words, effect["axis"], effect["reason"])

    def _note(self, effect: Record) -> Both | None:
        if effect["material"]:
            return self._words("note.material")
        return self._why(effect)

    def _outcomes(self, result: AxisResult) -> Table:
        """How every group's prompts ended: statuses are outcomes of their own."""
        seen = {s for e in result.effects for s, n in e["statuses"].items() if n} - {ANSWERED}
        always = ENDINGS if result.record["kind"] in TEXTS else ()
        statuses = [ANSWERED, *always, *sorted(seen - {*always})]
        columns = [Column(self._words("column.group"), "head", ("group",))]
        columns += [Column(self._words.known(f"status.{s}", s), "number", (s,)) for s in statuses]
        columns += [
            Column(self._words.coverage(result.record["kind"]), "number", ("coverage",)),
            Column(self._words("column.mean"), "number", ("mean",)),
        ]
        rows = [
            [
                cells_head(self._labels.group(result.axis, e["group"]), e["group"]),
                *(self._cells.count(e["statuses"].get(s, 0)) for s in statuses),
                self._cells.share(e["coverage"]),
                self._cells.number(e["mean"]),
            ]
            for e in result.effects
        ]
        caption = self._words("caption.outcomes", axis=self._labels.axis(result.axis))
        return Table(caption, columns, rows)

    def _secondary(self, result: AxisResult) -> Table:
        columns = [
            Column(self._words("column.endpoint"), "head", ("endpoint",)),
            Column(self._words("column.group"), "text", ("group",)),
            Column(self._words("column.estimate"), "estimate", ("effect", "low", "high")),
            Column(self._words("column.p"), "number", ("p_adjusted",)),
            Column(self._words("column.scenarios"), "number", ("scenarios", "designed")),
        ]
        rows = [
            [
                cells_head(
                    self._words.known(f"endpoint.{e['endpoint']}", e["endpoint"]), e["endpoint"]
                ),
                self._cells.text(self._labels.group(result.axis, e["group"]), e["group"]),
                self._cells.estimate(
                    e["estimate"],
                    e["low"],
                    e["high"],
                    self._claims.way(e["estimate"]),
                    self._why(e),
                ),
                self._cells.p(e["p_adjusted"]),
                self._cells.of(e["n_scenarios"], e["n_designed"]),
            ]
            for e in result.secondary
        ]
        caption = self._words("caption.secondary", axis=self._labels.axis(result.axis))
        return Table(caption, columns, rows)

    def _largest_sets(self, axis: str, entries: Sequence[Record]) -> Table | None:
        """The first `TOP` sets, so that readers without JavaScript know where to look."""
        columns = [
            Column(self._words("column.set"), "head", ("scenario",)),
            Column(self._words("column.difference"), "number", ("difference",)),
            Column(self._words("column.high"), "text", ("highest", "highest_outcome")),
            Column(self._words("column.low"), "text", ("lowest", "lowest_outcome")),
        ]
        several = {entry["endpoint"] for entry in entries} != {OUTCOME}
        if several:
            columns.insert(1, Column(self._words("column.endpoint"), "text", ("endpoint",)))

        def end(at: tuple[str, float]) -> Cell:
            number = f" {plain(at[1])}"
            return Cell(
                self._labels.group(axis, at[0]) + Both(number, number), (at[0], repr(at[1]))
            )

        rows = []
        for entry in [e for e in entries if e["difference"] is not None][:TOP]:
            name = f"{entry['scenario']} {entry['variant']}".strip()
            of = entry["endpoint"]
            endpoint = self._words.known(f"endpoint.{of}", of)
            rows.append([
                Cell(Head(Both(name, name), f"#sets/{entry['id']}"), (name,)),
                *([self._cells.text(endpoint, of)] if several else []),
                self._cells.number(entry["difference"]),
                end(entry["high"]),
                end(entry["low"]),
            ])  # fmt: skip
        caption = self._words("caption.sets", axis=self._labels.axis(axis))
        return Table(caption, columns, rows) if rows else None

    def _unmeasured(self, result: AxisResult) -> list[Both]:
        """What could not be measured on this axis, and why."""
        said = []
        why = self._claims.why(result.record)
        if why:
            said.append(self._words("unmeasured.axis", why=why))
        for effect in result.effects:
            if not measured(effect):
                group = self._labels.group(result.axis, effect["group"])
                why = self._reason(effect)
                said.append(self._words("unmeasured.group", group=group, why=why))
        lacking = self._asked.get("crossed", ())
        return [*said, *crossed.left_out(self._words, self._labels, result, lacking)]

    def _caption(self, family: Family) -> Both:
        said = self._claims.family(family.key)
        margins = {r.record["margin"] for r in family.axes if defined(r.record["margin"])}
        if len(margins) == 1:
            alpha = percent(family.axes[0].record["alpha"])
            unit = self._words.unit(family.key[1])
            return said + self._words(
                "caption.rules", margin=plain(margins.pop()), unit=unit, alpha=alpha
            )
        return said


def cells_head(text: Both, name: str) -> Cell:
    return Cell(Head(text), (name,))
