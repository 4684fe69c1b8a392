"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from harness import audits, looks, tables
from harness.errors import InputError
from harness.kinds import TEXTS
from harness.report import counted, discoveries, evidence, phrases
from harness.report.claims import Claims
from harness.report.frame import Frame, asset, environment, frame
from harness.report.labelled import Labelled
from harness.report.numbers import percent, plain
from harness.report.results import Family, Key, Record, families, key
from harness.report.scale import common
from harness.report.sets import OUTCOME, Bundle, bundle
from harness.report.texts import Texts, filtered
from harness.report.view import Block, View
from harness.store import EFFECTS, SCORES, RunFolder

SCRIPT = (
    "script/words.js", "script/compare.js", "script/cards.js", "script/sets.js", "script/pages.js",
)  # fmt: skip


def of_run(folder: RunFolder, *, all_texts: bool = False, home: str | None = None) -> str:
    """The HTML of a run's report from what its folder holds, audits and labels included.

    Raises
    ------
    InputError
        A file of the run, an audit or a calibration is missing or damaged.
    """
    manifest = folder.manifest()
    design = looks.asked(folder.design(), manifest)
    return render(
        manifest,
        folder.read_json(EFFECTS),
        tables.answers(design, folder.responses(), folder.path / SCORES),
        all_texts=all_texts,
        home=home,
        bias=_audits(folder),
        calibrations=_calibrations(folder),
    )


AUDITS, CALIBRATIONS = "audit-*.json", "labels/*/calibration.json"


def later(folder: RunFolder) -> list[Path]:
    """Files that came to a finished run after its effects: audits of scorers, people's labels."""
    return sorted(path for name in (AUDITS, CALIBRATIONS) for path in folder.path.glob(name))


def _audits(folder: RunFolder) -> list[Record]:
    """The rows of every audit that is of the very scorer that measured the run's texts."""
    rows: list[Record] = []
    for path in sorted(folder.path.glob(AUDITS)):
        name = path.stem.removeprefix("audit-")
        found = audits.read(folder, name)
        if found and found["identity"] == audits.identity_of(folder, name):
            rows += found["rows"]
    return rows


def _calibrations(folder: RunFolder) -> list[Record]:
    found: list[Record] = []
    for path in sorted(folder.path.glob(CALIBRATIONS)):
        content = folder.read_json(path.relative_to(folder.path).as_posix())
        if not isinstance(content, dict) or not content.keys() >= {"scorer", "raters", "families"}:
            raise InputError(f"{path}: damaged; give `bias-harness labels import` again")
        found.append(content)
    return found


def render(
    manifest: Mapping[str, Any],
    effects: Mapping[str, Any],
    rows: pa.Table,
    *,
    all_texts: bool = False,
    home: str | None = None,
    bias: Sequence[Record] = (),
    calibrations: Sequence[Record] = (),
) -> str:
    """The HTML of a run's report, in English and Chinese.

    Parameters
    ----------
    manifest, effects : the run's manifest.json and effects.json.
    rows : one row a response, with prompt, outcome and text.
    all_texts : carry the prompts and answers of every set, not of those that matter most.
    home : where the dashboard is that the page belongs to.
    bias : of the scorers' own: rows of their audits.
    calibrations : what people's labels gave, one record a labelled scorer.
    """
    words = phrases.load()
    labels = phrases.Labels(manifest["labels"]["axes"], manifest["labels"]["groups"])
    claims = Claims(words, labels, manifest["policy"]["coverage_floor"])
    texts = Texts(words, labels, claims, audits=bias, stopped=filtered(rows))
    labelled = Labelled(words, labels, claims, calibrations)
    view = View(words, labels, claims, texts, labelled, manifest)
    groups = families(effects)
    keys = _keys(groups, rows)
    margins = {of: _margins(of, groups, manifest["policy"]["margins"]) for of in keys}
    sets = bundle(rows, margins, seed=manifest["seed"], all_texts=all_texts)
    facts = evidence.rules()
    return environment(words).get_template("page.html.j2").render(
        manifest=manifest,
        started=evidence.moment(manifest["created"]),
        headline=claims.headline(groups),
        summaries=[_summary(family, claims, view, words) for family in groups],
        awareness=[
            counted.awareness(words, claims.family(key(record)), record)
            for record in effects["awareness"]
        ],
        scorers=texts.scorers(groups, effects.get("unmeasured", ())),
        chance=discoveries.scored(words, labels, claims, groups),
        judges=texts.judges(manifest.get("scorers", {})),
        axes=_axes(groups, view, labels, sets),
        sets=sets,
        all_texts=all_texts,
        entries=evidence.manifest_entries(manifest, words),
        crosswalk=evidence.crosswalk(facts, groups, words, labels),
        rules=evidence.other_rules(facts),
        references=evidence.references(facts),
        labels=labels,
        alpha=percent(manifest["policy"]["alpha"]),
        inner=percent(1 - 2 * manifest["policy"]["alpha"]),
        floor=percent(manifest["policy"]["coverage_floor"]),
        seconds=None if manifest["seconds"] is None else plain(manifest["seconds"], 0),
        frame=page_frame(),
        home=home,
        data=_data(words, manifest, keys, claims),
    )  # fmt: skip


@cache
def page_frame() -> Frame:
    """Style, script and policy of a report page."""
    return frame([asset(name) for name in SCRIPT])


def _keys(groups: Sequence[Family], rows: pa.Table) -> list[Key]:
    """The families of the page, and those of rows that have no result yet."""
    asked = rows.group_by(["probe", "kind", "language", "cue"]).aggregate([]).to_pylist()
    return list(dict.fromkeys([*(family.key for family in groups), *map(key, asked)]))


def _margins(
    of: Key, groups: Sequence[Family], margins: Mapping[str, float]
) -> dict[str, float | None]:
    """The margin of a family's outcome, and of every scorer of its texts."""
    scored = {effect["endpoint"]: effect["margin"] for family in groups if family.key == of
              for result in family.axes for effect in result.scored}  # fmt: skip
    return {OUTCOME: margins.get(of[1]), **scored}


def _summary(family: Family, claims: Claims, view: View, words: phrases.Words) -> dict[str, Any]:
    """One family on the overview page."""
    kind = family.key[1]
    return {
        "name": claims.family(family.key),
        "headline": claims.family_headline(family),
        "table": view.overview(family) if family.axes else None,
        "checks": view.checks(family.probe) if family.probe else [],
        "outcome": words.known(f"outcome.{kind}", words("outcome")),
    }


def _axes(
    groups: Sequence[Family], view: View, labels: phrases.Labels, sets: Bundle
) -> list[tuple[str, phrases.Both, list[Block]]]:
    """Every axis with its blocks, one a family."""
    blocks: dict[str, list[Block]] = {}
    for number, family in enumerate(groups):
        scale = common(family.effects)
        for result in family.axes:
            entries = sets.of(number, result.axis)
            blocks.setdefault(result.axis, []).append(view.block(family, result, scale, entries))
    return [(axis, labels.axis(axis), found) for axis, found in blocks.items()]


def _data(
    words: phrases.Words,
    manifest: Mapping[str, Any],
    keys: Sequence[Key],
    claims: Claims,
) -> dict[str, Any]:
    """What the script needs; the template writes it as JSON that cannot end its element."""
    names = [claims.family(key) for key in keys]
    return {
        "words": words.under("js."),
        "endpoints": words.under("endpoint."),
        "texts": sorted(TEXTS),
        "statuses": words.under("status."),
        "labels": manifest["labels"],
        "families": [[name.en, name.zh] for name in names],
        "kinds": [kind for _, kind, _, _ in keys],
    }
