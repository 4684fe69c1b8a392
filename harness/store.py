"""The run folder: manifest, append-only response log, compaction, resume, slices.

::

    manifest.json                  what is run, fixed before the first answer
    design.parquet                 every prompt, in block order
    responses[-i-of-n].jsonl       one line an answer while running
    responses.parquet              all answers, when the run is done
    scores.parquet effects.json report.html

A line is one unbuffered `os.write` on an `O_APPEND` descriptor, so a killed process loses at
most the line it was writing; a torn line is passed over by the reader. The last line of a
prompt counts.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from harness.design import Design
from harness.errors import InputError, StoreError
from harness.nouns import Record, Response
from harness.responses import SCHEMA as ANSWERS
from harness.responses import Responses, failed, line, read_compacted, read_log

MANIFEST, DESIGN = "manifest.json", "design.parquet"
RESPONSES, SCORES, EFFECTS, REPORT = (
    "responses.parquet", "scores.parquet", "effects.json", "report.html",
)  # fmt: skip
LOG = re.compile(r"^responses(-\d+-of-\d+)?\.jsonl$")
SCHEMA = 1
NEEDED = ("state", "suite", "axes", "design", "model", "policy", "labels", "seed", "seconds")


class RunFolder:
    """One run on disk. Reading needs no lock; `Log` takes one for writing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    # -- manifest ------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        return (self.path / MANIFEST).is_file()

    def manifest(self) -> Record:
        """The manifest.

        Raises
        ------
        InputError
            There is none, or it is damaged or of another version.
        """
        path = self.path / MANIFEST
        try:
            manifest: Record = orjson.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise InputError(f"{self.path}: not a run folder (no {MANIFEST})") from error
        except (OSError, orjson.JSONDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
            raise InputError(f"{path}: not a manifest of schema {SCHEMA}")
        lacking = [key for key in NEEDED if key not in manifest]
        if lacking:
            raise InputError(f"{path}: damaged: no '{lacking[0]}'")
        return manifest

    def begin(self, manifest: Record, design: Design) -> Record:
        """Make the folder, or check that the one that is there holds the same run.

        Returns the manifest on disk: the first one written stays.

        Raises
        ------
        StoreError
            The folder cannot be written, or holds another design, model or policy.
        """
        if self.exists:
            kept = self.manifest()
            _same(self.path, kept, manifest,
                  "give another --out, or --fresh to start anew here")  # fmt: skip
            return kept
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._check_free()
            self.write_table(DESIGN, design.written())
            self.write_json(MANIFEST, manifest)
        return manifest

    def check_place(self) -> None:
        """Refuse a place that no new run could be written to, before anything is fetched for it.

        Raises
        ------
        StoreError
            It cannot be made or written, or holds other things.
        """
        if not self.exists:
            with writing(self.path):
                self._check_free()
            check_writable(self.path)

    def _check_free(self) -> None:
        if not self.path.is_dir():
            return
        # what begins with a dot may be the half-written file of another slice's process
        there = any(not path.name.startswith(".") for path in self.path.iterdir())
        if there and not (self.path / DESIGN).exists():
            raise StoreError(f"{self.path}: not empty and not a run folder; give another --out")

    def update(self, changes: Mapping[str, Any]) -> Record:
        """Write the manifest again with these entries changed."""
        manifest = {**self.manifest(), **changes}
        self.write_json(MANIFEST, manifest)
        return manifest

    # -- files ---------------------------------------------------------------------------------

    def write_bytes(self, name: str, data: bytes) -> Path:
        with self._written(name) as half:
            half.write_bytes(data)
        return self.path / name

    def write_json(self, name: str, value: object) -> Path:
        return self.write_bytes(name, orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")

    def write_table(self, name: str, table: pa.Table) -> Path:
        """A Parquet file, in which columns by codes are words like others."""
        with self._written(name) as half:
            pq.write_table(
                table, half, compression="zstd", store_schema=False,
                dictionary_pagesize_limit=1 << 30,
            )  # fmt: skip
        return self.path / name

    @contextlib.contextmanager
    def _written(self, name: str) -> Iterator[Path]:
        """A file to write, which a reader then sees whole in the old one's place, or not at all."""
        half = self.path / f".{name}.{os.getpid()}"
        with writing(self.path):
            try:
                yield half
                with half.open("rb") as file:
                    os.fsync(file.fileno())
                half.replace(self.path / name)
            finally:
                half.unlink(missing_ok=True)

    def read_json(self, name: str) -> Record:
        path = self.path / name
        try:
            value: Record = orjson.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise InputError(
                f"{path}: missing; the run is not finished: give the same `run` command again"
            ) from error
        except (OSError, orjson.JSONDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        return value

    # -- design and responses ------------------------------------------------------------------

    def design(self) -> Design:
        """The design as it was asked.

        Raises
        ------
        InputError
            The file cannot be read, or is not what the manifest's design hash was taken of.
        """
        path = self.path / DESIGN
        try:
            design = Design.read(path)
            found = design.hash
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        if found != self.manifest()["design"]["hash"]:
            raise InputError(f"{path}: changed since the run began: its hash is {found[:8]}")
        return design

    def logs(self) -> list[Path]:
        """The response logs, slices in the order of their names."""
        if not self.path.is_dir():
            return []
        return sorted(path for path in self.path.iterdir() if LOG.match(path.name))

    def responses(self) -> Responses:
        """The last response of every prompt that has one.

        Raises
        ------
        InputError
            A file cannot be read.
        """
        path = self.path / RESPONSES
        parts = [read_compacted(path)] if path.exists() else []
        return Responses(
            pa.concat_tables([ANSWERS.empty_table(), *parts, *map(read_log, self.logs())])
        )

    @contextlib.contextmanager
    def settled(self) -> Iterator[list[Path]]:
        """The logs, while nobody writes to them.

        Raises
        ------
        StoreError
            Another process writes one.
        """
        logs = self.logs()
        with contextlib.ExitStack() as stack, writing(self.path):
            for path in logs:
                stack.enter_context(_locked(path))
            yield logs

    def compact(self, design: Design, responses: Responses, logs: Iterable[Path]) -> None:
        """All responses into one Parquet file, in design order; then drop the logs they were in."""
        rows = responses.rows_of(design.table["id"])
        self.write_table(RESPONSES, responses.table.take(pa.array(rows[rows >= 0])))
        for log in logs:
            log.unlink()

    def discard(self, shard: tuple[int, int] | None = None) -> None:
        """Delete the run, or of a slice its answers, and nothing that is not a run's.

        Raises
        ------
        InputError, StoreError
            The folder holds no run, or one that is being written.
        """
        if not self.exists:
            return
        self.manifest()  # complains where this is no run
        logs = [self.path / log_name(shard)] if shard else self.logs()
        with contextlib.ExitStack() as stack, writing(self.path):
            for path in logs:
                if path.exists():
                    stack.enter_context(_locked(path))
            for path in logs:
                path.unlink(missing_ok=True)
            if shard is None:
                for name in (REPORT, EFFECTS, SCORES, RESPONSES, DESIGN, MANIFEST):
                    (self.path / name).unlink(missing_ok=True)


class Log:
    """The append-only log of one run or slice, locked while it is open.

    Raises
    ------
    StoreError
        Another process writes it, or the folder cannot be written.
    """

    def __init__(self, folder: RunFolder, shard: tuple[int, int] | None = None) -> None:
        self.path = folder.path / log_name(shard)
        with writing(folder.path):
            self._file = _lock(self.path)
        self._mend()

    def append(self, response: Response) -> None:
        """One line, one write."""
        record = line(response)
        with writing(self.path):
            written = os.write(self._file, record)
            if written != len(record):  # a disk that filled up in the middle of a line
                raise OSError(errno.ENOSPC, "no space left for a whole record")

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _mend(self) -> None:
        """End a line that an earlier process left torn, so that the next one stands alone."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")


def log_name(shard: tuple[int, int] | None) -> str:
    """The file that a run or slice writes its answers to."""
    return f"responses-{shard[0]}-of-{shard[1]}.jsonl" if shard else "responses.jsonl"


def _lock(path: Path) -> int:
    """A descriptor on the log at `path`, made where it is missing, that no other process has."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise StoreError(f"{path}: another process is writing this run") from error
    return file


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    file = _lock(path)
    try:
        yield
    finally:
        os.close(file)


def pending(design: Design, responses: Responses, *, whole: bool) -> Design:
    """What of a design is still to be asked.

    With `whole`, an unfinished block is asked again whole: batches are formed within it.
    """
    lacking = responses.lacking(design.table["id"])
    if whole:
        block = design.table["block"].to_numpy()
        lacking = np.isin(block, block[lacking])
    return design.only(lacking)


def merge(target: RunFolder, others: Iterable[RunFolder]) -> None:
    """Add the answers of other folders of the same run to `target`.

    An answer replaces none but a failed one.

    Raises
    ------
    StoreError
        A folder holds another design, model or policy, or two answered a prompt differently.
    """
    manifest = target.manifest()
    known = dict(target.responses())
    others = [other for other in others if other.path.resolve() != target.path.resolve()]
    for other in others:
        _same(other.path, other.manifest(), manifest, "leave this folder out")
    with Log(target) as log:
        for other in others:
            for prompt, response in other.responses().items():
                old = known.get(prompt)
                if old is None or (failed(old) and not failed(response)):
                    log.append(response)
                    known[prompt] = response
                elif old != response and not failed(response):
                    raise StoreError(
                        f"{other.path}: answers prompt {prompt} otherwise than {target.path}; "
                        "leave one of the two folders out"
                    )


def check_writable(path: Path) -> None:
    """Refuse a folder that cannot be written, or not made where it is to be; nothing is left.

    Raises
    ------
    StoreError
        With the reason.
    """
    with writing(path):
        there = next(place for place in (path, *path.parents, Path()) if place.exists())
        with tempfile.TemporaryFile(dir=there, prefix="."):
            pass


class writing:
    """Turn an operating-system refusal to write into a `StoreError` that says what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            advice = {
                errno.ENOSPC: "the disk is full; free some space and give the same command again",
                errno.EACCES: "not writable; make it writable, or use another folder",
                errno.EROFS: "not writable; make it writable, or use another folder",
                errno.ENOTDIR: "a file stands where a folder is needed; give another --out",
                errno.EEXIST: "a file stands where a folder is needed; give another --out",
            }.get(error.errno or 0, f"cannot be written: {error.strerror or error}")
            raise StoreError(f"{self.path}: {advice}") from error


def _same(path: Path, kept: Record, asked: Record, advice: str) -> None:
    """Refuse to mix runs."""
    for name, old, new in (
        ("design", kept["design"]["hash"], asked["design"]["hash"]),
        ("model fingerprint", kept["model"]["fingerprint"], asked["model"]["fingerprint"]),
        ("policy", kept["policy"]["hash"], asked["policy"]["hash"]),
    ):
        if old != new:
            raise StoreError(
                f"{path}: holds a run of another {name} ({old[:8]}, not {new[:8]}); {advice}"
            )
