"""What people's labels say: a scorer's effects corrected, its error, and how far raters agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.report.claims import Claims
from harness.report.numbers import count, defined, interval, p_value, plain, signed
from harness.report.phrases import Both, Labels, Words
from harness.report.results import AxisResult, Record, key, measured
from harness.report.tables import Cell, Cells, Column, Head, Table
from harness.scorers import FIRST


class Labelled:
    """Tables of people's labels; `calibrations` are what a run's calibration.json files hold."""

    def __init__(
        self, words: Words, labels: Labels, claims: Claims, calibrations: Iterable[Record]
    ) -> None:
        self._words = words
        self._labels = labels
        self._way = claims.way
        self._cells = Cells(words)
        self._families = [(c, family) for c in calibrations for family in c["families"]]

    def tables(self, result: AxisResult) -> list[Table]:
        """Of every labelled scorer: effects automatic and corrected, and its error, by group."""
        return [
            self._table(found["scorer"], len(found["raters"]), family, result)
            for found, family in self._families
            if key(family) == key(result.record) and family["axis"] == result.axis
        ]

    def _table(self, scorer: str, raters: int, family: Record, result: AxisResult) -> Table:
        columns = [
            Column(self._words("column.group"), "head", ("group",)),
            Column(self._words("column.automatic"), "estimate", ("automatic", "low", "high")),
            Column(self._words("column.corrected"), "estimate",
                   ("corrected", "corrected_low", "corrected_high")),
            Column(self._words("column.verdict"), "verdict", ("verdict", "note")),
            Column(self._words("column.error"), "text",
                   ("error", "error_low", "error_high", "error_contrast", "error_p")),
            Column(self._words("column.agreement"), "text",
                   ("agreement", "agreement_low", "agreement_high")),
        ]  # fmt: skip
        rows = []
        for row in family["groups"]:
            auto, right = row["automatic"], row["corrected"]
            note = self._why(result.axis, right)
            rows.append([
                Cell(Head(self._labels.group(result.axis, row["group"])), (row["group"],)),
                *(self._cells.estimate(e["estimate"], e["low"], e["high"],
                                       self._way(e["estimate"]), self._why(result.axis, e))
                  for e in (auto, right)),
                self._cells.verdict(right["verdict"] or "inconclusive", note),
                self._error(row, family["labelled"]),
                self._agreement(family["scorer_and_people"]["by_group"].get(row["group"])),
            ])  # fmt: skip
        caption = self._words(
            "caption.calibration", axis=self._labels.axis(result.axis),
            scorer=self._words.known(f"endpoint.{scorer}", scorer),
            raters=count(raters), labelled=count(family["labelled"]),
            unlabelled=count(family["unlabelled"]), people=self._alpha(family["raters"]),
            both=self._alpha(family["scorer_and_people"]),
        )  # fmt: skip
        if not family["raters"]["reliable"]:
            caption = self._words("calibration.unreliable") + caption
        if not _same(result, scorer, family):
            caption = caption + self._words("calibration.stale")
        return Table(caption, columns, rows)

    def _why(self, axis: str, found: Record) -> Both | None:
        return self._labels.why(self._words, axis, found["reason"])

    def _alpha(self, found: Record) -> Both:
        if not defined(found["alpha"]):
            return self._words("not_measured_why", why=self._words.reason(found["reason"] or "–"))
        if not (defined(found["low"]) and defined(found["high"])):
            return self._words("not_measured")
        said = f"{plain(found['alpha'])} {interval(found['low'], found['high'])}"
        return Both(said, said)

    def _agreement(self, found: Record | float | None) -> Cell:
        """Alpha of scorer and people within a group; calibrations of old have no interval."""
        if not isinstance(found, Mapping) or not all(map(defined, found.values())):
            return self._cells.missing(width=3)
        said = f"{plain(found['alpha'])} {interval(found['low'], found['high'])}"
        return Cell(Both(said, said), tuple(repr(found[n]) for n in ("alpha", "low", "high")))

    def _error(self, row: Record, n: int) -> Cell:
        """People's mean label minus the scorer's, and whether it errs more for this group."""
        names = ("error", "error_low", "error_high", "error_contrast", "error_p")
        values = tuple(row.get(name) for name in names)  # calibrations of old have no interval
        csv = tuple(repr(v) if defined(v) else "" for v in values)
        if not all(map(defined, values[:3])):
            return Cell(self._words("not_measured"), csv)
        said = self._words(
            "error", size=signed(row["error"]), n=count(n),
            interval=interval(row["error_low"], row["error_high"]),
        )  # fmt: skip
        if defined(row["error_contrast"]) and defined(row["error_p"]):
            said = said + self._words(
                "error.contrast", size=signed(row["error_contrast"]), p=p_value(row["error_p"])
            )
        return Cell(said, csv)


def _same(result: AxisResult, scorer: str, family: Record) -> bool:
    """Whether the labels were compared with the scores that the run has now."""
    now = {e["group"]: e["estimate"] if measured(e) else None for e in
           (result.effects if scorer == FIRST else result.scored)
           if scorer == FIRST or e["endpoint"] == scorer}  # fmt: skip
    for row in family["groups"]:
        then, new = row["automatic"]["estimate"], now.get(row["group"])
        if defined(then) != defined(new):
            return False
        if defined(then) and defined(new) and abs(then - new) > 1e-9:
            return False
    return True
