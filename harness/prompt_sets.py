"""A probe made from a data set: a small mapping says which column is which key of a scenario.

`datasets` does the reading: a CSV, JSON or Parquet file, or a Hub data set at a pinned commit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from harness.documents import Document, Part, Slug, encoding, read, read_text, separator
from harness.errors import InputError, unknown
from harness.kinds import KINDS
from harness.kinds.parts.scenario import Placer, Relevance, Scenario
from harness.nouns import Record
from harness.probes import Cue, check, parse_probe

BUILDERS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}

SHOWN = 3
"""Rows that make no scenario of which it is said why."""


class Hub(Part):
    """A data set of the Hugging Face Hub at one commit."""

    id: Annotated[str, Field(min_length=1)]
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    config: str | None = None


class Source(Part):
    """Where the rows come from: a file beside the mapping, or the Hub."""

    file: str | None = None
    hub: Hub | None = None
    split: str = "train"

    @model_validator(mode="after")
    def _one(self) -> Source:
        if (self.file is None) == (self.hub is None):
            raise ValueError("name one of file and hub")
        return self

    @property
    def name(self) -> str:
        return self.file or (self.hub.id if self.hub else "")


class PromptSet(Document):
    """What a probe of this data set says of itself, and where its scenarios' keys come from.

    `columns` gives for a key of the scenario the column that holds it, `fixed` a value that all
    rows share; a key inside another is written with a dot (`paraphrase.with`). `slots` says which
    words of the texts stand for the person, and the form they become.
    """

    name: Slug
    version: Annotated[int, Field(ge=1)]
    kind: str
    licence: str
    cue: Cue = "explicit"
    axes: Annotated[list[Slug], Field(min_length=1)]
    relevance: Relevance
    source: str
    language: str
    dataset: Source
    columns: Annotated[dict[str, str], Field(min_length=1)]
    fixed: dict[str, str] = Field(default_factory=dict)
    slots: dict[str, str] = Field(default_factory=dict)


def import_probe(mapping: Path, out: Path) -> int:
    """Make the probe that a mapping describes and write it to `out`; how many scenarios it has.

    Raises
    ------
    InputError
        The mapping is malformed, the data set cannot be read or lacks a column, rows make no
        scenario, or `out` exists or has not the probe's name. Nothing is written then.
    """
    described = read(mapping, PromptSet)
    if described.kind not in KINDS:
        raise unknown("task kind", described.kind, KINDS, where=described.place("kind"))
    _check_keys(described)
    if out.name != f"{described.name}.yaml":
        raise InputError(
            f"--out {out}: probe '{described.name}' must stand in {described.name}.yaml"
        )
    if out.exists():
        raise InputError(f"--out {out}: exists already; remove it or raise the version elsewhere")
    scenarios = _scenarios(described, _rows(described))
    keep = ("name", "version", "kind", "licence", "cue", "axes", "relevance", "source")
    record = {key: getattr(described, key) for key in keep}
    text = yaml.safe_dump(
        {**record, "scenarios": {described.language: scenarios}},
        allow_unicode=True, sort_keys=False, width=10_000,
    )  # fmt: skip
    check(parse_probe(text, out))
    out.write_text(text, encoding="utf-8")
    return len(scenarios)


def keys(kind: str) -> dict[str, bool]:
    """The keys of a kind's scenario, a part's written with a dot, and whether each is required."""
    return dict(_keys(KINDS[kind].Scenario, "", True))


def _keys(shape: type[Part], before: str, needed: bool) -> Iterator[tuple[str, bool]]:
    for name, field in shape.model_fields.items():
        required = needed and field.is_required()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Part):
            yield from _keys(field.annotation, f"{before}{name}.", required)
        else:
            yield before + (field.alias or name), required


def _check_keys(described: PromptSet) -> None:
    """Refuse keys that the kind does not have, stand twice, or are lacking."""
    known = keys(described.kind)
    for place, part in (("columns", described.columns), ("fixed", described.fixed)):
        for key in part:
            if key not in known:
                raise unknown("key", key, known, where=described.place(place, key),
                              of=f"a scenario of kind '{described.kind}'")  # fmt: skip
            if place == "fixed" and key in described.columns:
                raise InputError(f"{described.place(place, key)}: '{key}' has a column already")
    known["id"] = False  # rows are numbered otherwise
    given = {**described.columns, **described.fixed}
    if lacking := [key for key, required in known.items() if required and key not in given]:
        raise InputError(
            f"{described.place('columns')}: no column and no fixed value for {', '.join(lacking)}"
        )


def _rows(described: PromptSet) -> Sequence[Record]:
    """The mapped columns of every row.

    Raises
    ------
    InputError
        The data set cannot be read, is empty, or lacks a column.
    """
    import datasets

    source, where = described.dataset, described.place("dataset")
    bars = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        with tempfile.TemporaryDirectory(prefix="bias-harness-") as cache:
            table = _load(described, cache)
            there = table.column_names
            for key, column in described.columns.items():
                if column not in there:
                    of = f"{source.name} (it has {', '.join(there)})"
                    raise unknown("column", column, there, where=described.place("columns", key),
                                  of=of)  # fmt: skip
            rows = [dict(row) for row in table.select_columns(list({*described.columns.values()}))]
    except (datasets.exceptions.DatasetsError, OSError, ValueError) as error:
        cause = error.__cause__ or error
        said = str(cause).strip().splitlines() or [type(cause).__name__]
        raise InputError(f"{where}: {source.name} cannot be read: {said[0]}") from error
    finally:
        if bars:
            datasets.enable_progress_bars()
    if not rows:
        raise InputError(f"{where}: {source.name} has no rows")
    return rows


def _load(described: PromptSet, cache: str) -> Any:
    import datasets

    source = described.dataset
    if source.hub is not None:
        return datasets.load_dataset(
            source.hub.id, source.hub.config, revision=source.hub.revision, split=source.split
        )
    path = described.file.parent / str(source.file)
    if path.suffix not in BUILDERS:
        raise InputError(
            f"{described.place('dataset', 'file')}: '{path.name}' is none of {', '.join(BUILDERS)}"
        )
    if not path.is_file():
        raise InputError(f"{described.place('dataset', 'file')}: no file '{path}'")
    options = {}
    if path.suffix == ".csv":
        options = {"keep_default_na": False, "sep": separator(read_text(path)),
                   "encoding": encoding(path)}  # fmt: skip
    return datasets.load_dataset(
        BUILDERS[path.suffix], data_files=str(path), split=source.split, cache_dir=cache,
        keep_in_memory=True, **options,
    )  # fmt: skip


def _scenarios(described: PromptSet, rows: Sequence[Record]) -> list[Record]:
    """Every row as a checked scenario.

    Raises
    ------
    InputError
        How many rows make none, and why the first of them do not.
    """
    name = described.dataset.name
    found, faults = [], []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(_scenario(described, row, f"{name} row {number}", number))
        except InputError as error:
            faults.append(f"  {error}")
    if faults:
        more = len(faults) - SHOWN
        shown = faults[:SHOWN] + ([f"  and {more} more"] if more > 0 else [])
        raise InputError(
            f"{name}: {len(faults)} of {len(rows)} rows make no scenario, and nothing is written; "
            "mend them, or give a file without them:\n" + "\n".join(shown)
        )
    return found


class _Row:
    """A row as a place in messages."""

    def __init__(self, name: str, columns: dict[str, str]) -> None:
        self._name, self._columns = name, columns

    def place(self, *key: str | int) -> str:
        column = self._columns.get(".".join(map(str, key)))
        return self._name + (f", column '{column}'" if column else "")


def _scenario(described: PromptSet, row: Record, name: str, number: int) -> Record:
    """One row as a checked scenario, ready to be written."""
    where = _Row(name, described.columns)
    values: Record = {"id": f"row-{number}"}
    given = {**described.fixed, **{key: row[column] for key, column in described.columns.items()}}
    for key, value in given.items():
        if value is None or str(value).strip() == "":
            raise InputError(f"{where.place(key)}: nothing stands here for '{key}'")
        text = str(value)
        for words, slot in described.slots.items():
            text = text.replace(words, slot)
        part = values
        *outer, last = key.split(".")
        for step in outer:
            part = part.setdefault(step, {})
        part[last] = text
    try:
        scenario: Scenario = KINDS[described.kind].Scenario.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(map(str, fault["loc"]))
        raise InputError(
            f"{where.place(key)}: '{key}': {fault['msg']}, got {fault['input']!r}"
        ) from error
    scenario.check(Placer(where))
    return values
