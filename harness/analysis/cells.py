"""Scores into scenario x group matrices, one for every family.

A family is probe x kind x language x cue kind x axis; nothing is pooled across families. Only
the counterfactual arm and its repetitions enter a cell; variants and samples of one scenario
are averaged first, since the scenario is the statistical unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.nouns import Arm, Prompt, Score, Status

Floats = NDArray[np.float64]


class ProbeKey(NamedTuple):
    """What base rate, content control and mass belong to."""

    probe: str
    kind: str
    language: str
    cue: str


class Family(NamedTuple):
    """What effects are estimated and corrected within."""

    probe: str
    kind: str
    language: str
    cue: str
    axis: str

    @property
    def parent(self) -> ProbeKey:
        return ProbeKey(self.probe, self.kind, self.language, self.cue)


@dataclass(frozen=True, slots=True)
class Answer:
    """One prompt with what its response was worth for one group."""

    prompt: Prompt
    group: str
    status: Status
    values: Mapping[str, float]

    @property
    def answered(self) -> bool:
        return self.status is Status.ANSWERED


@dataclass(frozen=True, slots=True)
class Cells:
    """One family's answers as matrices of shape (scenarios, groups).

    `mean` is the mean over a cell's measured responses, NaN where there is none. `asked` counts
    responses, `answered` those that have a number. `statuses` counts them by group and status.
    `binary`: every number is 1 or 0, a yes or no.
    """

    scenarios: tuple[str, ...]
    groups: tuple[str, ...]
    mean: Floats
    asked: Floats
    answered: Floats
    statuses: Mapping[str, Mapping[str, int]]
    binary: bool

    @property
    def coverage(self) -> Floats:
        """Share of each group's prompts that were answered: (groups,)."""
        share: Floats = self.answered.sum(0) / self.asked.sum(0)
        return share

    def extremes(self, low: float, high: float) -> tuple[Floats, Floats]:
        """What a cell with missing responses can hold: all of them scored `low`, or all `high`.

        Cells with nothing missing have the outcome's own limits.
        """
        missing = self.asked - self.answered
        known = np.where(self.answered > 0, self.mean, 0.0) * self.answered
        with np.errstate(invalid="ignore"):  # nothing missing of an outcome without limits
            least = (known + missing * low) / self.asked
            most = (known + missing * high) / self.asked
        return np.where(missing > 0, least, low), np.where(missing > 0, most, high)


def join(prompts: Sequence[Prompt], scores: Sequence[Score]) -> list[Answer]:
    """Every prompt beside its scores, in the order of the prompts; unscored ones are left out."""
    values: dict[str, dict[str, dict[str, float]]] = {}
    status: dict[str, Status] = {}
    for score in scores:
        status[score.prompt] = score.status
        of_group = values.setdefault(score.prompt, {}).setdefault(score.group, {})
        if score.value is not None:
            of_group[score.scorer] = score.value
    return [
        Answer(prompt, group, status[prompt.id], numbers)
        for prompt in prompts
        if prompt.id in status
        for group, numbers in values[prompt.id].items()
    ]


def probe_key(prompt: Prompt) -> ProbeKey:
    return ProbeKey(prompt.probe, prompt.kind, prompt.language, prompt.cue)


def family_of(prompt: Prompt) -> Family:
    return Family(*probe_key(prompt), prompt.axis)


def families(answers: Iterable[Answer]) -> dict[Family, list[Answer]]:
    """Answers by family, in the order of the design."""
    found: dict[Family, list[Answer]] = {}
    for answer in answers:
        found.setdefault(family_of(answer.prompt), []).append(answer)
    return found


@dataclass(slots=True)
class _Tally:
    total: float = 0.0
    answered: int = 0
    asked: int = 0


def cells(answers: Sequence[Answer], scorer: str) -> Cells:
    """The matrices of one family for one scorer's number.

    `answered` counts the responses that have this number.
    """
    scenarios: dict[str, int] = {}
    groups: dict[str, int] = {}
    tallies: dict[tuple[int, int], _Tally] = {}
    statuses: dict[str, Counter[str]] = {}
    binary = True
    for answer in answers:
        if answer.prompt.arm not in (Arm.COUNTERFACTUAL, Arm.REPEAT):
            continue
        g = scenarios.setdefault(answer.prompt.scenario, len(scenarios))
        k = groups.setdefault(answer.group, len(groups))
        statuses.setdefault(answer.group, Counter())[str(answer.status)] += 1
        tally = tallies.setdefault((g, k), _Tally())
        tally.asked += 1
        if scorer in answer.values:
            tally.answered += 1
            tally.total += answer.values[scorer]
            binary &= answer.values[scorer] in (0.0, 1.0)
    shape = (len(scenarios), len(groups))
    mean, asked, answered = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)
    for place, tally in tallies.items():
        asked[place], answered[place] = tally.asked, tally.answered
        if tally.answered:
            mean[place] = tally.total / tally.answered
    return Cells(
        tuple(scenarios), tuple(groups), mean, asked, answered,
        {group: dict(counts) for group, counts in statuses.items()}, binary,
    )  # fmt: skip


@dataclass(slots=True)
class Arms:
    """Answers of an edited arm and unedited ones, by scenario, axis, group and variant."""

    counterfactual: dict[tuple[str, ...], list[float]] = field(default_factory=dict)
    edited: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def pairs(self) -> tuple[list[str], Floats, Floats]:
        """Scenarios, the edited arm's means, and the means of the same group unedited."""
        keys = [key for key in self.edited if key in self.counterfactual]
        edited = np.array([np.mean(self.edited[key]) for key in keys])
        plain = np.array([np.mean(self.counterfactual[key]) for key in keys])
        return [key[0] for key in keys], edited, plain


def arms(answers: Sequence[Answer], arm: Arm, scorer: str) -> Arms:
    """The answered responses of one edited arm beside those of the same cue unedited."""
    found = Arms()
    for answer in answers:
        if scorer not in answer.values:
            continue
        key = (answer.prompt.scenario, answer.prompt.axis, answer.group, answer.prompt.variant)
        if answer.prompt.arm is arm:
            found.edited.setdefault(key, []).append(answer.values[scorer])
        elif answer.prompt.arm in (Arm.COUNTERFACTUAL, Arm.REPEAT):
            found.counterfactual.setdefault(key, []).append(answer.values[scorer])
    return found


def reused(answers: Sequence[Answer], cells: Cells) -> NDArray[np.object_] | None:
    """Which words carried the group in every cell, where a group's words served twice.

    Shape (scenarios, groups). None for explicit cues, whose words are the group's own, and
    where every scenario had words of its own.
    """
    words = np.full(cells.mean.shape, "", object)
    places = {name: g for g, name in enumerate(cells.scenarios)}
    columns = {name: k for k, name in enumerate(cells.groups)}
    for answer in answers:
        if answer.prompt.cue == "explicit" or answer.prompt.members:
            return None
        if answer.prompt.arm is Arm.COUNTERFACTUAL:
            place = places[answer.prompt.scenario], columns[answer.group]
            words[place] = " ".join(answer.prompt.cue_words)
    fresh = all(len(set(column)) == len(column) for column in words.T)
    return None if fresh else words
