"""What the rules look at: probes and axes, their texts by key, and the words that fill slots."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.documents import Part
from harness.kinds.parts.scenario import Edit, Placer, Scenario
from harness.lexicon import Axis, Forms, Lexicon
from harness.probes import Probe

Counter = Callable[[str], int]
"""Tokens of a text."""
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A complaint at `where` (file:line)."""

    where: str
    message: str


@dataclass(frozen=True)
class Case:
    """One scenario in its probe."""

    probe: Probe
    language: str
    number: int
    scenario: Scenario

    def place(self, *key: str) -> str:
        return Placer(self.probe, "scenarios", self.language, self.number)(*key)

    def texts(self) -> Iterator[tuple[Key, str]]:
        """Every text that stands in a prompt, with its key; edits left out."""
        return _texts(self.scenario, ())

    def edits(self) -> Iterator[tuple[str, Edit]]:
        """Every edit, with its key."""
        for name in type(self.scenario).model_fields:
            if isinstance(edit := getattr(self.scenario, name), Edit):
                yield name, edit

    def written(self) -> Iterator[tuple[Key, str]]:
        """Every text and what every edit puts in."""
        yield from self.texts()
        yield from (((name, "with"), edit.by) for name, edit in self.edits())

    def said(self, message: str, *key: str) -> Said:
        return Said(self.place(*key), f"scenario '{self.scenario.id}' {message}")


@dataclass(frozen=True)
class Sheet:
    """What is checked together."""

    probes: Sequence[Probe]
    axes: Sequence[Axis]
    words: Lexicon
    count: Counter | None = None

    def cases(self) -> Iterator[Case]:
        for probe in self.probes:
            for language, scenarios in probe.scenarios.items():
                for number, scenario in enumerate(scenarios):
                    yield Case(probe, language, number, scenario)

    def fillers(self, case: Case) -> Iterator[tuple[str, str, Forms]]:
        """Axis, group and forms of everyone who can fill the case's slot with an explicit cue."""
        for name in [case.scenario.axis] if case.scenario.axis else case.probe.axes:
            for group in self.words.axes[name].groups if name in self.words.axes else ():
                if case.language in group.explicit:
                    yield name, group.id, group.explicit[case.language]


def _texts(part: Part, at: Key) -> Iterator[tuple[Key, str]]:
    for name, field in type(part).model_fields.items():
        if name in Scenario.model_fields:
            continue
        value = getattr(part, name)
        if isinstance(value, str) and field.annotation is str:
            yield (*at, name), value
        elif (
            inspect.isclass(field.annotation)
            and field.annotation is not Edit
            and isinstance(value, Part)
        ):
            yield from _texts(value, (*at, name))
