"""The overview page: axes x versions, the trend over versions, what changed, what lies where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.dashboard import gate_words
from harness.dashboard.changes import Changes
from harness.dashboard.records import design_of, marked, merged, stem, version_name, with_reason
from harness.kinds import TEXTS
from harness.ledger import version_of
from harness.nouns import Record, largest_shown
from harness.report import phrases
from harness.report.claims import Claims
from harness.report.frame import Frame, asset, environment, frame
from harness.report.numbers import count, percent, plain
from harness.report.phrases import Both, Labels, Words
from harness.report.results import AxisResult, Family, Key, key
from harness.report.scale import Mark, Scale, common
from harness.report.tables import Cell, Cells, Column, Head, Judgement, Plot, Table

ROOM = "harness.dashboard"
SHOWN = 4
"""Newest versions that have a column; all of them are in the trend."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A comparison: the path of its page and its record without sets and effects."""

    path: str
    record: Record


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an axis since another version, with a link to the comparison."""

    version: Both
    href: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Version:
    """One cell of the matrix: verdict, largest effect with group, n and coverage, change."""

    judgement: Judgement
    estimate: Any
    facts: Both
    change: Change | None


@dataclass(frozen=True, slots=True)
class Trend:
    """Marks with their place from left to right, in per cent."""

    scale: Scale
    marks: Sequence[tuple[float, Mark]]


@dataclass(frozen=True, slots=True)
class Part:
    """One family of prompts of a design: the matrix and, axis by axis, every version."""

    number: int
    name: Both
    matrix: Table
    trends: Sequence[tuple[str, Table]]


@dataclass(frozen=True, slots=True)
class Section:
    """Everything that was measured on one design."""

    name: Both
    shown: int
    versions: int
    parts: Sequence[Part]
    runs: Table
    pairs: Table | None


Pairs = Mapping[tuple[str, str], Pair]


@cache
def page_frame() -> Frame:
    """Style, script and policy of the page."""
    texts = [asset("script/words.js"), asset("script/filters.js", ROOM), asset("script/pages.js")]
    return frame(texts)


def render(
    records: Sequence[Record],
    pages: Set[str],
    pairs: Pairs,
    left_out: Sequence[tuple[str, str]],
    decision: Record | str | None = None,
) -> str:
    """The HTML of the overview page, in English and Chinese.

    Parameters
    ----------
    records : of the ledger, the oldest first.
    pages : names of the records whose run has a page.
    pairs : comparisons by the names of the old and the new record.
    left_out : what has no page, and why.
    decision : of `harness.gate.gate` on the newest run, or why there is none; None where its
        folder is not at hand.
    """
    words = phrases.load(ROOM)
    labels = merged(records)
    view = _View(words, labels, pages, pairs)
    designs: dict[str, list[Record]] = {}
    for record in reversed(records):  # the design of the newest run first
        designs.setdefault(record["design"], []).insert(0, record)
    families = list(dict.fromkeys(key(axis) for r in records for axis in r["axes"]))
    claims = Claims(words, labels, 0.0)
    names = [claims.family(of) for of in families]
    return environment(words, ROOM).get_template("versions.html.j2").render(
        frame=page_frame(),
        headline=view.headline(records, decision),
        gated=gate_words.rules(decision, words) if isinstance(decision, Mapping) else None,
        sections=[view.section(of_design, families) for of_design in designs.values()],
        versions=len(records),
        inner=percent(1 - 2 * max((a["alpha"] for r in records for a in r["axes"]), default=0.05)),
        shown=SHOWN,
        newest=records[-1]["date"][:10] if records else None,
        left_out=[(name, words.reason(why)) for name, why in left_out],
        data={"words": words.under("js."), "statuses": {}, "verdicts": words.under("verdict."),
              "families": [[n.en, n.zh] for n in names],
              "labels": {"axes": dict(labels.axes), "groups": {}}},
    )  # fmt: skip


class _View:
    """The parts of the page, in the words and names of the records."""

    def __init__(self, words: Words, labels: Labels, pages: Set[str], pairs: Pairs) -> None:
        self._words = words
        self._labels = labels
        self._claims = Claims(words, labels, 0.0)
        self._changes = Changes(words, labels)
        self._cells = Cells(words)
        self._pages = pages
        self._pairs = pairs

    def headline(self, records: Sequence[Record], decision: Record | str | None) -> Both:
        """The gate's sentence on the newest version; its verdicts where there is none."""
        if not records:
            return self._words("headline.empty")
        newest, n = records[-1]["model"]["name"], len(records)
        if isinstance(decision, Mapping):
            said = gate_words.sentence(decision, self._words, self._labels)
            return self._words("headline.gate", model=newest, n=n, said=said)
        why = self._words.reason(decision) if decision else self._words("gate.away")
        return self._words(
            "headline.ungated", model=newest, n=n, why=why, said=self._said(records[-1])
        )

    def _said(self, record: Record) -> Both:
        found: dict[Key, list[AxisResult]] = {}
        for axis in record["axes"]:
            found.setdefault(key(axis), []).append(AxisResult(with_reason(axis), [], []))
        return self._claims.headline([Family(of, axes, None) for of, axes in found.items()])

    def section(self, records: Sequence[Record], families: Sequence[Key]) -> Section:
        newest = records[-1]
        suite, limit = newest["suite"], newest["limit"]
        name = self._words(
            "section" if limit is None else "section.limit",
            suite=f"{suite['name']} {suite['version']}", prompts=count(newest["prompts"]),
            design=newest["design"][:8], limit=limit or 0,
        )  # fmt: skip
        here = {key(axis) for record in records for axis in record["axes"]}
        return Section(
            name=name,
            shown=min(SHOWN, len(records)),
            versions=len(records),
            parts=[self._part(records, of, n) for n, of in enumerate(families) if of in here],
            runs=self._runs(records),
            pairs=self._compared(records),
        )

    def _part(self, records: Sequence[Record], of: Key, number: int) -> Part:
        rows = [{axis["axis"]: axis for axis in r["axes"] if key(axis) == of} for r in records]
        axes = list(dict.fromkeys(axis for row in rows for axis in row))
        scale = common(marked(r, a) for r, row in zip(records, rows, strict=True)
                       for a in row.values())  # fmt: skip
        columns = [Column(self._words("column.axis"), "head", ("axis",))]
        columns += [
            Column(version_name(r, records), "version", _csv(version_of(r)), None, self._page(r))
            for r in records[-SHOWN:]
        ]
        columns.append(Column(self._words("column.trend"), "trend"))
        table = [
            [
                Cell(Head(self._labels.axis(axis), f"#trend/{number}-{axis}-{design_of(records)}"),
                     (axis,)),
                *(self._cell(records, i, rows[i].get(axis)) for i in _newest(records)),
                Cell(self._trend(records, [row.get(axis) for row in rows], scale)),
            ]
            for axis in axes
        ]  # fmt: skip
        caption = self._caption(of, [row[a] for row in rows for a in row])
        trends = [
            (f"trend/{number}-{axis}-{design_of(records)}",
             self._versions(records, [row.get(axis) for row in rows], of, axis, scale))
            for axis in axes
        ]  # fmt: skip
        return Part(number, self._claims.family(of), Table(caption, columns, table), trends)

    def _caption(self, of: Key, axes: Sequence[Record]) -> Both:
        margins = sorted({axis["margin"] for axis in axes})
        said = self._claims.family(of)
        if len(margins) != 1:
            return said
        return said + self._words(
            "caption.rules", margin=plain(margins[0]), unit=self._words.unit(of[1]),
            alpha=percent(axes[-1]["alpha"]),
        )  # fmt: skip

    def _cell(self, records: Sequence[Record], i: int, axis: Record | None) -> Cell:
        if axis is None:
            return Cell(self._words("not_measured"), ("",) * 7)
        largest = largest_shown(axis)
        facts = self._words(
            "cell.facts.texts" if axis["kind"] in TEXTS else "cell.facts",
            n=count(axis["n_scenarios"]), all=count(axis["n_designed"]),
            coverage=percent(axis["coverage"]),
        )  # fmt: skip
        estimate = self._estimate(axis)
        group = ""
        if largest:
            group = largest["group"] or ""
            gap = Both(" · ", " · ")
            facts = self._claims.leader(axis["axis"], group) + gap + facts
        value = Version(
            Judgement(axis["verdict"], self._words(f"verdict.{axis['verdict']}"),
                      self._claims.why(with_reason(axis))),
            estimate.value, facts, self._change(records, i, axis),
        )  # fmt: skip
        return Cell(
            value,
            (axis["verdict"], *estimate.csv, group, str(axis["n_scenarios"]),
             repr(axis["coverage"])),
        )  # fmt: skip

    def _estimate(self, axis: Record) -> Cell:
        largest = largest_shown(axis)
        if not largest:
            why = self._labels.why(self._words, axis["axis"], with_reason(axis)["reason"])
            return self._cells.missing(why, 3)
        way = self._claims.way(largest["estimate"])
        return self._cells.estimate(largest["estimate"], largest["low"], largest["high"], way)

    def _change(self, records: Sequence[Record], i: int, axis: Record) -> Change | None:
        """What became of the axis since the version before, where the two were compared."""
        if i == 0 or not (pair := self._pairs.get((stem(records[i - 1]), stem(records[i])))):
            return None
        for row in pair.record["axes"]:
            if key(row) == key(axis) and row["axis"] == axis["axis"]:
                word = self._words(f"change.{row['verdict']}")
                return Change(
                    version_name(records[i - 1], records), f"{pair.path}#axes/{row['axis']}",
                    Judgement(row["verdict"], word, None),
                )  # fmt: skip
        return None

    def _trend(
        self, records: Sequence[Record], rows: Sequence[Record | None], scale: Scale
    ) -> Trend:
        step = 100 / len(rows)
        marks = [
            (round((i + 0.5) * step, 2), mark)
            for i, (record, row) in enumerate(zip(records, rows, strict=True))
            if row and (mark := scale.mark(marked(record, row)))
        ]
        return Trend(scale, marks)

    def _versions(
        self, records: Sequence[Record], rows: Sequence[Record | None], of: Key, axis: str,
        scale: Scale,
    ) -> Table:  # fmt: skip
        """Every version on one axis: its largest effect, and the newest version's group in it."""
        last = next((row for row in reversed(rows) if row), None)
        group = last["largest"]["group"] if last and last["largest"] else None
        named = self._labels.group(axis, group) if group is not None else Both("–", "–")
        columns = [
            Column(self._words("column.version"), "head", ("version",)),
            Column(self._words("column.largest"), "plot", (), scale),
            Column(self._words("column.estimate"), "estimate", ("effect", "low", "high")),
            Column(self._words("column.group"), "text", ("group",)),
            Column(self._words("column.of_group", group=named), "estimate",
                   ("effect_of_newest", "low_of_newest", "high_of_newest")),
            Column(self._words("column.scenarios"), "number", ("scenarios", "designed")),
            Column(self._words.coverage(of[1]), "number", ("coverage",)),
            Column(self._words("column.verdict"), "verdict", ("verdict", "note")),
        ]  # fmt: skip
        table = []
        for record, row in zip(records, rows, strict=True):
            if row is None:
                continue
            mark, largest = scale.mark(marked(record, row)), largest_shown(row)
            date = record["date"][:10]
            name = version_name(record, records) + Both(f", {date}", f"，{date}")
            table.append([
                Cell(Head(name, self._page(record)), (version_of(record),)),
                Cell(Plot(scale, [mark] if mark else [], mark)),
                self._estimate(row),
                self._cells.text(
                    self._claims.leader(axis, largest["group"]) if largest else Both("–", "–"),
                    (largest["group"] or "") if largest else "",
                ),
                self._of_group(record, of, axis, group),
                self._cells.of(row["n_scenarios"], row["n_designed"]),
                self._cells.share(row["coverage"]),
                self._cells.verdict(row["verdict"], self._claims.why(with_reason(row))),
            ])  # fmt: skip
        gap = Both(": ", "：")
        caption = self._labels.axis(axis) + gap + self._claims.family(of)
        return Table(caption, columns, table)

    def _of_group(self, record: Record, of: Key, axis: str, group: str | None) -> Cell:
        for effect in record["effects"]:
            if key(effect) == of and effect["axis"] == axis and effect["group"] == group:
                way = self._claims.way(effect["estimate"])
                return self._cells.estimate(effect["estimate"], effect["low"], effect["high"], way)
        return self._cells.missing(width=3)

    def _runs(self, records: Sequence[Record]) -> Table:
        columns = [
            Column(self._words("column.version"), "head", ("version",)),
            Column(self._words("column.date"), "text", ("date",)),
            Column(self._words("column.model"), "text", ("model", "fingerprint")),
            Column(self._words("column.policy"), "text", ("policy", "hash")),
            Column(self._words("column.said"), "text", ("verdicts",)),
        ]
        rows = []
        for record in reversed(records):
            model, policy = record["model"], record["policy"]
            name = f"{model['name']} ({record['fingerprint'][:8]})"
            rules = f"{policy['name']} {policy['version']} ({policy['hash'][:8]})"
            said = self._said(record)
            rows.append([
                Cell(Head(version_name(record, records), self._page(record)),
                     (version_of(record),)),
                self._cells.text(Both(record["date"][:10], record["date"][:10]), record["date"]),
                Cell(Both(name, name), (model["name"], record["fingerprint"])),
                Cell(Both(rules, rules), (rules, policy["hash"])),
                self._cells.text(said),
            ])  # fmt: skip
        return Table(self._words("caption.runs"), columns, rows)

    def _compared(self, records: Sequence[Record]) -> Table | None:
        columns = [
            Column(self._words("column.comparison"), "head", ("old", "new")),
            Column(self._words("column.verdict"), "verdict", ("verdict", "note")),
            Column(self._words("column.said"), "text", ("changes",)),
        ]
        by_name = {stem(record): record for record in records}
        rows = []
        for (old, new), pair in reversed(list(self._pairs.items())):
            if old not in by_name or new not in by_name:
                continue
            before, after = (version_name(by_name[n], records) for n in (old, new))
            arrow = Both(" → ", " → ")
            rows.append([
                Cell(Head(before + arrow + after, pair.path), (before.en, after.en)),
                self._changes.verdict(pair.record["verdict"]),
                self._cells.text(self._changes.headline(pair.record["axes"])),
            ])  # fmt: skip
        return Table(self._words("caption.pairs"), columns, rows) if rows else None

    def _page(self, record: Record) -> str | None:
        return f"runs/{stem(record)}.html" if stem(record) in self._pages else None


def _csv(version: str) -> tuple[str, ...]:
    names = ("verdict", "effect", "low", "high", "group", "scenarios", "coverage")
    return tuple(f"{version} {name}".replace("|", "/") for name in names)


def _newest(records: Sequence[Record]) -> range:
    return range(max(0, len(records) - SHOWN), len(records))
