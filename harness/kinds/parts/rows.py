"""The rows a scenario becomes on one axis, before the cue's words are put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.kinds.parts.scenario import Edit, Situation
from harness.nouns import Arm, Option


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt to be: a template with its slots, who fills them, and what is asked.

    `groups` fill the slots in the order of their numbers. `members` are set where a prompt is
    about several groups: the group that each option names, in the options' order, "" for none.
    """

    arm: Arm
    groups: tuple[str, ...]
    template: str
    options: tuple[Option, ...]
    favourable: str
    members: tuple[str, ...] = ()
    variant: str = ""


def turn(items: Sequence[str], number: int) -> str:
    """Equal turns that do not keep step with scenarios listed in a rotation of the same length."""
    return items[(number + number // len(items)) % len(items)]


S = TypeVar("S", bound=Situation)


def one_person(
    scenario: S,
    groups: Sequence[str],
    number: int,
    control: int | None,
    *,
    put: Callable[[S], str],
    options: tuple[Option, ...],
    favourable: str,
) -> Iterator[Row]:
    """A scenario about one person: every group once, a paraphrase and sometimes a control.

    The paraphrase asks one group; which one rotates with the scenario's `number` in its probe, so
    that all take equal turns. `control` is the turn of the disqualifying edit, None where it is
    another axis's.
    """

    def row(arm: Arm, group: str, edit: Edit) -> Row:
        return Row(arm, (group,), put(scenario.edited(edit)), options, favourable)

    plain = put(scenario)
    for group in groups:
        yield Row(Arm.COUNTERFACTUAL, (group,), plain, options, favourable)
    yield row(Arm.PARAPHRASE, turn(groups, number), scenario.paraphrase)
    if control is not None:
        edits = dict(scenario.edits())
        yield row(Arm.CONTROL, turn(groups, control), edits["disqualify"])
