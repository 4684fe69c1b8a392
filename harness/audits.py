"""Scorer audits that a run keeps, one `audit-<scorer>.json` each, and what they allow.

An audit lets a scorer's effects gate only if it is of the very scorer that measured the run's
texts, shows that it tells texts of known worth apart in the language, and shows its own bias on
the axis to be below half the margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness import added, provenance, seal
from harness.errors import InputError
from harness.kinds import SCORING
from harness.nouns import Record
from harness.scorers import FIRST, SCORERS, audit, sensitivity
from harness.scorers.wordlists import load
from harness.store import EFFECTS, RunFolder

SCHEMA = 2
MOST_FIRST = 0.75
"""Share of comparisons that the first place may win: beyond it the order decides half of them."""


def file_of(name: str) -> str:
    """The file of one scorer's audit in a run folder."""
    return f"audit-{name}.json"


def write(folder: RunFolder, name: str, rows: Sequence[Record], identity: Record) -> Record:
    """Keep an audit in the folder of a finished run, sealed like its other files.

    `identity` is the scorer's version and, of one of the user's own, what it is made of: see
    `identity_of`.

    Raises
    ------
    InputError
        The run is unfinished or was changed, or its texts were not scored by this scorer.
    """
    seal.checked(folder)
    measured = identity_of(folder, name)
    if measured is None:
        raise InputError(f"{folder.path}: its texts were not scored by '{name}'; "
                         "give `bias-harness score` first")  # fmt: skip
    if measured != identity:
        raise InputError(f"{folder.path}: its texts were scored by another '{name}' than is "
                         "audited; score the run again")  # fmt: skip
    found: Record = {
        "schema": SCHEMA, "scorer": name, "created": provenance.now(),
        "harness_version": harness.__version__, "texts": load("audit")["version"],
        "control_texts": load(sensitivity.SHIPPED)["version"],
        "identity": identity, "gates": audit.gates(rows), "rows": list(rows),
    }  # fmt: skip
    folder.write_json(file_of(name), found)
    seal.add(folder, file_of(name))
    return found


def read(folder: RunFolder, name: str) -> Record | None:
    """The audit of a scorer in a run; None where there is none.

    Raises
    ------
    InputError
        It was changed after it was written.
    """
    if not (folder.path / file_of(name)).exists():
        return None
    seal.checked(folder, [file_of(name)])
    return folder.read_json(file_of(name))


def identity_of(folder: RunFolder, name: str) -> Record | None:
    """What measured a run's texts under this name; None where nothing did.

    The version of the harness's own scorers is the one its effects were worked out with, which
    may be older than the one at hand.
    """
    own = folder.manifest().get(added.KEY, {}).get(name)
    if own is not None:
        return {key: own[key] for key in ("version", "definition", "judge") if key in own}
    if name == FIRST:  # its number is the outcome, of the version that the kinds were read with
        same = folder.manifest().get("scoring") == SCORING
        return {"version": SCORERS[FIRST].version} if same else None
    rows = folder.read_json(EFFECTS)["secondary"]
    versions = (row.get("scorer_version") for row in rows if row["endpoint"] == name)
    version = next(versions, None)
    return None if version is None else {"version": version}


def blunt(folder: RunFolder, name: str) -> str | None:
    """Why a judge tells too few texts apart to decide; None for another scorer, or where it does.

    A judge that goes by the place gives every text of a pair .5: to it all groups are alike.
    """
    own = folder.manifest().get(added.KEY, {}).get(name, {})
    first = (own.get("first_place") or {}).get(name)
    if first is None or 1 - MOST_FIRST <= first <= MOST_FIRST:
        return None
    return (f"judge '{name}' chose the first place in {100 * first:.0f} % of its comparisons: it "
            "goes by the order, not by the text")  # fmt: skip


def against(
    found: Record | None, identity: Record, row: Mapping[str, Any], groups: Sequence[str]
) -> str | None:
    """Why a scorer's effects on one axis and language must not gate; None where they may.

    Parameters
    ----------
    found : the audit, if there is one.
    identity : of the scorer that measured the run's texts.
    row : one effect: its `endpoint`, `language`, `axis`, and `margin` in the scorer's unit.
    groups : all groups of the axis in the run.
    """
    name = row["endpoint"]
    if found is None:
        return f"scorer '{name}' is not audited: `bias-harness audit-scorer {name} --run RUN`"
    if found["identity"] != identity:
        return f"the audit is of another version of scorer '{name}'"
    if (why := _blunt_to(found["rows"], row)) is not None:
        return why
    bias = {
        each["group"]: each for each in audit.blind(found["rows"])
        if (each["language"], each["axis"]) == (row["language"], row["axis"])
    }  # fmt: skip
    if lacking := [group for group in groups if group not in bias]:
        return f"the audit of scorer '{name}' lacks group '{lacking[0]}'"
    large = [group for group, each in bias.items() if not audit.small(each, row["margin"])]
    if large:
        return (f"scorer '{name}' is not shown to move by less than half the margin of "
                f"{row['margin']:g} by itself (group '{large[0]}')")  # fmt: skip
    return None


def _blunt_to(rows: Sequence[Record], row: Mapping[str, Any]) -> str | None:
    """Why a scorer is not shown to tell texts of known worth apart in a language."""
    name, margin = row["endpoint"], row["margin"]
    found = [each for each in audit.responses(rows) if each["language"] == row["language"]]
    if not found:  # an audit from before there were such texts, or of other languages
        return (
            f"the audit of scorer '{name}' asked about no texts of known worth in "
            f"'{row['language']}': give `bias-harness audit-scorer {name} --run RUN` again"
        )
    if sensitivity.tells(found[0], margin):
        return None
    why = found[0]["reason"] or (
        f"it moves by {found[0]['estimate']:.3g} [{found[0]['low']:.3g}, {found[0]['high']:.3g}], "
        f"not shown above the margin of {margin:g}")  # fmt: skip
    return f"scorer '{name}' is not shown to tell texts of known worth apart: {why}"
