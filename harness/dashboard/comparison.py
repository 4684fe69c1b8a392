"""The comparison page: two versions on one design, change by change, and the very answers."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from harness.dashboard.changes import Changes
from harness.nouns import Record, largest_shown
from harness.report import phrases
from harness.report.claims import Claims
from harness.report.evidence import moment
from harness.report.frame import Frame, asset, environment, frame
from harness.report.numbers import percent, plain
from harness.report.phrases import Both, Labels, Words, join
from harness.report.results import Key, key
from harness.report.scale import Scale, common
from harness.report.tables import Cell, Cells, Column, Head, Plot, Table

ROOM = "harness.dashboard"
TOP = 5
"""Sets of an axis that are listed without JavaScript."""
MOST = 200
"""Characters of a difference between the models that are shown."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One family on the overview of the comparison."""

    name: Both
    headline: Both
    table: Table


@dataclass(frozen=True, slots=True)
class Block:
    """One axis in one family."""

    family: Both
    verdict: str
    claim: Both
    forest: Table
    words: Both
    sets: Table | None


@cache
def page_frame() -> Frame:
    """Style, script and policy of the page."""
    report = [asset(f"script/{name}.js") for name in ("words", "compare", "sets", "pages")]
    return frame([*report[:2], asset("script/changes.js", ROOM), *report[2:]])


def render(pair: Record) -> str:
    """The HTML of one comparison of `harness.compare`, in English and Chinese."""
    words = phrases.load(ROOM)
    labels = Labels(pair["labels"]["axes"], pair["labels"]["groups"])
    view = _View(words, labels, pair)
    keys = list(dict.fromkeys(key(axis) for axis in pair["axes"]))
    claims = Claims(words, labels, 0.0)
    entries, shards = pack(pair, keys)
    names = [claims.family(of) for of in keys]
    return environment(words, ROOM).get_template("comparison.html.j2").render(
        frame=page_frame(),
        home="../index.html#overview",
        pair=pair,
        old=view.version("old"),
        new=view.version("new"),
        headline=view.headline(),
        summaries=[view.summary(of, name) for of, name in zip(keys, names, strict=True)],
        axes=view.axes(keys, entries),
        about=view.about(),
        entries=entries,
        index=_pack(entries),
        shards=shards,
        inner=percent(1 - 2 * pair["policy"]["alpha"]),
        labels=labels,
        data={
            "words": words.under("js.") | {"group.help": words.under("change.")["help"]},
            "statuses": words.under("status."),
            "labels": pair["labels"],
            "families": [[name.en, name.zh] for name in names],
            "kinds": [kind for _, kind, _, _ in keys],
        },
    )  # fmt: skip


class _View:
    """Tables and sentences of the page."""

    def __init__(self, words: Words, labels: Labels, pair: Record) -> None:
        self._words = words
        self._labels = labels
        self._pair = pair
        self._changes = Changes(words, labels)
        self._claims = Claims(words, labels, 0.0)
        self._cells = Cells(words)

    def version(self, side: str) -> str:
        model = self._pair[side]["model"]
        return f"{model['family']} {model['version']}"

    def headline(self) -> Both:
        said = self._changes.headline(self._pair["axes"])
        return self._words("changed", new=self._pair["new"]["model"]["version"],
                           old=self._pair["old"]["model"]["version"], said=said)  # fmt: skip

    def summary(self, of: Key, name: Both) -> Summary:
        axes = [axis for axis in self._pair["axes"] if key(axis) == of]
        scale = self._scale(of)
        columns = [
            Column(self._words("column.axis"), "head", ("axis",)),
            Column(self._words("column.change"), "verdict", ("verdict", "note")),
            Column(self._words("column.changes"), "plot", (), scale),
            Column(self._words("column.largest_change"), "estimate", ("change", "low", "high")),
            Column(self._words("column.group"), "text", ("group",)),
            Column(self._words("column.then"), "verdict", ("old_verdict", "old_note")),
            Column(self._words("column.now"), "verdict", ("new_verdict", "new_note")),
            Column(self._words("column.scenarios"), "number", ("scenarios", "designed")),
        ]
        rows = [self._row(axis, scale) for axis in axes]
        ds = sorted({axis["d"] for axis in axes})
        caption = name
        if len(ds) == 1:
            caption = name + self._words(
                "caption.change", d=plain(ds[0]), unit=self._words.unit(of[1]),
                alpha=percent(axes[0]["alpha"]),
            )  # fmt: skip
        return Summary(name, self._changes.sentence(axes), Table(caption, columns, rows))

    def _row(self, axis: Record, scale: Scale) -> list[Cell]:
        largest, cells = largest_shown(axis), self._cells
        marks = {e["group"]: m for e in self._effects(axis) if (m := scale.mark(_marked(e)))}
        lead = marks.get(largest["group"]) if largest else None
        if largest:
            way = self._changes.way(largest["estimate"])
            change = cells.estimate(largest["estimate"], largest["low"], largest["high"], way)
            group = self._claims.leader(axis["axis"], largest["group"])
        else:
            change, group = cells.missing(self._why(axis["axis"], axis), 3), Both("–", "–")
        return [
            Cell(Head(self._labels.axis(axis["axis"]), f"#axes/{axis['axis']}"), (axis["axis"],)),
            self._changes.verdict(axis["verdict"], self._changes.why(axis)),
            Cell(Plot(scale, list(marks.values()), lead)),
            change,
            cells.text(group, (largest["group"] or "") if largest else ""),
            *(cells.verdict(axis[side]) if axis[side] else cells.missing(width=2)
              for side in ("old_verdict", "new_verdict")),
            cells.of(axis["n_scenarios"], axis["n_designed"]),
        ]  # fmt: skip

    def axes(
        self, keys: Sequence[Key], entries: Sequence[Record]
    ) -> list[tuple[str, Both, list[Block]]]:
        """Every axis with its blocks, one a family."""
        blocks: dict[str, list[Block]] = {}
        for number, of in enumerate(keys):
            scale, name = self._scale(of), self._claims.family(of)
            for axis in self._pair["axes"]:
                if key(axis) == of:
                    effects = self._effects(axis)
                    mine = [e for e in entries
                            if e["family"] == number and e["axis"] == axis["axis"]]  # fmt: skip
                    blocks.setdefault(axis["axis"], []).append(Block(
                        name, axis["verdict"], self._changes.claim(axis),
                        self._forest(axis, effects, scale),
                        join([self._changes.effect(e, axis) for e in effects], ";"),
                        self._sets(axis["axis"], mine),
                    ))  # fmt: skip
        return [(axis, self._labels.axis(axis), found) for axis, found in blocks.items()]

    def _forest(self, axis: Record, effects: Sequence[Record], scale: Scale) -> Table:
        columns = [
            Column(self._words("column.group"), "head", ("group",)),
            Column(self._words("column.of_change"), "plot", (), scale),
            Column(self._words("column.change_interval"), "estimate", ("change", "low", "high")),
            Column(self._words("column.old"), "estimate", ("old", "old_low", "old_high")),
            Column(self._words("column.new"), "estimate", ("new", "new_low", "new_high")),
            Column(self._words("column.scenarios"), "number", ("scenarios", "designed")),
            Column(self._words("column.coverage"), "number", ("coverage",)),
            Column(self._words("column.change"), "verdict", ("verdict", "note")),
        ]
        rows = []
        for e in effects:
            mark = scale.mark(_marked(e))
            rows.append([
                Cell(Head(self._labels.group(axis["axis"], e["group"])), (e["group"],)),
                Cell(Plot(scale, [mark] if mark else [], mark)),
                self._cells.estimate(e["estimate"], e["low"], e["high"],
                                     self._changes.way(e["estimate"]), self._why(axis["axis"], e)),
                *(self._side(e[side]) for side in ("old", "new")),
                self._cells.of(e["n_scenarios"], e["n_designed"]),
                self._cells.share(e["coverage"]),
                self._changes.verdict(e["verdict"], self._note(axis["axis"], e)),
            ])  # fmt: skip
        unit = self._words.unit(axis["kind"])
        label = self._labels.axis(axis["axis"])
        return Table(self._words("caption.change_forest", axis=label, unit=unit), columns, rows)

    def _side(self, effect: Record | None) -> Cell:
        if not effect:
            return self._cells.missing(width=3)
        way = self._claims.way(effect["estimate"])
        return self._cells.estimate(effect["estimate"], effect["low"], effect["high"], way)

    def _note(self, axis: str, effect: Record) -> Both | None:
        if effect["identical"]:
            return self._words("change.identical")
        return self._why(axis, effect)

    def _why(self, axis: str, found: Record) -> Both | None:
        return self._labels.why(self._words, axis, found["reason"])

    def _sets(self, axis: str, entries: Sequence[Record]) -> Table | None:
        """The most changed sets, so that readers without JavaScript know where to look."""
        columns = [
            Column(self._words("column.set"), "head", ("scenario",)),
            Column(self._words("column.changed_contrast"), "text", ("change",)),
            Column(self._words("column.group"), "text", ("group",)),
            Column(self._words("column.then_now"), "text", ("old", "new")),
        ]
        rows = []
        for entry in entries[:TOP]:
            group, name = entry["high"][0], entry["scenario"]
            way = self._changes.way(entry["change"])
            size = plain(abs(entry["change"]))
            sides = [plain(x) if x is not None else "–" for x in entry["outcomes"]]
            arrow = f"{sides[0]} → {sides[1]}"
            rows.append([
                Cell(Head(Both(name, name), f"#sets/{entry['id']}"), (name,)),
                Cell(Both(f"{size} ", f"{size} ") + way, (repr(entry["change"]),)),
                self._cells.text(self._labels.group(axis, group), group),
                Cell(Both(arrow, arrow), tuple(sides)),
            ])  # fmt: skip
        caption = self._words("caption.changed_sets", axis=self._labels.axis(axis))
        return Table(caption, columns, rows) if rows else None

    def about(self) -> list[tuple[Both, Both | str]]:
        """What was compared, under which rules, and what differs between the models."""
        pair, words = self._pair, self._words
        rules = pair["policy"]
        said: list[tuple[Both, Both | str]] = []
        for side in ("old", "new"):
            of = pair[side]
            facts = (f"{of['model']['name']}, {of['model']['version']}, "
                     f"{of['fingerprint'][:16]}, {moment(of['date'])}")  # fmt: skip
            said.append((words(f"about.{side}"), facts))
        design, suite = pair["new"]["design"], pair["new"]["suite"]
        said.append((words("about.design"), f"{suite['name']} {suite['version']}, {design}"))
        policy = f"{rules['name']} {rules['version']} ({rules['hash'][:16]})"
        note = words("about.after") if rules["chosen_after_data"] else Both("", "")
        said.append((words("about.policy"), Both(policy, policy) + note))
        for row in pair["differs"]:
            text = f"{_short(row['old'])} → {_short(row['new'])}"
            said.append((words("about.differs", what=row["what"]), text))
        said += [(words("about.left_out"), words.reason(text)) for text in pair["left_out"]]
        return said

    def _effects(self, axis: Record) -> list[Record]:
        of = key(axis), axis["axis"]
        return [e for e in self._pair["effects"] if (key(e), e["axis"]) == of]

    def _scale(self, of: Key) -> Scale:
        return common(_marked(e) for e in self._pair["effects"] if key(e) == of)


def pack(pair: Record, keys: Sequence[Key]) -> tuple[list[Record], dict[str, str]]:
    """The list of the sets, most changed first (in units of d), and their texts by axis."""
    d = {(key(axis), axis["axis"]): axis["d"] for axis in pair["axes"]}
    marks = pair["old"]["fingerprint"], pair["new"]["fingerprint"]
    entries: list[tuple[float, Record]] = []
    texts: dict[str, dict[str, Any]] = {}
    for found in pair["sets"]:
        name = "\x1f".join((*key(found), found["axis"], found["scenario"], *marks))
        id_ = hashlib.sha256(name.encode()).hexdigest()[:12]
        cells = found["cells"]
        statuses: dict[str, list[str]] = {}
        for cell in cells:
            for side in ("old", "new"):
                groups = statuses.setdefault(cell[side]["status"] or "error", [])
                if cell["group"] not in groups:
                    groups.append(cell["group"])
        changed = next(cell for cell in cells if cell["group"] == found["group"])
        size = abs(found["change"]) / d[key(found), found["axis"]]
        entries.append((size, {
            "id": id_, "family": keys.index(key(found)), "axis": found["axis"],
            "language": found["language"], "scenario": found["scenario"], "variant": "",
            "change": found["change"], "high": [found["group"], found["change"]], "low": None,
            "outcomes": [changed[side]["outcome"] for side in ("old", "new")],
            "statuses": statuses,
        }))  # fmt: skip
        texts.setdefault(found["axis"], {})[id_] = cells
    entries.sort(key=lambda entry: (-entry[0], entry[1]["id"]))
    shards = {axis: _pack(cells) for axis, cells in texts.items()}
    return [entry for _, entry in entries], shards


def _marked(effect: Record) -> Mapping[str, Any]:
    """A change as something to be drawn: its band is that of d."""
    return {**effect, "margin": effect["d"]}


def _pack(content: object) -> str:
    packed = gzip.compress(orjson.dumps(content), compresslevel=6, mtime=0)
    return base64.b64encode(packed).decode("ascii")


def _short(value: object) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= MOST else text[: MOST - 1] + "…"
