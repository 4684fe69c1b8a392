"""A finished run as an export sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.nouns import Record
from harness.report import phrases
from harness.store import RunFolder, writing


@dataclass(frozen=True)
class Finished:
    """The folder, its manifest and its `effects.json`, all checked.

    `dataset` is the Hub dataset whose benchmark the results are of, where one is named.
    """

    folder: RunFolder
    manifest: Record
    results: Record
    dataset: str | None = None

    def family(self, row: Record) -> str:
        """Probe, language and cue kind of an axis or effect, as one word."""
        return "-".join((row["probe"], row["language"], row["cue"]))

    def label(self, axis: str, group: str) -> str:
        """A group's English name."""
        labels = self.manifest["labels"]["groups"]
        return str(labels.get(axis, {}).get(group, {}).get("en", group))

    def named(self, axis: str, said: str) -> str:
        """A reason with the groups it quotes by name: the analysis knows their ids alone."""
        return phrases.named(self.manifest["labels"], axis, said)


def write(path: Path, data: bytes) -> str:
    """Write a whole file, making its folder; returns its path.

    Raises
    ------
    InputError
        Something else stands there already; it is left as it is.
    StoreError
        It cannot be written.
    """
    if path.exists() and not (path.is_file() and path.read_bytes() == data):
        raise InputError(f"--out {path}: exists and is something else; give another place")
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    return str(RunFolder(path.parent).write_bytes(path.name, data))
