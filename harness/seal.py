"""The hashes of a finished run's files: what was edited, torn or swapped afterwards shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from harness.errors import InputError
from harness.nouns import Record
from harness.store import DESIGN, EFFECTS, RESPONSES, SCORES, RunFolder

SEALED = (DESIGN, RESPONSES, SCORES, EFFECTS)


def seal(folder: RunFolder) -> Record:
    """SHA-256 of every file that results rest on, by name; the manifest holds them as `files`."""
    return {name: _digest(folder, name) for name in SEALED}


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
    kept = manifest.get("files") or {}
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


def _digest(folder: RunFolder, name: str) -> str:
    path = folder.path / name
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: missing; copy the whole run folder, or give its `run` command again"
        ) from error
