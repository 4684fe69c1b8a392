"""What is asked: probes (a task kind and its scenarios) and suites (lists of probes)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.documents import Document, Part, Slug, read
from harness.errors import InputError, unknown

SLOT = re.compile(r"\{([^{}]*)\}")
Relevance = Literal["irrelevant", "lawful_difference"]


class Edit(Part):
    """A replacement of one piece of a scenario's words by others."""

    replace: Annotated[str, Field(min_length=1)]
    by: Annotated[str, Field(alias="with")]


class Scenario(Part):
    """One situation: everything in a prompt but the cue. The statistical unit."""

    id: Slug
    domain: Literal[
        "work", "housing", "credit", "insurance", "health",
        "education", "justice", "public", "social",
    ]  # fmt: skip
    position: Literal["early", "late"]
    favourable: Literal["yes", "no"]
    case: Annotated[str, Field(min_length=1)]
    question: Annotated[str, Field(min_length=1)]
    paraphrase: Edit
    disqualify: Edit
    relevance: Relevance | None = None
    source: str | None = None

    def edited(self, edit: Edit) -> Scenario:
        """This scenario with the edit's words replaced in its case and question."""
        return self.model_copy(
            update={
                name: getattr(self, name).replace(edit.replace, edit.by)
                for name in ("case", "question")
            }
        )


class Probe(Document):
    """A task kind, its scenarios, and the axes it crosses them with."""

    name: Slug
    version: Annotated[int, Field(ge=1)]
    kind: Literal["decision"]
    licence: str
    cue: Literal["explicit"] = "explicit"
    role: Literal["subject", "user"] = "subject"
    axes: Annotated[list[Slug], Field(min_length=1)]
    relevance: Relevance
    source: str
    scenarios: dict[str, Annotated[list[Scenario], Field(min_length=1)]]


class Suite(Document):
    """Probes asked together, the languages, and which groups of every axis they cross."""

    name: Slug
    version: Annotated[int, Field(ge=1)]
    note: str = ""
    languages: Annotated[list[str], Field(min_length=1)]
    probes: Annotated[list[Slug], Field(min_length=1)]
    groups: Annotated[dict[str, Annotated[list[Slug], Field(min_length=2)]], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Library:
    """Every probe and suite of one folder."""

    probes: Mapping[str, Path]
    suites: Mapping[str, Path]

    def probe(self, name: str, *, where: str = "") -> Probe:
        if name not in self.probes:
            raise unknown("probe", name, self.probes, where=where)
        probe = read(self.probes[name], Probe)
        check(probe)
        return probe

    def suite(self, name: str) -> Suite:
        if name not in self.suites:
            raise unknown("suite", name, self.suites)
        suite = read(self.suites[name], Suite)
        if suite.name != suite.file.stem:
            raise InputError(
                f"{suite.place('name')}: suite '{suite.name}' must stand in its own file"
            )
        for key, names in (
            (("languages",), suite.languages), (("probes",), suite.probes),
            *((("groups", axis), groups) for axis, groups in suite.groups.items()),
        ):  # fmt: skip
            for i, item in enumerate(names):
                if item in names[:i]:
                    raise InputError(f"{suite.place(*key, i)}: '{item}' stands twice")
        return suite


def library(folder: Path) -> Library:
    """The probes (`folder`/*.yaml) and suites (`folder`/suites/*.yaml), by file name."""
    return Library(
        probes={path.stem: path for path in sorted(folder.glob("*.yaml"))},
        suites={path.stem: path for path in sorted((folder / "suites").glob("*.yaml"))},
    )


def check(probe: Probe) -> None:
    """Refuse a probe whose scenarios cannot be asked.

    Raises
    ------
    InputError
        With file and line: ids that stand twice, a missing or second cue slot, an edit whose
        words do not occur exactly once.
    """
    if probe.name != probe.file.stem:
        raise InputError(f"{probe.place('name')}: probe '{probe.name}' must stand in its own file")
    for language, scenarios in probe.scenarios.items():
        seen: dict[str, int] = {}
        for i, scenario in enumerate(scenarios):
            at = ("scenarios", language, i)
            if scenario.id in seen:
                raise InputError(
                    f"{probe.place(*at, 'id')}: scenario id '{scenario.id}' stands twice"
                )
            seen[scenario.id] = i
            _check_slots(probe, scenario, at)
            _check_edits(probe, scenario, at)


def _check_slots(probe: Probe, scenario: Scenario, at: tuple[str | int, ...]) -> None:
    text = f"{scenario.case} {scenario.question}"
    where = probe.place(*at, "case")
    slots = SLOT.findall(text)
    if len(slots) != 1:
        raise InputError(
            f"{where}: scenario '{scenario.id}' has {len(slots)} cue slots, needs exactly one "
            "of the form {noun}, {Noun} or {is}"
        )
    if "{" in SLOT.sub("", text) or "}" in SLOT.sub("", text):
        raise InputError(f"{where}: scenario '{scenario.id}' has a stray brace")
    if re.search(r"\s\s", text):
        raise InputError(f"{where}: scenario '{scenario.id}' has a double space or a line break")


def _check_edits(probe: Probe, scenario: Scenario, at: tuple[str | int, ...]) -> None:
    slots = SLOT.findall(f"{scenario.case} {scenario.question}")
    for name, edit in (("paraphrase", scenario.paraphrase), ("disqualify", scenario.disqualify)):
        where = probe.place(*at, name)
        found = scenario.case.count(edit.replace) + scenario.question.count(edit.replace)
        if found != 1:
            raise InputError(
                f"{where}: the words of '{name}.replace' occur {found} times in scenario "
                f"'{scenario.id}', must occur exactly once"
            )
        after = scenario.edited(edit)
        if SLOT.findall(f"{after.case} {after.question}") != slots:
            raise InputError(f"{where}: '{name}' must leave the cue slot alone")
        if edit.by == edit.replace:
            raise InputError(f"{where}: '{name}' changes nothing")
