"""Scores into scenario x group matrices, one for every family.

A family is probe x kind x language x cue kind x axis; nothing is pooled across families. Only
the counterfactual arm and its repetitions enter a cell; variants and samples of one scenario
are averaged first, since the scenario is the statistical unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from harness import stats
from harness.columns import Coded, Codes, Floats, Mask, first_seen, joint, wide
from harness.design import Design
from harness.kinds import APART
from harness.nouns import Arm, Prompt

UNEDITED = (Arm.COUNTERFACTUAL, Arm.REPEAT)


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


COLUMNS = (
    *Family._fields,
    "scenario",
    "variant",
    "arm",
    "sample",
    "favourable",
    "cue_words",
    "members",
)
"""What of the design the analysis goes by."""


@dataclass(frozen=True)
class Answers:
    """What responses were worth: a row for every prompt and group it is about, in design order.

    `prompts` are rows of the design, `columns` its `COLUMNS`. `values` holds the numbers by
    scorer, NaN where a response has none.
    """

    prompts: Codes
    group: Coded
    status: Coded
    columns: Mapping[str, Coded]
    values: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, name: str) -> Coded:
        return self.columns[name]

    def value(self, scorer: str) -> Floats:
        """One scorer's numbers: (rows,)."""
        found = self.values.get(scorer)
        return np.full(len(self), np.nan) if found is None else found

    def take(self, rows: Codes | Mask) -> Answers:
        """These rows, with the scorers that have a number there."""
        values = {name: value[rows] for name, value in self.values.items()}
        return Answers(
            self.prompts[rows], self.group.take(rows), self.status.take(rows),
            {name: column.take(rows) for name, column in self.columns.items()},
            {name: value for name, value in values.items() if not np.isnan(value).all()},
        )  # fmt: skip

    def of_arm(self, *arms: Arm) -> Answers:
        return self.take(self["arm"].is_in(*arms))

    @cached_property
    def unedited(self) -> Answers:
        """The counterfactual arm and its repetitions: what enters a cell."""
        return self.of_arm(*UNEDITED)

    def by(self, names: Sequence[str]) -> dict[tuple[str, ...], Answers]:
        """The rows that have these columns' values in common, in the order of their first."""
        codes = joint(*(self[name] for name in names))
        order = np.argsort(codes, kind="stable")
        ends = np.flatnonzero(np.diff(codes[order])) + 1
        parts = np.split(order, ends) if len(order) else []
        return {
            tuple(self[name].values[self[name].codes[rows[0]]] for name in names): self.take(rows)
            for rows in parts
        }


def join(design: Design, scores: pa.Table) -> Answers:
    """The prompts of a design beside their scores; unscored ones are left out.

    Parameters
    ----------
    scores : of `columns.SCORES`, in any order.
    """
    found = wide(scores, design.table["id"])
    columns = {name: design.column(name).take(found.prompt) for name in COLUMNS}
    return Answers(found.prompt, found.group, found.status, columns, found.values)


def alike(design: Design) -> Mask:
    """Whether the groups should be treated alike: only then may a difference be held against a
    model: (prompts,)."""
    return ~design.column("kind").is_in(*APART) & design.column("relevance").is_in("irrelevant")


def family_of(prompt: Prompt) -> Family:
    return Family(prompt.probe, prompt.kind, prompt.language, prompt.cue, prompt.axis)


def families(answers: Answers) -> dict[Family, Answers]:
    """Answers by family, in the order of the design."""
    return {Family(*key): own for key, own in answers.by(Family._fields).items()}


@dataclass(frozen=True, slots=True)
class Cells:
    """One family's answers as matrices of shape (scenarios, groups).

    `mean` is the mean over a cell's measured responses, NaN where there is none. `asked` counts
    responses, `answered` those that have a number. `statuses` counts them by group and status.
    `binary`: every number is 1 or 0, a yes or no. `strata` has a number for every scenario, the
    same where the same answer is the favourable one.
    """

    scenarios: tuple[str, ...]
    groups: tuple[str, ...]
    mean: Floats
    asked: Floats
    answered: Floats
    statuses: Mapping[str, Mapping[str, int]]
    binary: bool
    strata: Codes

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


def cells(answers: Answers, scorer: str) -> Cells:
    """The matrices of one family for one scorer's number.

    `answered` counts the responses that have this number.
    """
    own = answers.unedited
    scenario, group = own["scenario"].in_order(), own.group.in_order()
    shape = len(scenario.values), len(group.values)
    values = own.value(scorer)
    mean, answered = stats.cell_means(values, scenario.codes, group.codes, shape)
    place = scenario.codes.astype(np.int64) * shape[1] + group.codes
    asked = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
    return Cells(
        tuple(scenario.values), tuple(group.values), mean, asked.astype(float),
        answered.astype(float),
        {name: counted(own.status.take(group.codes == k)) for k, name in enumerate(group.values)},
        bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all()),
        own["favourable"].codes[first_seen(scenario.codes)[0]],
    )  # fmt: skip


def counted(column: Coded) -> dict[str, int]:
    """How many rows hold each value, in the order of their first."""
    seen = column.in_order()
    counts = np.bincount(seen.codes, minlength=len(seen.values)).tolist()
    return {str(value): count for value, count in zip(seen.values, counts, strict=True)}


def means(keys: Codes, values: Floats) -> tuple[Codes, Floats]:
    """The mean of every key's values; where each key appears first, in that order."""
    first, codes = first_seen(keys)
    return first, np.bincount(codes, values, len(first)) / np.bincount(codes, minlength=len(first))


def edited_pairs(answers: Answers, arm: Arm, scorer: str) -> tuple[list[str], Floats, Floats]:
    """An edited arm beside the same cue unedited: scenarios, edited means, plain means.

    One row for every scenario, axis, group and variant that has a number in both.
    """
    known = answers.take(~np.isnan(answers.value(scorer)))
    keys = joint(known["scenario"], known["axis"], known.group, known["variant"])
    edited, plain = known["arm"].is_in(arm), known["arm"].is_in(*UNEDITED)
    mean = np.full(len(keys) + 1, np.nan)
    first, of_plain = means(keys[plain], known.value(scorer)[plain])
    mean[keys[plain][first]] = of_plain
    first, of_edited = means(keys[edited], known.value(scorer)[edited])
    beside = mean[keys[edited][first]]
    both = ~np.isnan(beside)
    scenarios = known["scenario"].take(np.flatnonzero(edited)[first[both]]).listed()
    return scenarios, of_edited[both], beside[both]


def reused(answers: Answers, cells: Cells) -> NDArray[np.object_] | None:
    """Which words carried the group in every cell, where a group's words served twice.

    Shape (scenarios, groups). None for explicit cues, whose words are the group's own, for
    prompts about several groups, and where every scenario had words of its own.
    """
    if answers["cue"].is_in("explicit").any() or answers["members"].of(bool, bool).any():
        return None
    words = np.full(cells.mean.shape, "", object)
    places = {name: g for g, name in enumerate(cells.scenarios)}
    columns = {name: k for k, name in enumerate(cells.groups)}
    own = answers.of_arm(Arm.COUNTERFACTUAL)
    for scenario, group, used in zip(
        own["scenario"].listed(), own.group.listed(), own["cue_words"].listed(), strict=True
    ):
        words[places[scenario], columns[group]] = " ".join(used)
    fresh = all(len(set(column)) == len(column) for column in words.T)
    return None if fresh else words
