"""The ledger: one small committed record of every finished run, from which history is drawn.

A record is a JSON file of its own in `results/ledger/`, so two branches that add runs do not
conflict; one line a fact, so a diff shows what changed; with a hash over its content, so an edit
by hand is noticed. `docs/versions.md` says what is in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from harness.analysis.cells import Family
from harness.errors import InputError
from harness.models import UNVERSIONED
from harness.nouns import Record
from harness.store import EFFECTS, RunFolder, writing

LEDGER = Path("results") / "ledger"
"""Of the current folder, beside `results/runs`."""
SCHEMA = 1
DIGITS = 6
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,240}")
"""What may stand in a file's name."""
FAMILY = Family._fields
AXIS = (*FAMILY, "verdict", "claim", "largest", "n_scenarios", "n_designed", "coverage", "floor",
        "groups", "unit", "margin", "alpha", "scenarios_needed")  # fmt: skip
EFFECT = (*FAMILY, "group", "estimate", "low", "high", "tost_low", "tost_high", "verdict",
          "material")  # fmt: skip


def entry(manifest: Mapping[str, Any], results: Mapping[str, Any], run: str) -> Record:
    """The record of a finished run, from its manifest and its `effects.json`.

    `run` is the name of its folder. Numbers are rounded to 6 decimals, undefined ones are None.

    Raises
    ------
    InputError
        The results lack something.
    """
    model, policy = manifest["model"], manifest["policy"]
    try:
        axes = [_axis(axis) for axis in results["axes"]]
        effects = [_rounded({key: effect[key] for key in EFFECT}) for effect in results["effects"]]
    except (KeyError, TypeError) as error:
        raise InputError(f"{run}: effects.json is damaged, or of another version") from error
    record: Record = {
        "schema": SCHEMA,
        "run": run,
        "date": manifest["finished"],
        "model": {key: model[key] for key in ("name", "family", "version", "licence")},
        "fingerprint": model["fingerprint"],
        "prompt_format": manifest.get("prompt_format"),
        "suite": manifest["suite"],
        "limit": manifest.get("limit"),
        "design": manifest["design"]["hash"],
        "prompts": manifest["design"]["prompts"],
        "policy": {key: policy[key] for key in ("name", "version", "hash")},
        "harness": {"version": manifest["harness_version"], "commit": manifest["git_commit"]},
        "labels": manifest["labels"],
        "axes": axes,
        "effects": effects,
    }
    return {**record, "hash": content_hash(record)}


def content_hash(record: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical record without its own hash."""
    rest = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def name_of(record: Mapping[str, Any]) -> str:
    """File name of a record: one a suite, model, design, fingerprint and policy."""
    return f"{folder_of(record)}-{record['policy']['hash'][:8]}.json"


def folder_of(record: Mapping[str, Any]) -> str:
    """The usual name of the run's folder.

    Raises
    ------
    InputError
        A name or hash of the record is not one that the harness gives.
    """
    marks = (record["design"][:8], record["fingerprint"][:8])
    name = "-".join((record["suite"]["name"], record["model"]["name"], *marks))
    if not NAME.fullmatch(name) or not NAME.fullmatch(record["policy"]["hash"]):
        raise InputError(f"{name!r}: no name of a run; its manifest is damaged")
    return name


def version_of(record: Mapping[str, Any]) -> str:
    """What tells a version from the others of its family: its name, or its fingerprint."""
    version = str(record["model"]["version"])
    return f"{version} ({record['fingerprint'][:8]})" if version == UNVERSIONED else version


def add(record: Record, ledger: Path) -> Path:
    """Write a record, in the place of an earlier one of the same run.

    Raises
    ------
    InputError
        The version's name is taken, or the record that would be replaced was edited by hand.
    StoreError
        The ledger cannot be written.
    """
    check_name({**record["model"], "fingerprint": record["fingerprint"]},
               record["prompt_format"], ledger)  # fmt: skip
    path = ledger / name_of(record)
    if path.exists():
        read_one(path)
    with writing(ledger):
        ledger.mkdir(parents=True, exist_ok=True)
    return RunFolder(ledger).write_bytes(path.name, dumps(record))


def has(manifest: Mapping[str, Any], records: Iterable[Record]) -> bool:
    """Whether a ledger with these records has one of this very run."""
    return any(
        (record["fingerprint"], record["design"], record["policy"]["hash"]) == _mark(manifest)
        for record in records
    )


def _mark(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    model, design, policy = manifest["model"], manifest["design"], manifest["policy"]
    return model["fingerprint"], design["hash"], policy["hash"]


def confirm(manifest: Mapping[str, Any], folder: RunFolder, records: Iterable[Record]) -> None:
    """Refuse a run that the ledger knows with other results.

    Raises
    ------
    InputError
        Its effects are not those that were recorded when it was finished.
    """
    for record in records:
        same = (record["fingerprint"], record["design"], record["policy"]["hash"], record["date"])
        if same != (*_mark(manifest), manifest["finished"]):
            continue
        now = entry(manifest, folder.read_json(EFFECTS), folder.path.name)
        if (now["axes"], now["effects"]) != (record["axes"], record["effects"]):
            raise InputError(
                f"{folder.path / EFFECTS}: not what the ledger recorded of this run on "
                f"{record['date'][:10]}; give `bias-harness merge {folder.path}` to conclude and "
                "record it anew from its answers"
            )


def check_name(model: Mapping[str, Any], prompt_format: int | None, ledger: Path) -> None:
    """Refuse a version whose family and version another model in the ledger has already.

    `model` is a manifest's. Under another prompt format of the harness the same model has
    another fingerprint, and is no other version for it.

    Raises
    ------
    InputError
        It is taken, or a record of the ledger cannot be read or was edited.
    """
    if model["version"] == UNVERSIONED:
        return
    for record in read(ledger):
        known = record["model"]
        name = known["family"], known["version"], record["prompt_format"]
        same = name == (model["family"], model["version"], prompt_format)
        if same and record["fingerprint"] != model["fingerprint"]:
            raise InputError(
                f"two versions of one name: {ledger / name_of(record)} is family "
                f"'{model['family']}' version '{model['version']}' with fingerprint "
                f"{record['fingerprint'][:8]}, this model has {model['fingerprint'][:8]}; give it "
                "another version in its YAML (or delete the record, if it was a trial)"
            )


def read(ledger: Path) -> list[Record]:
    """Every record of a ledger, the oldest first; none where there is no ledger.

    Raises
    ------
    InputError
        A record cannot be read, or was edited by hand.
    """
    records = [read_one(path) for path in sorted(ledger.glob("*.json"))]
    return sorted(records, key=lambda record: (record["date"], record["run"]))


def read_one(path: Path) -> Record:
    """The record in one file, if it is what was written."""
    try:
        record: Record = orjson.loads(path.read_bytes())
        whole = isinstance(record, dict) and record["schema"] == SCHEMA
        fits = whole and content_hash(record) == record["hash"]
    except (OSError, orjson.JSONDecodeError, KeyError) as error:
        raise InputError(f"{path}: not a ledger record: {error}; {_MEND}") from error
    if not whole:
        raise InputError(f"{path}: not a ledger record of schema {SCHEMA}")
    if not fits:
        raise InputError(f"{path}: edited after it was written: its hash does not fit; {_MEND}")
    return record


_MEND = "restore it from git, or delete it and give `bias-harness import RUN`"


def dumps(record: Mapping[str, Any]) -> bytes:
    """The record as JSON with one line a fact: a list has one line an item."""
    lines = []
    for key, value in record.items():
        text = orjson.dumps(value).decode()
        if isinstance(value, list) and value:
            items = ",\n".join(f"    {orjson.dumps(item).decode()}" for item in value)
            text = f"[\n{items}\n  ]"
        lines.append(f"  {orjson.dumps(key).decode()}: {text}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def select(
    records: Iterable[Record], *, family: str | None = None, axis: str | None = None
) -> list[Record]:
    """Records of one model family, with the axes and effects of one axis only.

    Raises
    ------
    InputError
        Nothing is left; the message names what there is.
    """
    known = list(records)
    found = [r for r in known if family is None or r["model"]["family"] == family]
    if known and not found:
        raise InputError(_none("model family", family, {r["model"]["family"] for r in known}))
    if axis is None:
        return found
    kept = [
        {
            **r,
            **{key: [row for row in r[key] if row["axis"] == axis] for key in ("axes", "effects")},
        }
        for r in found
    ]
    if found and not any(r["axes"] for r in kept):
        raise InputError(_none("axis", axis, {row["axis"] for r in found for row in r["axes"]}))
    return [r for r in kept if r["axes"]]


def _none(noun: str, given: str | None, known: set[str]) -> str:
    return f"the ledger has no {noun} '{given}'; it has {', '.join(sorted(known)) or 'none'}"


def _axis(axis: Mapping[str, Any]) -> Record:
    floor = axis["floor"]["mean"] if axis["floor"] else None
    row: Record = _rounded({**{key: axis[key] for key in AXIS}, "floor": floor})
    return row


def _rounded(value: Any) -> Any:
    """Floats at 6 decimals: what two machines may differ by is not a change."""
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(item) for item in value]
    return value
