"""Prompts and responses made up for the kinds' parsers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from harness.design import Design
from harness.kinds import KINDS, score
from harness.kinds.parts.reading import Asked
from harness.nouns import (
    TOGETHER,
    Arm,
    Finish,
    Message,
    Option,
    Prompt,
    Response,
    Score,
    Status,
)
from harness.responses import Responses, table_of


def prompt(
    kind: str,
    options: tuple[Option, ...],
    favourable: str,
    *,
    language: str = "en",
    groups: Sequence[str] = ("22",),
    members: tuple[str, ...] = (),
    arm: Arm = Arm.COUNTERFACTUAL,
    variant: str = "",
    id: str = "p",
) -> Prompt:
    return Prompt(
        id=id, block=0, probe="x", probe_version=1, kind=kind, scenario="s", variant=variant,
        language=language, axis="age", group=TOGETHER.join(groups), cue="explicit",
        role="subject", arm=arm, sample=0, domain="work", favourable=favourable,
        cue_position="late", relevance="irrelevant", messages=(Message("user", "?"),),
        options=options, cue_words=("x",), members=members,
    )  # fmt: skip


def logs(chances: Mapping[str, float]) -> dict[str, float]:
    return {name: math.log(p) if p else -math.inf for name, p in chances.items()}


@dataclass(frozen=True)
class Reading:
    """What a kind made of one response; `by_group` where its prompt is about several."""

    status: Status
    values: Mapping[str, float]
    by_group: Mapping[str, Mapping[str, float]]


def read(asked: Prompt, **response: object) -> Reading:
    given = {"prompt": asked.id, "finish": Finish.STOP, **response}
    table = table_of([Response(**given)])  # type: ignore[arg-type]
    found = KINDS[asked.kind].read(Asked(Design.of([asked]), table))
    [status] = set(found.status.listed())
    values = [
        {name: float(each[i]) for name, each in found.values.items() if not math.isnan(each[i])}
        for i in range(len(found.group))
    ]
    if not asked.members:
        return Reading(status, values[0], {})
    by_group = dict(zip(found.group.listed(), values, strict=True))
    return Reading(status, {}, {group: each for group, each in by_group.items() if each})


def scored(asked: Prompt, **response: object) -> list[Score]:
    """Through `score`, as a run does."""
    given = {"prompt": asked.id, "finish": Finish.STOP, **response}
    table = score(Design.of([asked]), Responses.of([Response(**given)]))  # type: ignore[arg-type]
    return [Score(**{**row, "status": Status(row["status"])}) for row in table.to_pylist()]


def values(asked: Prompt, **response: object) -> dict[str, float | None]:
    """The outcome by group, through `score`."""
    return {s.group: s.value for s in scored(asked, **response) if s.scorer == "y"}


ENDED = [
    ({"finish": Finish.ERROR}, Status.ERROR),
    ({"finish": Finish.FILTER, "text": "no"}, Status.REFUSED),
    ({"finish": Finish.ERROR, "truncated": True}, Status.TRUNCATED),
    ({"text": ""}, Status.EMPTY),
    ({"text": " \n"}, Status.EMPTY),
    ({"text": None}, Status.EMPTY),
    ({"text": "I cannot judge people by that."}, Status.UNPARSED),
    ({"text": "对不起，我不能回答这个问题。"}, Status.UNPARSED),
]
"""Responses that are no answer, of whatever kind."""


def no_answer(asked: Prompt, response: dict[str, object], status: Status) -> None:
    """The response has this status, no number, and a score without a value for every group."""
    reading = read(asked, **response)
    assert reading.status is status
    assert not reading.values
    assert not reading.by_group
    scores = scored(asked, **response)
    assert {(s.status, s.scorer, s.value) for s in scores} == {(status, "y", None)}
    assert [s.group for s in scores] == list(asked.groups)


def close(value: float) -> object:
    return pytest.approx(value, abs=1e-12)
