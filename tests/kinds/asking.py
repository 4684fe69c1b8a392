"""Prompts and responses made up for the kinds' parsers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from harness.design import Design
from harness.kinds import readings, score
from harness.nouns import (
    TOGETHER,
    Arm,
    Finish,
    Message,
    Option,
    Prompt,
    Reading,
    Response,
    Score,
    Status,
)
from harness.responses import Responses


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


def read(asked: Prompt, **response: object) -> Reading:
    given = {"prompt": asked.id, "finish": Finish.STOP, **response}
    [found] = readings([asked], [Response(**given)])  # type: ignore[arg-type]
    return found


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
