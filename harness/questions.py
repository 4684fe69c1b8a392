"""What is asked: a suite's probes, the lexicon, and the groups to cross, read and checked."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from harness import lexicon, probes
from harness.crossing import Crossing, choose_fewer, choose_groups, left_out, possible
from harness.design import Design
from harness.documents import shipped
from harness.errors import InputError
from harness.expansion import count, expand
from harness.kinds import SAMPLES, TEXTS
from harness.lexicon import CROSSED, Lexicon
from harness.nouns import Record
from harness.probes import Library, Probe, Suite

OWN = "BIAS_HARNESS_PROBES"
"""Environment variable that names a folder with a user's own probes and suites."""
CROSSED_BY = "core"
"""Suite whose groups a single probe is crossed with."""


@dataclass(frozen=True)
class Questions:
    """Everything about a run but who answers.

    `left_out` has by language and pair of crossed axes the cells that no person is in, `possible`
    how many cells somebody is in; `fewer` by name of a probe the groups it is crossed with instead
    of `groups`.
    """

    suite: Suite
    probes: Sequence[Probe]
    words: Lexicon
    groups: Mapping[str, Crossing]
    left_out: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    possible: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    fewer: Mapping[str, Mapping[str, Crossing]] = field(default_factory=dict)

    def design(
        self,
        *,
        kinds: Collection[str] | None = None,
        limit: int | None = None,
        samples: Mapping[str, int] = MappingProxyType({}),
    ) -> Design:
        """The expanded table, of the probes of these kinds only."""
        asked = [probe for probe in self.probes if kinds is None or probe.kind in kinds]
        return expand(
            asked, self.words, self.groups, cues=self.suite.cues, limit=limit, samples=samples,
            fewer=self.fewer,
        )  # fmt: skip

    def count(self, limit: int | None = None) -> int:
        """Prompts of the whole design without making them, as many samples of each as are asked
        where a model's definition names no other number."""
        return count(
            self.probes, self.words, self.groups, cues=self.suite.cues, limit=limit,
            samples=dict.fromkeys(TEXTS, SAMPLES), fewer=self.fewer,
        )  # fmt: skip

    @property
    def axes(self) -> list[str]:
        return list(dict.fromkeys(axis for found in self.groups.values() for axis in found))

    @property
    def crossed(self) -> list[Record]:
        """Every pair of axes asked together: how many cells, how many more could have been
        drawn, and those left out by name."""
        return [
            {"language": language, "axis": axis, "cells": len(cells),
             "not_drawn": self.possible.get(language, {}).get(axis, len(cells)) - len(cells),
             "left_out": list(self.left_out.get(language, {}).get(axis, ()))}
            for language, found in self.groups.items()
            for axis, cells in found.items() if CROSSED in axis
        ]  # fmt: skip

    def labels(self) -> Record:
        """Names for people of every axis and group."""
        groups: dict[str, dict[str, None]] = {}
        for crossing in self.groups.values():
            for axis, names in crossing.items():
                groups.setdefault(axis, {}).update(dict.fromkeys(names))
        for pair in self.crossed:
            groups[pair["axis"]].update(dict.fromkeys(pair["left_out"]))
        for probe in self.probes:
            for scenario in (s for each in probe.scenarios.values() for s in each):
                if scenario.axis in groups:
                    named = [*getattr(scenario, "entitled", ()), *getattr(scenario, "others", ())]
                    groups[scenario.axis].update(dict.fromkeys(named))
        return self.words.labels({axis: list(names) for axis, names in groups.items()})


def library() -> Library:
    """The shipped probes and suites, and those of the folder that the environment names.

    Raises
    ------
    InputError
        The folder does not exist.
    """
    folders = [shipped("probes")]
    if own := os.environ.get(OWN):
        if not Path(own).is_dir():
            raise InputError(f"{OWN}: no folder '{own}'")
        folders.append(Path(own))
    return probes.library(*folders)


def questions(
    suite: str, *, axes: Sequence[str] | None = None, language: str | None = None
) -> Questions:
    """Read and check what a suite asks.

    Parameters
    ----------
    suite : name of a suite, or path of a suite's or a single probe's YAML file.
    axes : only these; see `choose_groups`.
    language : only this one of the suite's; of the others nothing is checked.

    Raises
    ------
    InputError
        A document is malformed, or names something that does not exist.
    """
    known = library()
    words = lexicon.load()
    if not suite.endswith((".yaml", ".yml")):
        if suite in known.probes and suite not in known.suites:
            raise InputError(f"unknown suite '{suite}', but there is a probe of this name; to ask "
                             f"it alone, give its file: --suite {known.probes[suite]}")  # fmt: skip
        chosen = known.suite(suite)
    else:
        given = probes.read_asked(Path(suite))
        if isinstance(given, Probe):
            return _single(given, known, words, axes, language)
        chosen = given
    asked = [known.probe(name, where=chosen.place("probes", i))
             for i, name in enumerate(chosen.probes)]  # fmt: skip
    _check_languages(chosen, asked)
    return _asked(chosen, asked, words, axes, language)


def _check_languages(suite: Suite, asked: Sequence[Probe]) -> None:
    """Refuse a probe that has none of the suite's languages, and a language no probe has."""
    for i, probe in enumerate(asked):
        if not set(probe.scenarios) & set(suite.languages):
            raise InputError(
                f"{suite.place('probes', i)}: probe '{probe.name}' has no scenario in "
                f"{', '.join(suite.languages)}; it has {', '.join(probe.scenarios)}"
            )
    for i, language in enumerate(suite.languages):
        if not any(language in probe.scenarios for probe in asked):
            raise InputError(
                f"{suite.place('languages', i)}: no probe of suite '{suite.name}' has a scenario "
                f"in '{language}'"
            )


def _single(
    probe: Probe, known: Library, words: Lexicon, axes: Sequence[str] | None, language: str | None
) -> Questions:
    """One probe, crossed with the `groups` of suite `core` on its axes, not the fewer ones; with
    all groups of an axis that `core` does not ask about. Two of its axes that `axes` joins
    ("age+gender") are crossed."""
    for i, axis in enumerate(probe.axes):
        words.axis(axis, where=probe.place("axes", i))
    core = known.suite(CROSSED_BY)
    languages = list(probe.scenarios)
    for name in languages:
        if name not in core.groups:
            raise InputError(
                f"{probe.place('scenarios', name)}: no groups for language '{name}'; a probe by "
                f"itself is asked with those of suite '{CROSSED_BY}', which has "
                f"{', '.join(core.groups)}; for others give a suite"
            )
    groups = {name: {axis: core.groups[name].get(axis, "all") for axis in probe.axes}
              for name in languages}  # fmt: skip
    pairs = [axis.split(CROSSED) for axis in (item.partition("=")[0] for item in axes or ())]
    cross = [pair for pair in pairs if len(pair) == 2]
    alone = core.model_copy(update={
        "name": probe.name, "version": probe.version, "languages": languages,
        "probes": [probe.name], "groups": groups, "cross": cross, "cues": None,
        "fewer_groups": [],
    })  # fmt: skip
    return _asked(alone, [probe], words, axes, language)


def _asked(
    suite: Suite,
    asked: Sequence[Probe],
    words: Lexicon,
    axes: Sequence[str] | None,
    language: str | None,
) -> Questions:
    if language is not None:
        if language not in suite.languages:
            raise InputError(
                f"language '{language}': '{suite.name}' has {', '.join(suite.languages)}"
            )
        suite = suite.model_copy(update={"languages": [language]})
    groups, lacking = choose_groups(suite, words, axes), left_out(suite, words, axes)
    return Questions(
        suite, asked, words, groups, lacking, possible(suite, words, axes),
        choose_fewer(suite, words, axes),
    )  # fmt: skip
