"""What is asked: probes (a task kind and its scenarios) and suites (lists of probes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SerializeAsAny, create_model

from harness.documents import Document, Part, Slug, Tree, read_text, tree
from harness.errors import InputError, unknown
from harness.kinds import KINDS
from harness.kinds.parts.scenario import Placer, Relevance, Scenario

Cue = Literal["explicit", "implicit"]
Pair = Annotated[list[Slug], Field(min_length=2, max_length=2)]


def _some(value: object) -> object:
    if not isinstance(value, list) or len(value) < 2:
        raise ValueError("needs a list of at least two groups to compare")
    return value


def _some_or_all(value: object) -> object:
    if value != "all" and not isinstance(value, list):
        raise ValueError("needs a list of groups, or the word all")
    if isinstance(value, list) and len(value) < 2:
        raise ValueError("needs at least two groups to compare, or the word all")
    return value


Listed = Annotated[list[Slug], Field(min_length=2)]
Groups = Annotated[Listed | Literal["all"], BeforeValidator(_some_or_all)]
Some = Annotated[list[Slug], BeforeValidator(_some)]


class Probe(Document):
    """A task kind, its scenarios, and the axes it crosses them with."""

    name: Slug
    version: Annotated[int, Field(ge=1)]
    kind: str
    licence: str
    cue: Cue = "explicit"
    role: Literal["subject", "user"] = "subject"
    axes: Annotated[list[Slug], Field(min_length=1)]
    relevance: Relevance
    source: str
    scenarios: dict[str, Annotated[list[SerializeAsAny[Scenario]], Field(min_length=1)]]


class _Kind(Document):
    """Only enough of a probe to know what shape its scenarios have."""

    model_config: ClassVar[ConfigDict] = {**Document.model_config, "extra": "ignore"}
    kind: str | None = None


class Fewer(Part):
    """Probes that ask about fewer of a suite's groups, on the axes named here."""

    probes: Annotated[list[Slug], Field(min_length=1)]
    groups: Annotated[dict[str, dict[str, Some]], Field(min_length=1)]


class Suite(Document):
    """Probes asked together, the languages, and which groups of every axis they cross.

    `groups` gives for a language and an axis the ids of its groups, or "all" that have words in
    it. `cues` are the kinds of cue every probe is asked with, each probe's own by default.
    `cross` lists pairs of axes to be asked together: the first one's groups are put before the
    second one's noun ("a 52-year-old woman"). `fewer_groups` is for probes that take long: they
    ask about these of the suite's groups only.
    """

    name: Slug
    version: Annotated[int, Field(ge=1)]
    note: str = ""
    languages: Annotated[list[str], Field(min_length=1)]
    probes: Annotated[list[Slug], Field(min_length=1)]
    cues: list[Cue] | None = None
    cross: list[Pair] = Field(default_factory=list)
    groups: Annotated[dict[str, dict[str, Groups]], Field(min_length=1)]
    fewer_groups: list[Fewer] = Field(default_factory=list)


def read_asked(path: Path) -> Probe | Suite:
    """The probe or the suite in the YAML file at `path`, checked; only a probe names a task kind.

    Raises
    ------
    InputError
        As `read_probe` and `read_suite`.
    """
    given = tree(read_text(path), path)
    if given.document(_Kind).kind is None:
        return suite_of(given)
    probe = probe_of(given)
    check(probe)
    return probe


def read_suite(path: Path) -> Suite:
    """The suite in the YAML file at `path`, checked."""
    return suite_of(tree(read_text(path), path))


def suite_of(given: Tree) -> Suite:
    """Like `read_suite` for a file that is at hand."""
    suite = given.document(Suite)
    if suite.name != suite.file.stem:
        raise InputError(f"{suite.place('name')}: suite '{suite.name}' must stand in its own file")
    _check_suite(suite)
    return suite


def read_probe(path: Path) -> Probe:
    """The probe in the YAML file at `path`, checked.

    Raises
    ------
    InputError
        It is malformed, of an unknown task kind, or its scenarios cannot be asked.
    """
    probe = parse_probe(read_text(path), path)
    check(probe)
    return probe


def parse_probe(text: str, path: Path) -> Probe:
    """Like `read_probe` for text that is at hand, its scenarios not yet checked."""
    return probe_of(tree(text, path))


def probe_of(given: Tree) -> Probe:
    """Like `parse_probe` for a file that is at hand."""
    head = given.document(_Kind)
    if head.kind is None:
        raise InputError(f"{given.path}:1: key 'kind' is missing")
    if head.kind not in KINDS:
        raise unknown("task kind", head.kind, KINDS, where=head.place("kind"))
    probe: Probe = given.document(shape(head.kind))
    return probe


@cache
def shape(kind: str) -> type[Probe]:
    """The shape of a probe of this kind."""
    scenario: Any = KINDS[kind].Scenario
    listed: Any = Annotated[list[scenario], Field(min_length=1)]
    named: Any = Literal[kind]
    return create_model(
        f"Probe_{kind}", __base__=Probe, kind=(named, ...), scenarios=(dict[str, listed], ...)
    )


@dataclass(frozen=True, slots=True)
class Library:
    """Every probe and suite of one folder."""

    probes: Mapping[str, Path]
    suites: Mapping[str, Path]

    def file(self, name: str, *, where: str = "") -> Path:
        """The file of the probe of this name."""
        if name not in self.probes:
            raise unknown("probe", name, self.probes, where=where)
        return self.probes[name]

    def probe(self, name: str, *, where: str = "") -> Probe:
        return read_probe(self.file(name, where=where))

    def suite(self, name: str) -> Suite:
        if name not in self.suites:
            raise unknown("suite", name, self.suites)
        return read_suite(self.suites[name])


def _check_suite(suite: Suite) -> None:
    """Refuse what stands twice, languages without groups, and fewer groups of what is not asked."""
    lists: list[tuple[tuple[str | int, ...], Sequence[str]]] = [
        (("languages",), suite.languages), (("probes",), suite.probes),
        (("cues",), suite.cues or []), (("cross",), ["+".join(pair) for pair in suite.cross]),
        *((("groups", language, axis), groups) for language, axes in suite.groups.items()
          for axis, groups in axes.items() if not isinstance(groups, str)),
    ]  # fmt: skip
    for key, names in lists:
        for i, item in enumerate(names):
            if item in names[:i]:
                raise InputError(f"{suite.place(*key, i)}: '{item}' stands twice")
    for i, language in enumerate(suite.languages):
        if language not in suite.groups:
            raise InputError(
                f"{suite.place('languages', i)}: no groups for language '{language}'; "
                f"add them under groups"
            )
    taken: set[str] = set()
    for i, part in enumerate(suite.fewer_groups):
        for j, name in enumerate(part.probes):
            where = suite.place("fewer_groups", i, "probes", j)
            if name not in suite.probes:
                raise unknown("probe", name, suite.probes, where=where, of=f"suite '{suite.name}'")
            if name in taken:
                raise InputError(f"{where}: '{name}' stands twice under fewer_groups")
            taken.add(name)


def library(*folders: Path) -> Library:
    """The probes (`folder`/*.yaml) and suites (`folder`/suites/*.yaml), by file name.

    A later folder's file hides an earlier one's of the same name.
    """
    return Library(
        probes={p.stem: p for folder in folders for p in sorted(folder.glob("*.yaml"))},
        suites={p.stem: p for folder in folders for p in sorted(folder.glob("suites/*.yaml"))},
    )


def check(probe: Probe) -> None:
    """Refuse a probe whose scenarios cannot be asked.

    Raises
    ------
    InputError
        With file and line: ids that stand twice, and what a scenario's own `check` refuses.
    """
    if probe.name != probe.file.stem:
        raise InputError(f"{probe.place('name')}: probe '{probe.name}' must stand in its own file")
    for i, axis in enumerate(probe.axes):
        if axis in probe.axes[:i]:
            raise InputError(f"{probe.place('axes', i)}: axis '{axis}' stands twice; keep one")
    for language, scenarios in probe.scenarios.items():
        seen: set[str] = set()
        for i, scenario in enumerate(scenarios):
            place = Placer(probe, "scenarios", language, i)
            if scenario.id in seen:
                raise InputError(f"{place('id')}: scenario id '{scenario.id}' stands twice")
            seen.add(scenario.id)
            if scenario.axis is not None and scenario.axis not in probe.axes:
                raise unknown("axis", scenario.axis, probe.axes, where=place("axis"),
                              of=f"probe '{probe.name}'")  # fmt: skip
            scenario.check(place)
