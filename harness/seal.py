"""The hashes of a finished run's files: what was edited, torn or swapped afterwards shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, StrictInt, ValidationError

import harness
from harness.errors import InputError
from harness.models import LocalModel, RemoteModel, fingerprint
from harness.nouns import Record
from harness.store import DESIGN, EFFECTS, MANIFEST, RESPONSES, SCORES, RunFolder, writing

SEALED = (DESIGN, RESPONSES, SCORES, EFFECTS)
ADDED = re.compile(r"audit-[a-z0-9][a-z0-9-]*\.json")
"""Files that may be sealed beside them."""


def _dated(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Time = Annotated[str, AfterValidator(_dated)]


class _Named(BaseModel):
    name: str
    version: int


class _Model(BaseModel):
    name: str
    family: str
    version: str
    licence: str
    fingerprint: str
    identity: dict[str, Any]
    definition: dict[str, Any]


class _Design(BaseModel):
    hash: str
    prompts: int


class _How(BaseModel):
    want: str
    samples: int


class _Probe(_Named):
    kind: str


class _Labels(BaseModel):
    axes: dict[str, dict[str, str]]
    groups: dict[str, dict[str, dict[str, str]]]


class _Manifest(BaseModel):
    """What is read of a finished run's manifest by whoever did not write it."""

    finished: Time
    created: Time
    harness_version: str
    git_commit: str | None
    suite: _Named
    axes: list[str]
    limit: int | None
    model: _Model
    design: _Design
    probes: list[_Probe]
    measured: dict[str, _How]
    labels: _Labels
    policy: dict[str, Any]
    scoring: StrictInt | None = None
    backend: dict[str, Any] | None = None
    files: dict[str, str] = {}


def seal(folder: RunFolder) -> Record:
    """SHA-256 of every file that results rest on, by name; the manifest holds them as `files`.

    What was added to the sealed files later keeps its place among them.
    """
    added = [name for name in folder.manifest().get("files", {}) if ADDED.fullmatch(name)]
    return {name: _digest(folder, name) for name in (*SEALED, *added)}


def add(folder: RunFolder, name: str) -> None:
    """Seal one more file of a finished run."""
    files = folder.manifest()["files"]
    folder.update({"files": {**files, name: _digest(folder, name)}})


def checked(folder: RunFolder, names: Iterable[str] = SEALED) -> Record:
    """The manifest of a finished run whose files are what they were when it was concluded.

    Raises
    ------
    InputError
        The run is not finished, a file is missing, or one was changed.
    """
    manifest = folder.manifest()
    if manifest["state"] != "finished":
        raise InputError(
            f"{folder.path}: the run is not finished; give the same `run` command again, "
            "or `merge` the slices that are missing"
        )
    try:
        kept = _Manifest.model_validate(manifest).files
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(map(str, fault["loc"]))
        raise InputError(
            f"{folder.path / MANIFEST}: damaged: '{key}': {fault['msg']}; copy the run folder again"
        ) from error
    for name in names:
        if name not in kept:
            raise InputError(
                f"{folder.path}: the manifest holds no hash of {name}; conclude the run anew with "
                f"`bias-harness merge {folder.path}`"
            )
        if _digest(folder, name) != kept[name]:
            raise InputError(
                f"{folder.path / name}: changed after the run was finished: its hash does not fit"
            )
    return manifest


def check_answers(folder: RunFolder) -> None:
    """Refuse a finished run whose answers are not those it was concluded from.

    A run that is not finished has none yet: it may have been stopped while they were written.

    Raises
    ------
    InputError
        They were changed.
    """
    manifest = folder.manifest()
    kept = manifest.get("files", {}).get(RESPONSES)
    if manifest["state"] == "finished" and kept not in (None, _digest(folder, RESPONSES)):
        raise InputError(
            f"{folder.path / RESPONSES}: changed after the run was finished: its hash does not "
            "fit; copy the run folder again, or give its `run` command with --fresh"
        )


def check_model(path: Path, manifest: Record) -> None:
    """Refuse a manifest whose fingerprint is not that of its model, and a planted control.

    The fingerprint is only computed again by the version of the harness that took it.

    Raises
    ------
    InputError
        It does not fit, or the run's answers were shifted on purpose.
    """
    model = manifest["model"]
    if "plant" in model["identity"]:
        raise InputError(f"{path}: a control with a planted disparity is no version's result")
    if manifest["harness_version"] != harness.__version__:
        return
    shape = RemoteModel if model["definition"].get("backend") == "openai" else LocalModel
    try:
        definition = shape.model_validate_json(orjson.dumps(model["definition"]))
    except ValidationError as error:
        raise InputError(f"{path}: the manifest's model definition is damaged") from error
    if fingerprint(definition, model["identity"]) != model["fingerprint"]:
        raise InputError(f"{path}: the fingerprint is not that of the model in the manifest")


def copy(folder: RunFolder, place: Path) -> RunFolder:
    """The run in `place`: copied, its manifest last, or as it is where it lies there already.

    Raises
    ------
    InputError, StoreError
        Another run lies there, or it cannot be written.
    """
    here = RunFolder(place)
    if place.resolve() == folder.path.resolve():
        return here
    if here.exists:
        kept, given = checked(here), folder.manifest()
        if _core(kept) != _core(given):
            raise InputError(f"{place}: another run of the same name lies there; move it away")
        return here
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    more = [name for name in folder.manifest()["files"] if ADDED.fullmatch(name)]
    for name in (*SEALED, *more, MANIFEST):
        here.write_bytes(name, (folder.path / name).read_bytes())
    return here


def _core(manifest: Record) -> Record:
    """What makes a finished run this one."""
    files = {name: manifest["files"].get(name) for name in SEALED}
    return {"files": files, **{key: manifest[key] for key in ("model", "design", "policy")}}


def _digest(folder: RunFolder, name: str) -> str:
    path = folder.path / name
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: missing; copy the whole run folder, or give its `run` command again"
        ) from error
