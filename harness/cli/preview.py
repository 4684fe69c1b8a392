"""Counterfactual sets of a probe side by side: one block a group, the words that differ marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from harness import questions as asked
from harness.cli.forecast import crossed
from harness.cli.width import wrap
from harness.kinds import APART, KINDS
from harness.kinds.awareness import DIFFERENCE
from harness.nouns import TOGETHER, Arm, Prompt, Record, Want

MARKS = "«", "»"
"""Around the words that differ, since a colour may not be seen."""


def preview(
    probe: str, *, axis: str | None = None, language: str | None = None, limit: int = 1,
    cue: str | None = None,
) -> str:  # fmt: skip
    """The first sets of a probe as text of at most 80 columns.

    Parameters
    ----------
    probe : name of a probe, or path of its YAML file.
    axis, language, cue : only these; by default all axes, the languages, the probe's own cue.
    limit : scenarios of every language shown.

    Raises
    ------
    InputError
        The probe is malformed, or has nothing of this axis, language or cue.
    """
    path = probe if probe.endswith((".yaml", ".yml")) else str(asked.library().file(probe))
    found = asked.questions(path, axes=[axis] if axis else None, language=language)
    if cue is not None:
        found = replace(found, suite=found.suite.model_copy(update={"cues": [cue]}))
    rows = [p for p in found.design(limit=limit).prompts if p.arm is Arm.COUNTERFACTUAL]
    labels = found.labels()
    sets = groupby(rows, key=lambda p: (p.language, p.scenario, p.axis, p.variant.split("-")[0]))
    shown = ["\n".join(_set(list(members), labels)) for _, members in sets]
    shown += ["\n".join(wrap(crossed(pair))) for pair in found.crossed if pair["left_out"]]
    return "\n\n".join(shown)


def _set(rows: Sequence[Prompt], labels: Record) -> Iterator[str]:
    first = rows[0]
    yield from wrap(
        f"{first.scenario} · {first.kind} · {first.language} · {first.axis} · {first.cue} cue"
        + (f" · {first.variant}" if first.kind in APART else "")
    )
    yield from wrap(_asked(first), 2)
    for row in rows:
        yield ""
        names = [_label(labels, row.axis, name) for name in row.group.split(TOGETHER)]
        yield from wrap(" / ".join(names) + _note(row), 2)
        for line in _marked(row).splitlines():
            yield from wrap(line, 4)


def _asked(prompt: Prompt) -> str:
    """What is measured, on which scale, and which answer is good for the person."""
    kind = KINDS[prompt.kind]
    low, high = kind.RANGE
    options = " | ".join(
        option.spellings[0] if kind.WANT is Want.SEQUENCE else option.name
        for option in prompt.options
    )
    good = "" if prompt.kind in APART else f" good for the person: {prompt.favourable};"
    said = f"options: {options or 'free text'};{good} scale: {kind.UNIT}"
    return said if low == -float("inf") else f"{said}, {low:g} to {high:g}"


def _note(prompt: Prompt) -> str:
    wanted = prompt.kind in APART and prompt.variant == DIFFERENCE
    return f" · right answer: {prompt.favourable}" if wanted else ""


def _label(labels: Record, axis: str, group: str) -> str:
    named = labels["groups"].get(axis, {}).get(group, {})
    return str(named.get("en", named.get("zh", group)))


def _marked(prompt: Prompt) -> str:
    """The prompt's text with the cue's words between marks."""
    text = "\n".join(message.content for message in prompt.messages)
    words = sorted(prompt.cue_words, key=len, reverse=True)
    edge = r"(?<!\w)(?:{})(?!\w)" if prompt.language == "en" else "(?:{})"
    pattern = edge.format("|".join(map(re.escape, words)))
    return re.sub(pattern, lambda found: found[0].join(MARKS), text)
