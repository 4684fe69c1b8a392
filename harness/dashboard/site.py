"""Which pages the site has, and the folder they are written to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness import compare, gate, ledger, report, seal
from harness.compare import Side
from harness.dashboard import comparison, overview
from harness.errors import HarnessError, InputError
from harness.nouns import Record
from harness.store import EFFECTS, MANIFEST, RunFolder, writing

INDEX, RUNS, COMPARISONS = "index.html", "runs", "comparisons"
GATE = "gate"
MARK = b'<meta name="generator" content="bias-harness">'
BEFORE = 5
"""A version is compared with this many versions before it on its design, and with the first."""


@dataclass
class Site:
    """The pages of a site by their path in it, made anew only where what they show changed.

    `ledger` and `runs` are folders. A run that cannot be shown is named with its reason on the
    overview page, never left out in silence.
    """

    ledger: Path
    runs: Path
    pages: dict[str, bytes] = field(default_factory=dict)
    _made_of: dict[str, str] = field(default_factory=dict)
    _found: dict[str, Record] = field(default_factory=dict)
    _decided: Record | str | None = None

    def stamp(self) -> str:
        """Changes when a record of the ledger does, or a run's manifest, labels or audits."""
        runs = sorted(self.runs.glob(f"*/{MANIFEST}"))
        later = [path for run in runs for path in report.later(RunFolder(run.parent))]
        seen = _states([*sorted(self.ledger.glob("*.json")), *runs, *later])
        return hashlib.sha256(seen.encode()).hexdigest()

    def build(self) -> None:
        """Make every page.

        Raises
        ------
        InputError
            A record of the ledger was edited or cannot be read.
        """
        records = ledger.read(self.ledger)
        folders, left_out = self._folders(records)
        pages: dict[str, bytes] = {}
        for record in list(records):
            name = stem(record)
            if name in folders:
                try:
                    pages[f"{RUNS}/{name}.html"] = self._run_page(name, folders[name])
                except HarnessError as error:
                    left_out.append((name, str(error)))
                    del folders[name]
        found = {}
        sides: dict[str, Side] = {}
        for old, new in pairs([r for r in records if stem(r) in folders]):
            path = f"{COMPARISONS}/{pair_name(old, new)}.html"
            key = f"{old['hash']} {new['hash']}"
            try:
                if self._made_of.get(path) != key:
                    for record in (old, new):
                        if stem(record) not in sides:
                            sides[stem(record)] = compare.load(folders[stem(record)])
                    pair = compare.pair(sides[stem(old)], sides[stem(new)])
                    self.pages[path] = comparison.render(pair).encode("utf-8")
                    self._found[path] = {**pair, "sets": [], "effects": []}
                    self._made_of[path] = key
            except HarnessError as error:
                left_out.append((f"{stem(old)} → {stem(new)}", str(error)))
                continue
            pages[path] = self.pages[path]
            found[stem(old), stem(new)] = overview.Pair(path, self._found[path])
        decision = self._decision(records, folders, found)
        index = overview.render(records, set(folders), found, left_out, decision)
        pages[INDEX] = index.encode("utf-8")
        self.pages = pages

    def _decision(
        self, records: Sequence[Record], folders: Mapping[str, RunFolder], found: overview.Pairs
    ) -> Record | str | None:
        """The gate's on the newest run, against the version of its family before it; or why there
        is none."""
        if not records or stem(records[-1]) not in folders:
            return None
        newest = records[-1]
        earlier = [old for old in records if (stem(old), stem(newest)) in found
                   and old["model"]["family"] == newest["model"]["family"]]  # fmt: skip
        baseline = folders[stem(earlier[-1])] if earlier else None
        today = datetime.now(UTC).date()
        key = f"{today} {len(records)} {newest['hash']} {earlier and earlier[-1]['hash']}"
        if self._made_of.get(GATE) != key:
            try:
                self._decided = gate.gate(folders[stem(newest)], baseline=baseline,
                                          records=self.ledger, today=today)  # fmt: skip
            except HarnessError as error:
                self._decided = str(error)
            self._made_of[GATE] = key
        return self._decided

    def _folders(self, records: Sequence[Record]) -> tuple[dict[str, RunFolder], list[Left]]:
        """The folder of every record whose run lies here, and what lies here without a record."""
        known = {ledger.name_of(record): record for record in records}
        folders: dict[str, RunFolder] = {}
        left_out: list[Left] = []
        for path in sorted(p.parent for p in self.runs.glob(f"*/{MANIFEST}")):
            folder = RunFolder(path)
            try:
                manifest = seal.checked(folder)
                name = ledger.name_of(ledger.entry(manifest, folder.read_json(EFFECTS), path.name))
                record = known.get(name)
                if record is None or record["date"] != manifest["finished"]:
                    raise InputError(
                        f"{path}: not in the ledger as it is; give `bias-harness import {path}`"
                    )
                folders.setdefault(name.removesuffix(".json"), folder)
            except HarnessError as error:
                left_out.append((path.name, str(error)))
        return folders, left_out

    def _run_page(self, name: str, folder: RunFolder) -> bytes:
        """The report of a run, with a way back to the overview."""
        manifest, path = folder.manifest(), f"{RUNS}/{name}.html"
        key = f"{manifest['finished']} {manifest['files']} {_states(report.later(folder))}"
        if self._made_of.get(path) != key:
            page = report.of_run(folder, home=f"../{INDEX}#overview")
            self.pages[path] = page.encode("utf-8")
            self._made_of[path] = key
        return self.pages[path]


def _states(paths: Sequence[Path]) -> str:
    """What tells whether any of the files changed."""
    seen = []
    for path in paths:
        with suppress(FileNotFoundError):
            state = path.stat()
            seen.append(f"{path} {state.st_mtime_ns} {state.st_size}")
    return "\n".join(seen)


Left = tuple[str, str]
"""A run or pair that is not shown, and why."""


def stem(record: Record) -> str:
    """The name of a run's page."""
    return ledger.name_of(record).removesuffix(".json")


def pair_name(old: Record, new: Record) -> str:
    marks = (new["design"], old["fingerprint"], new["fingerprint"], old["hash"], new["hash"])
    return "-".join(mark[:8] for mark in marks)


def pairs(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    """Which versions are compared: those of one design, the older one first.

    Each with the `BEFORE` versions before it and with the first, so that the number of pages
    grows with the number of versions, not with its square.
    """
    designs: dict[str, list[Record]] = {}
    for record in records:
        designs.setdefault(record["design"], []).append(record)
    for versions in designs.values():
        for i, new in enumerate(versions):
            for j in sorted({0, *range(max(0, i - BEFORE), i)} - {i}):
                if versions[j]["fingerprint"] != new["fingerprint"]:
                    yield versions[j], new


def write(site: Site, out: Path) -> list[Path]:
    """Write the pages of a built site to the folder `out`; pages it no longer has are removed.

    Raises
    ------
    InputError
        `out` holds something that is no dashboard; it is left as it is.
    StoreError
        It cannot be written.
    """
    index = out / INDEX
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: a file stands there; give another folder")
    if out.is_dir() and any(out.iterdir()) and not (index.is_file() and _ours(index)):
        raise InputError(f"--out {out}: not empty and no dashboard; give another folder")
    written = []
    for path, page in sorted(site.pages.items(), reverse=True):  # the index last but one
        place = out / path
        with writing(place.parent):
            place.parent.mkdir(parents=True, exist_ok=True)
        written.append(RunFolder(place.parent).write_bytes(place.name, page))
    for old in [*out.glob(f"{RUNS}/*.html"), *out.glob(f"{COMPARISONS}/*.html")]:
        if old.relative_to(out).as_posix() not in site.pages and _ours(old):
            old.unlink()
    return written


def _ours(path: Path) -> bool:
    with path.open("rb") as file:
        return MARK in file.read(4096)
