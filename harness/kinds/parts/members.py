"""Prompts about several groups: a row for each group, and the option that names it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.columns import Coded, Codes, Floats, first_seen, joint
from harness.kinds.parts.reading import STATUSES, Asked, Readings, Shares
from harness.nouns import about

NOBODY = 0
"""The code of "", whom an option names that names no group."""


@dataclass(frozen=True, slots=True)
class Members:
    """The groups that prompts are about, by codes of `names`.

    Of shape (rows,): the `prompt`'s row, the `group`, and its `option` among those of the kind.
    `first` and `second` are the groups of a row's prompt in their order. `of_option` has the
    group of every prompt's options: (prompts, options).
    """

    names: list[str]
    prompt: Codes
    group: Codes
    option: Codes
    first: Codes
    second: Codes
    of_option: Codes


def members(asked: Asked) -> Members:
    """One row for every prompt and group, in the order of the prompt's groups."""
    named, together = asked.design.column("members"), asked.design.column("group")
    places, kind = first_seen(joint(named, together))
    names = {"": NOBODY}
    widest = max(map(len, named.values), default=1) or 1
    of_option = np.zeros((len(places), widest), np.int64)
    groups: list[list[int]] = []
    for i, place in enumerate(places.tolist()):
        each = named.values[named.codes[place]]
        of_option[i, : len(each)] = [names.setdefault(name, len(names)) for name in each]
        listed = about(together.values[together.codes[place]], each)
        groups.append([names.setdefault(name, len(names)) for name in listed])
    counts = np.array([len(each) for each in groups], np.int64)
    table = np.zeros((len(groups), counts.max(initial=2)), np.int64)
    for i, each in enumerate(groups):
        table[i, : len(each)] = each
    prompt = np.repeat(np.arange(len(asked)), counts[kind])
    starts = np.cumsum(counts[kind]) - counts[kind]
    slot = np.arange(len(prompt)) - starts[prompt]
    group = table[kind[prompt], slot]
    option = (of_option[kind[prompt]] == group[:, None]).argmax(1)
    return Members(
        list(names), prompt, group, option, table[kind[prompt], 0], table[kind[prompt], 1],
        of_option[kind],
    )  # fmt: skip


def of_members(whom: Members, found: Shares, values: dict[str, Floats]) -> Readings:
    """Readings with a row for every group; `values` have one too."""
    status = Coded(found.status[whom.prompt], STATUSES)
    return Readings(whom.prompt, Coded(whom.group, whom.names), status, values)
