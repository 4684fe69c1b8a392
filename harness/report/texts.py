"""What models wrote: tables on the scorers' numbers and their audits.

Whether there was an answer at all is the outcome, shown as that of every other kind. What stands
here is shown beside it: every scorer's effect without and with the words of the group, the worst
case of texts that are missing, and how far the scorer moves by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from harness.report.claims import ORDER, Claims
from harness.report.facts import ANSWERED, Fact
from harness.report.numbers import count, defined, interval, p_value, plain, signed
from harness.report.phrases import Both, Labels, Words
from harness.report.responses import Responses
from harness.report.results import AxisResult, Family, Key, Record, key
from harness.report.tables import Cell, Cells, Column, Head, Table
from harness.scorers import FIRST, RAW, reading

REASONS = 5
"""Reasons of content filters that are listed; there may be as many as answers."""
LONGEST = 80
"""Characters of a reason that are shown: a server's words are untrusted."""
Filtered = Mapping[tuple[Key, str, str], Counter[str]]
"""Of a family, axis and group: how many prompts a content filter stopped, by its reason."""


def filtered(rows: pa.Table) -> Filtered:
    """The reasons for which a server's content filter stopped answers.

    A model's own refusal has no detail, a filter's has the server's words.
    """
    stopped = pc.and_(pc.equal(rows["status"], "refused"), pc.is_valid(rows["detail"]))
    asked = pc.is_in(rows["arm"], value_set=pa.array(["counterfactual", "repeat"]))
    names = ["probe", "kind", "language", "cue", "axis", "group", "detail"]
    found: dict[tuple[Key, str, str], Counter[str]] = {}
    for row in rows.select(names).filter(pc.and_(stopped, asked)).to_pylist():
        reason = " ".join(row["detail"].split())
        reason = reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "…"
        found.setdefault((key(row), row["axis"], row["group"]), Counter())[reason] += 1
    return found


class Texts:
    """Tables of a run's texts, in the words and names of a run.

    `audits` are rows of `harness.scorers.audit.audit`.
    """

    def __init__(
        self,
        words: Words,
        labels: Labels,
        claims: Claims,
        *,
        audits: Iterable[Record] = (),
        stopped: Filtered | None = None,
    ) -> None:
        self._words = words
        self._labels = labels
        self._way = claims.way
        self._cells = Cells(words)
        self._stopped = stopped or {}
        audits = list(audits)
        self._responses = Responses(words, audits)
        self._audits = {
            (row["scorer"], row["language"], row["axis"], row["group"]): row
            for row in audits if "group" in row
        }  # fmt: skip

    # -- one axis of one family ----------------------------------------------------------------

    def filters(self, result: AxisResult) -> Table | None:
        """Why content filters stopped answers, group by group; None where none did."""
        of = key(result.record), result.axis
        groups = [effect["group"] for effect in result.effects]
        total: Counter[str] = Counter()
        for group in groups:
            total.update(self._stopped.get((*of, group), ()))
        if not total:
            return None
        columns = [
            Column(self._words("column.filter"), "head", ("reason",)),
            *(Column(self._labels.group(result.axis, g), "number", (g,)) for g in groups),
        ]
        listed = [reason for reason, _ in total.most_common(REASONS)]
        rows = [
            [Cell(Head(Both(reason, reason)), (reason,)),
             *(self._cells.count(self._stopped.get((*of, g), Counter())[reason]) for g in groups)]
            for reason in listed
        ]  # fmt: skip
        if len(total) > len(listed):
            rest = [sum(n for reason, n in self._stopped.get((*of, g), Counter()).items()
                        if reason not in listed) for g in groups]  # fmt: skip
            rows.append([Cell(Head(self._words("filters.other")), ("",)),
                         *map(self._cells.count, rest)])  # fmt: skip
        caption = self._words("caption.filters", axis=self._labels.axis(result.axis))
        return Table(caption, columns, rows)

    def facts(self, result: AxisResult) -> list[Fact]:
        """How alike the texts are beyond the floors, and how the detector moves by itself."""
        facts = []
        if result.similarity:
            facts.append(Fact(self._words("fact.similarity"), self._similarity(result.similarity)))
        own = self._own_bias(FIRST, key(result.record)[2], [result.axis])
        if own and result.similarity:
            facts.append(Fact(self._words("fact.detector"), own))
        return facts

    def _similarity(self, record: Record) -> Both:
        if not defined(record["between"]):
            return self._words("not_measured")
        said = self._words("similarity", between=plain(record["between"]))
        for arm in ("repeat", "paraphrase"):
            found = record[arm]
            if not defined(found["floor"]):
                continue
            said = said + self._words(f"similarity.{arm}", floor=plain(found["floor"]))
            if defined(found["estimate"]) and defined(found["low"]):
                said = said + self._words(
                    "similarity.excess", estimate=signed(found["estimate"]), n=count(found["n"]),
                    low=plain(found["low"]), p=p_value(found["p_value"]),
                )  # fmt: skip
            else:
                why = self._words.reason(found["reason"] or "no interval could be computed")
                said = said + self._words("similarity.no_excess", why=why)
        return said

    def scores(self, result: AxisResult) -> Table | None:
        """Every scorer's effect, one row a scorer and group."""
        if not result.scored:
            return None
        columns = [
            Column(self._words("column.scorer"), "head", ("scorer", "unit")),
            Column(self._words("column.group"), "text", ("group",)),
            Column(self._words("column.blind"), "estimate",
                   ("effect", "low", "high", "worst_low", "worst_high", "p_adjusted")),
            Column(self._words("column.raw"), "estimate", ("raw", "raw_low", "raw_high")),
            Column(self._words("column.own_bias"), "estimate",
                   ("own_bias", "own_bias_low", "own_bias_high")),
            Column(self._words("column.scenarios"), "number", ("scenarios", "designed")),
            Column(self._words("column.verdict"), "verdict", ("verdict", "note")),
        ]  # fmt: skip
        first = sorted(result.scored, key=lambda effect: reading(effect["endpoint"]))
        rows = [self._score(effect) for effect in first]
        caption = self._words("caption.scores", axis=self._labels.axis(result.axis))
        return Table(caption, columns, rows)

    def tally(self, result: AxisResult) -> Both:
        """How many of the scorers' effects have each verdict."""
        verdicts = Counter(effect["verdict"] for effect in result.scored)
        return self._words(
            "axes.scores", scorers=len({effect["endpoint"] for effect in result.scored}),
            **{verdict: verdicts[verdict] for verdict in ORDER},
        )  # fmt: skip

    def _score(self, effect: Record) -> list[Cell]:
        cells, unit = self._cells, effect["unit"]
        raw, bounds = effect["raw"], effect["bounds"] or {}
        name = self._scorer(effect["endpoint"])
        named = name + self._words("in_unit", unit=self._words.known(f"scorer_unit.{unit}", unit))
        worst = [bounds.get(end) for end in ("low", "high")]
        blind = cells.estimate(
            effect["estimate"], effect["low"], effect["high"], self._way(effect["estimate"]),
            note=self._worst(bounds) if bounds else None,
        )  # fmt: skip
        ends = ("estimate", "low", "high")
        same = defined(raw["low"]) and all(effect[end] == raw[end] for end in ends)
        with_words = cells.estimate(
            raw["estimate"], raw["low"], raw["high"], self._way(raw["estimate"])
        )
        more = tuple("" if not defined(v) else repr(v) for v in (*worst, effect["p_adjusted"]))
        note = self._labels.why(self._words, effect["axis"], effect["reason"])
        if effect["material"]:
            note = self._words("note.material")
        return [
            Cell(Head(named), (effect["endpoint"], unit)),
            cells.text(self._labels.group(effect["axis"], effect["group"]), effect["group"]),
            Cell(blind.value, (*blind.csv, *more)),
            Cell(self._words("raw.same"), with_words.csv) if same else with_words,
            self._audited(effect),
            cells.of(effect["n_scenarios"], effect["n_designed"]),
            cells.verdict(effect["verdict"], note),
        ]

    def _worst(self, bounds: Record) -> Both:
        """How far missing texts could move the effect."""
        low, high = bounds["low"], bounds["high"]
        if not (defined(low) and defined(high)):
            return self._words("worst.none" if defined(bounds["lower"]) else "worst.unbounded")
        return self._words("worst", interval=interval(low, high))

    def _audited(self, effect: Record) -> Cell:
        """The scorer's own bias for the group, on blind texts and (as a note) on raw ones."""
        place = effect["language"], effect["axis"], effect["group"]
        row = self._audits.get((effect["endpoint"], *place))
        if row is None or row["version"] != effect["scorer_version"]:
            return Cell(self._words("not_audited"), ("",) * 3)
        raw = self._audits.get((effect["endpoint"] + RAW, *place))
        note = None
        if raw and defined(raw["estimate"]):
            note = self._words("audit.raw", estimate=signed(raw["estimate"]))
            if defined(raw["low"]) and defined(raw["high"]):
                note = note + Both(*(f" {interval(raw['low'], raw['high'])}",) * 2)
        if not row["small"]:
            large = self._words("audit.not_small", half=plain(row["half_margin"]))
            note = large + Both("; ", "；") + note if note else large
        if dull := self._responses.dull(effect["endpoint"], effect["language"]):
            note = dull + Both("; ", "；") + note if note else dull
        return self._cells.estimate(
            row["estimate"], row["low"], row["high"], self._way(row["estimate"]),
            self._labels.why(self._words, effect["axis"], row["reason"]), note,
        )  # fmt: skip

    # -- the run -------------------------------------------------------------------------------

    def scorers(self, families: Sequence[Family], unmeasured: Sequence[Record]) -> Table | None:
        """Which scorers measured the texts, and how far each one moves by itself."""
        used: dict[tuple[str, str], Record] = {}
        axes: dict[tuple[str, str], dict[str, None]] = {}
        for effect in (e for f in families for result in f.axes for e in result.scored):
            place = effect["endpoint"], effect["language"]
            used.setdefault(place, effect)
            axes.setdefault(place, {})[effect["axis"]] = None
        if not used and not unmeasured:
            return None
        columns = [
            Column(self._words("column.scorer"), "head", ("scorer",)),
            Column(self._words("column.language"), "text", ("language",)),
            Column(self._words("column.unit"), "text", ("unit",)),
            Column(self._words("column.scorer_version"), "number", ("version",)),
            Column(self._words("column.audit"), "text", ("audit",)),
        ]
        rows = []
        for (name, language), effect in sorted(used.items(), key=lambda one: reading(one[0][0])):
            unit, version = effect["unit"], str(effect["scorer_version"])
            own = self._own_bias(name, language, list(axes[name, language]), version)
            rows.append([
                Cell(Head(self._scorer(name)), (name,)),
                self._cells.text(self._language(language), language),
                self._cells.text(self._words.known(f"scorer_unit.{unit}", unit), unit),
                Cell(version, (version,)),
                self._cells.text(own or self._words("not_audited.how", scorer=name)),
            ])  # fmt: skip
        for row in unmeasured:
            why = self._words("not_measured_why", why=self._words.reason(row["reason"]))
            rows.append([
                Cell(Head(self._scorer(row["scorer"])), (row["scorer"],)),
                self._cells.text(self._language(row["language"]), row["language"]),
                Cell("–", ("",)), Cell("–", ("",)), self._cells.text(why),
            ])  # fmt: skip
        return Table(self._words("caption.scorers"), columns, rows)

    def judges(self, added: Mapping[str, Record]) -> list[Table]:
        """Of every judge among the scorers that were added: how its readings ended, by group.

        A reading that is no number is an outcome of its own: a judge may fail more on one group.
        """
        return [self._judge(name, found["outcomes"][name], found.get("first_place", {}).get(name))
                for name, found in added.items() if name in found.get("outcomes", {})]  # fmt: skip

    def _judge(
        self, name: str, outcomes: Mapping[str, Mapping[str, int]], first: float | None
    ) -> Table:
        endings = sorted({s for each in outcomes.values() for s in each} - {ANSWERED})
        columns = [
            Column(self._words("column.axis"), "head", ("axis",)),
            Column(self._words("column.group"), "text", ("group",)),
            *(Column(self._words.known(f"status.{s}", s), "number", (s,))
              for s in (ANSWERED, *endings)),
        ]  # fmt: skip
        rows = []
        for place, counts in outcomes.items():
            axis, _, group = place.partition(" ")
            rows.append([
                Cell(Head(self._labels.axis(axis)), (axis,)),
                self._cells.text(self._labels.group(axis, group), group),
                *(self._cells.count(counts.get(s, 0)) for s in (ANSWERED, *endings)),
            ])  # fmt: skip
        caption = self._words("caption.judge", name=name)
        if first is not None:
            caption = caption + self._words("caption.judge.first", share=plain(first))
        return Table(caption, columns, rows)

    def _own_bias(
        self, name: str, language: str, axes: Sequence[str], version: str | None = None
    ) -> Both | None:
        """The largest of a scorer's own biases on these axes in words, and what it makes of texts
        of known worth; None without an audit."""
        found = [row for (scorer, of, axis, _), row in self._audits.items()
                 if (scorer, of) == (name, language) and axis in axes
                 and version in (None, str(row["version"]))]  # fmt: skip
        if not found:
            return None
        apart = self._responses.said(name, language)
        large = [row for row in found if not row["small"]]
        known = [row for row in large or found if defined(row["low"]) and defined(row["high"])]
        if not known:
            unknown = self._words("own_bias.unknown", n=count(len(large)), all=count(len(found)))
            return unknown + apart
        worst = max(known, key=lambda row: abs(row["estimate"]))
        said = self._words("own_bias.still", n=count(worst["texts"]))
        if worst["estimate"]:
            said = self._words(
                "own_bias.largest", size=signed(worst["estimate"]), n=count(worst["texts"]),
                interval=interval(worst["low"], worst["high"]),
                group=self._labels.group(worst["axis"], worst["group"]),
            )  # fmt: skip
        if large:
            return said + self._words(
                "own_bias.large", n=count(len(large)), all=count(len(found)),
                half=plain(worst["half_margin"]),
            ) + apart  # fmt: skip
        return said + self._words("own_bias.small", half=plain(worst["half_margin"])) + apart

    # -- words ---------------------------------------------------------------------------------

    def _scorer(self, name: str) -> Both:
        return self._words.known(f"endpoint.{name}", name)

    def _language(self, name: str) -> Both:
        return self._words.known(f"language.{name}", name)
