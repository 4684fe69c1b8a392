"""One version of a comparison, its results, and the cells it shares with the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from harness import added, analysis, audits, columns, kinds, seal, stats
from harness.analysis.cells import Answers, Cells, Family, ProbeKey, alike, families, join
from harness.columns import Floats
from harness.design import Design
from harness.nouns import Record
from harness.policy import Policy
from harness.responses import Responses
from harness.scorers import SCORERS
from harness.scorers.scorer import Scorer
from harness.store import EFFECTS, SCORES, RunFolder


@dataclass(frozen=True)
class Side:
    """One version of the comparison: a finished run, or what of it is shared with the other."""

    folder: RunFolder
    manifest: Record
    design: Design
    scores: pa.Table
    responses: Responses
    whole: bool = True

    def results(self, rules: Policy) -> Record:
        """Effects under these rules: those on disk where they are of this very data and policy."""
        if self.whole and self.manifest["policy"]["hash"] == rules.hash:
            return self.folder.read_json(EFFECTS)
        return analysis.analyse(self.design, self.scores, rules, self.table)

    @property
    def table(self) -> Mapping[str, Scorer]:
        """The scorers of its texts by name, those that were added to it too."""
        return {**SCORERS, **added.table(self.manifest)}

    def measured_by(self, name: str) -> Record | None:
        """What gave its texts their numbers of this name; None where nothing did."""
        return audits.identity_of(self.folder, name)

    def only(self, keep: frozenset[str]) -> Side:
        """The side with these prompts alone."""
        kept = self.design.only(np.array([name in keep for name in self.design.by_id], bool))
        return replace(self, design=kept, whole=len(kept) == len(self.design))

    @cached_property
    def status(self) -> Mapping[str, str]:
        """How the answer to every prompt ended."""
        prompts, statuses = (self.scores[name].to_pylist() for name in ("prompt", "status"))
        return dict(zip(prompts, statuses, strict=True))

    @cached_property
    def families(self) -> dict[Family, Answers]:
        """Only those in which groups should be treated alike, as in `effects.json`."""
        answers = join(self.design, self.scores)
        return families(answers.take(alike(self.design)[answers.prompts]))

    @property
    def record(self) -> Record:
        model = self.manifest["model"]
        return {
            "run": str(self.folder.path), "date": self.manifest["finished"],
            "model": {key: model[key] for key in ("name", "family", "version", "licence")},
            "fingerprint": model["fingerprint"], "design": self.manifest["design"]["hash"],
            "suite": self.manifest["suite"],
        }  # fmt: skip


class Results:
    """An `effects.json` by family and group."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._effects = {
            (*key_of(e, Family), e["endpoint"], e["group"]): e
            for e in (*results["secondary"], *results["effects"])
        }
        self._verdicts = {key_of(axis, Family): axis["verdict"] for axis in results["axes"]}
        self._faults: dict[tuple[str, ...], list[str]] = {
            key_of(probe, ProbeKey): probe["faults"] for probe in results["probes"]
        }

    def effect(self, family: Family, endpoint: str, group: str) -> Record | None:
        found = self._effects.get((*family, endpoint, group))
        return found and {name: found[name] for name in ("estimate", "low", "high", "verdict")}

    def verdict(self, family: Family) -> str | None:
        return self._verdicts.get(tuple(family))

    def faults(self, family: Family) -> Sequence[str]:
        """What of the probe's own controls does not hold."""
        return self._faults.get(tuple(family.parent), [])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A number whose change is looked at: its name, unit and limits, its margin and d."""

    name: str
    unit: str
    range: tuple[float, float]
    margin: float
    d: float


def outcome(family: Family, rules: Policy) -> Endpoint:
    """The outcome of a family's task kind."""
    kind, of = kinds.KINDS[family.kind], (family.kind, family.axis)
    return Endpoint(
        kind.OUTCOME, kind.UNIT, kind.RANGE, rules.margin(*of), rules.allowed_change(*of)
    )


def scored(family: Family, rules: Policy, name: str, scorer: Scorer) -> Endpoint:
    """What a scorer says of a family's texts; margin and d are shares of its span."""
    of = ("scores", family.axis)
    margin, d = (scorer.span * share for share in (rules.margin(*of), rules.allowed_change(*of)))
    return Endpoint(name, scorer.unit, scorer.range, margin, d)


def key_of(row: Mapping[str, Any], of: type[Family] | type[ProbeKey]) -> tuple[str, ...]:
    return tuple(row[name] for name in of._fields)


def load(folder: RunFolder) -> Side:
    """A finished run whose files are what they were.

    Raises
    ------
    InputError
        The run is unfinished, lacks a file, or was changed.
    """
    manifest = seal.checked(folder)
    return Side(
        folder, manifest, folder.design(), columns.read_scores(folder.path / SCORES),
        folder.responses(),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Both:
    """One family's cells in both versions, row by row the same scenario, column the group."""

    scenarios: tuple[str, ...]
    groups: tuple[str, ...]
    old: Cells
    new: Cells

    @property
    def change(self) -> Floats:
        """Contrast of the new version minus that of the old one: (scenarios, groups)."""
        return np.asarray(stats.contrasts(self.new.mean - self.old.mean), dtype=np.float64)


def aligned(old: Cells, new: Cells) -> Both:
    """The scenarios and groups of both, in the new one's order."""
    scenarios = [s for s in new.scenarios if s in set(old.scenarios)]
    groups = [g for g in new.groups if g in set(old.groups)]
    return Both(
        tuple(scenarios), tuple(groups), _taken(old, scenarios, groups),
        _taken(new, scenarios, groups),
    )  # fmt: skip


def _taken(of: Cells, scenarios: Sequence[str], groups: Sequence[str]) -> Cells:
    rows = {name: i for i, name in enumerate(of.scenarios)}
    columns = {name: k for k, name in enumerate(of.groups)}
    place = np.ix_([rows[s] for s in scenarios], [columns[g] for g in groups])
    return replace(
        of, scenarios=tuple(scenarios), groups=tuple(groups), mean=of.mean[place],
        asked=of.asked[place], answered=of.answered[place],
    )  # fmt: skip
