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

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from harness.design import Design
from harness.errors import InputError, StoreError
from harness.nouns import Arm, Finish, Message, Option, Prompt, Record, Response

MANIFEST, DESIGN = "manifest.json", "design.parquet"
RESPONSES, SCORES, EFFECTS, REPORT = (
    "responses.parquet", "scores.parquet", "effects.json", "report.html",
)  # fmt: skip
LOG = re.compile(r"^responses(-\d+-of-\d+)?\.jsonl$")
SCHEMA = 1


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
            _same(self.path, kept, manifest)
            return kept
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()) and not (self.path / DESIGN).exists():
                raise StoreError(f"{self.path}: not empty and not a run folder; give another --out")
            self.write_table(DESIGN, _design_table(design))
            self.write_json(MANIFEST, manifest)
        return manifest

    def update(self, changes: Mapping[str, Any]) -> Record:
        """Write the manifest again with these entries changed."""
        manifest = {**self.manifest(), **changes}
        self.write_json(MANIFEST, manifest)
        return manifest

    # -- files ---------------------------------------------------------------------------------

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Write a whole file so that a reader sees the old one or the new one, never a half."""
        path, half = self.path / name, self.path / f".{name}.{os.getpid()}"
        with writing(self.path):
            try:
                with half.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                half.replace(path)
            finally:
                half.unlink(missing_ok=True)
        return path

    def write_json(self, name: str, value: object) -> Path:
        return self.write_bytes(name, orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")

    def write_table(self, name: str, table: pa.Table) -> Path:
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, compression="zstd")
        return self.write_bytes(name, buffer.getvalue().to_pybytes())

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
        """The design as it was asked."""
        path = self.path / DESIGN
        try:
            rows = pq.read_table(path).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        return Design(tuple(_prompt(row) for row in rows))

    def logs(self) -> list[Path]:
        """The response logs, slices in the order of their names."""
        if not self.path.is_dir():
            return []
        return sorted(path for path in self.path.iterdir() if LOG.match(path.name))

    def responses(self) -> dict[str, Response]:
        """The last response of every prompt that has one."""
        found: dict[str, Response] = {}
        path = self.path / RESPONSES
        if path.exists():
            try:
                rows = pq.read_table(path).to_pylist()
            except (OSError, pa.ArrowException) as error:
                raise InputError(f"{path}: cannot be read: {error}") from error
            found.update((row["prompt"], _response(row)) for row in rows)
        for log in self.logs():
            for record in read_log(log):
                found[record["prompt"]] = _response(record)
        return found

    def compact(self, design: Design, responses: Mapping[str, Response]) -> None:
        """All responses into one Parquet file, in design order; then drop the logs."""
        rows = [_record(responses[p.id]) for p in design.prompts if p.id in responses]
        for row in rows:
            row["logprobs"] = None if row["logprobs"] is None else list(row["logprobs"].items())
        self.write_table(RESPONSES, pa.Table.from_pylist(rows, schema=_RESPONSE_SCHEMA))
        for log in self.logs():
            log.unlink()

    def remove(self) -> None:
        """Delete the run's files, and nothing that is not the run's."""
        for path in (*self.logs(), *(self.path / n for n in (
            MANIFEST, DESIGN, RESPONSES, SCORES, EFFECTS, REPORT,
        ))):  # fmt: skip
            path.unlink(missing_ok=True)


class Log:
    """The append-only log of one run or slice, locked while it is open.

    Raises
    ------
    StoreError
        Another process writes it, or the folder cannot be written.
    """

    def __init__(self, folder: RunFolder, shard: tuple[int, int] | None = None) -> None:
        name = f"responses-{shard[0]}-of-{shard[1]}.jsonl" if shard else "responses.jsonl"
        self.path = folder.path / name
        with writing(folder.path):
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise StoreError(f"{self.path}: another process is writing this run") from error
        self._mend()

    def append(self, response: Response) -> None:
        """One line, one write."""
        line = orjson.dumps(_record(response)) + b"\n"
        with writing(self.path):
            written = os.write(self._file, line)
            if written != len(line):  # a disk that filled up in the middle of a line
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


def read_log(path: Path) -> Iterator[Record]:
    """The whole records of a log, in the order they were written."""
    with path.open("rb") as file:
        for line in file:
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # torn by a kill; its prompt is asked again
            if isinstance(record, dict) and "prompt" in record and "finish" in record:
                yield record


def pending(
    blocks: Sequence[Sequence[Prompt]], responses: Mapping[str, Response], *, whole: bool
) -> list[list[Prompt]]:
    """What is still to be asked of every block: a failed prompt is asked again.

    With `whole`, an unfinished block is asked again whole: batches are formed within it.
    """

    def settled(prompt: Prompt) -> bool:
        response = responses.get(prompt.id)
        return response is not None and (response.finish is not Finish.ERROR or response.truncated)

    still = []
    for block in blocks:
        missing = [prompt for prompt in block if not settled(prompt)]
        if missing:
            still.append(list(block) if whole else missing)
    return still


def merge(target: RunFolder, others: Iterable[RunFolder]) -> None:
    """Copy the slices of other folders of the same run into `target`.

    Raises
    ------
    StoreError
        A folder holds another design, model or policy, or two hold different logs of one name.
    """
    manifest = target.manifest()
    for other in others:
        if other.path.resolve() == target.path.resolve():
            continue
        _same(other.path, other.manifest(), manifest)
        for log in other.logs():
            place = target.path / log.name
            if place.exists() and place.read_bytes() != log.read_bytes():
                raise StoreError(
                    f"{log}: {place} holds another log of this slice; keep one of the two"
                )
            with writing(target.path):
                shutil.copyfile(log, place)


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
                errno.EACCES: "not writable; give another folder with --out",
                errno.EROFS: "not writable; give another folder with --out",
                errno.ENOTDIR: "a file stands where a folder is needed; give another --out",
                errno.EEXIST: "a file stands where a folder is needed; give another --out",
            }.get(error.errno or 0, f"cannot be written: {error.strerror or error}")
            raise StoreError(f"{self.path}: {advice}") from error


def _same(path: Path, kept: Record, asked: Record) -> None:
    """Refuse to mix runs."""
    for name, old, new in (
        ("design", kept["design"]["hash"], asked["design"]["hash"]),
        ("model fingerprint", kept["model"]["fingerprint"], asked["model"]["fingerprint"]),
        ("policy", kept["policy"]["hash"], asked["policy"]["hash"]),
    ):
        if old != new:
            raise StoreError(
                f"{path}: holds a run of another {name} ({old[:8]}, not {new[:8]}); "
                "give another --out, or --fresh to start anew here"
            )


# -- rows and records --------------------------------------------------------------------------

_RESPONSE_SCHEMA = pa.schema(
    [
        ("prompt", pa.string()),
        ("finish", pa.string()),
        ("text", pa.string()),
        ("logprobs", pa.map_(pa.string(), pa.float64())),
        ("absent_below", pa.float64()),
        ("detail", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("truncated", pa.bool_()),
    ]
)


def _record(response: Response) -> Record:
    record = {name: getattr(response, name) for name in _RESPONSE_SCHEMA.names}
    for name in ("text", "detail"):  # a lone surrogate is no UTF-8: keep the answer, mark the spot
        if record[name] is not None:
            record[name] = record[name].encode("utf-8", "replace").decode()
    return record


def _response(record: Record) -> Response:
    logprobs = record.get("logprobs")
    return Response(
        **{**{name: record[name] for name in _RESPONSE_SCHEMA.names if name in record},
           "finish": Finish(record["finish"]),
           "logprobs": None if logprobs is None else dict(logprobs)}
    )  # fmt: skip


def _design_table(design: Design) -> pa.Table:
    rows = []
    for prompt in design.prompts:
        row = asdict(prompt)
        row["messages"] = orjson.dumps(row["messages"]).decode()
        row["options"] = orjson.dumps(row["options"]).decode()
        rows.append(row)
    return pa.Table.from_pylist(rows)


def _prompt(row: Record) -> Prompt:
    return Prompt(
        **{**row,
           "arm": Arm(row["arm"]),
           "messages": tuple(Message(**m) for m in orjson.loads(row["messages"])),
           "options": tuple(
               Option(o["name"], tuple(o["spellings"])) for o in orjson.loads(row["options"])
           ),
           "cue_words": tuple(row["cue_words"])}
    )  # fmt: skip
