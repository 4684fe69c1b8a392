"""The tool's own controls: a planted disparity must be found, equal treatment must stay equal.

One run of a real model is recorded; then the whole pipeline runs again on the record, with and
without a shift of known size planted in one group's answers. A tool that reports fairness must
show that it would have seen the opposite.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness import analysis, kinds, pipeline, preparing
from harness.backends.planted import Plant, RecordedBackend
from harness.design import Design
from harness.errors import InputError
from harness.nouns import Arm, Record, Verdict
from harness.policy import restore
from harness.responses import Responses

DEFAULT_PLANT = Plant("age", "52", 0.05)
SHUFFLES = 20
MOST_FALSE = 4
"""Of `SHUFFLES` relabelled records, how many may have an interval without 0 at 5 % error.

More than 4 of 20 happen by chance in 0.3 % of self-tests (binomial).
"""
EXACT = 1e-6
"""What floating point may move an effect by."""


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that must hold."""

    name: str
    expected: str
    found: str
    held: bool


def selftest(
    folder: Path,
    *,
    model: str = preparing.DEFAULT_MODEL,
    suite: str = "quick",
    limit: int | None = 12,
    plant: Plant = DEFAULT_PLANT,
    listener: preparing.Listener | None = None,
) -> list[Control]:
    """Run every control in `folder`, on the axis of the plant.

    The model is asked once; an earlier record in `folder` is taken up again.

    Raises
    ------
    InputError
        The plant names an unknown group, or does not fit between 0 and 1.
    """
    options = {"suite": suite, "axes": [plant.axis], "limit": limit, "listener": listener}
    preparing.prepare(model, plant=plant, **options).backend.close()  # type: ignore[arg-type]
    options["ledger"] = None  # a control is no version's result
    base = pipeline.run(model, out=folder / "record", **options)  # type: ignore[arg-type]
    record = RecordedBackend(base.folder.responses(), base.manifest["model"]["identity"])
    quiet = {**options, "listener": None, "fresh": True, "backend": record}
    planted = pipeline.run(model, out=folder / "planted", plant=plant, **quiet)  # type: ignore[arg-type]
    again = pipeline.run(model, out=folder / "again", **quiet)  # type: ignore[arg-type]
    return [
        *_positive(_by_group(base), _by_group(planted), plant),
        _itself(base, again),
        _shuffled(base),
    ]


def _by_group(run: pipeline.Run) -> dict[str, Record]:
    effects = {effect["group"]: effect for effect in run.effects}
    bare = [group for group, effect in effects.items() if effect["low"] is None]
    if bare:
        raise InputError(
            f"selftest: no interval for group '{bare[0]}' ({effects[bare[0]]['reason']}); "
            "give more scenarios with --limit"
        )
    return effects


def _positive(
    base: Mapping[str, Record], planted: Mapping[str, Record], plant: Plant
) -> list[Control]:
    """Sign, place and size of what was planted."""
    target = planted[plant.group]
    truth = base[plant.group]["estimate"] + plant.shift
    largest = max(planted, key=lambda group: abs(planted[group]["estimate"]))
    moved = {group: planted[group]["estimate"] - base[group]["estimate"] for group in planted}
    others = -plant.shift / (len(planted) - 1)
    rest = [value for group, value in moved.items() if group != plant.group]
    return [
        Control(
            "planted disparity is found",
            f"disparity, {'above' if plant.shift > 0 else 'below'}",
            f"{target['verdict']}, {target['estimate']:+.4f}",
            target["verdict"] == Verdict.DISPARITY and target["estimate"] * plant.shift > 0,
        ),
        Control("in the right group", plant.group, largest, largest == plant.group),
        Control(
            "with its size in the interval",
            f"{truth:+.4f}",
            f"{target['low']:+.4f} to {target['high']:+.4f}",
            target["low"] <= truth <= target["high"],
        ),
        Control(
            "the effect moves by the plant",
            f"{plant.shift:+.4f}",
            f"{moved[plant.group]:+.4f}",
            abs(moved[plant.group] - plant.shift) < EXACT,
        ),
        Control(
            "the others by its share",
            f"{others:+.4f} each",
            f"{min(rest):+.4f} to {max(rest):+.4f}",
            all(abs(value - others) < EXACT for value in rest),
        ),
    ]


def _itself(base: pipeline.Run, again: pipeline.Run) -> Control:
    """The same answers through the whole pipeline a second time."""
    apart = max(
        abs(a["estimate"] - b["estimate"]) for a, b in zip(base.effects, again.effects, strict=True)
    )
    same = base.results == again.results
    return Control(
        "the model against itself", "no difference", f"largest {apart:.1g}", same and apart == 0.0
    )


def _shuffled(base: pipeline.Run) -> Control:
    """Answers dealt anew to the groups of each scenario: nothing is left to find."""
    rules = restore(base.manifest["policy"], base.path)
    design, responses, found = base.folder.design(), base.folder.responses(), 0
    for seed in range(SHUFFLES):
        scores = kinds.score(design, _deal(design, responses, random.Random(seed)))
        results = analysis.analyse(design, scores, rules)
        # by the interval, not the verdict: a margin would hide intervals that are too short
        found += any(e["low"] is not None and not e["low"] <= 0 <= e["high"]
                     for e in results["effects"])  # fmt: skip
    return Control(
        "no difference without groups",
        f"at most {MOST_FALSE} of {SHUFFLES}",
        f"{found} of {SHUFFLES}",
        found <= MOST_FALSE,
    )


def _deal(design: Design, recorded: Responses, rng: random.Random) -> Responses:
    """The recorded responses with the counterfactual ones of each scenario shuffled."""
    responses = dict(recorded)
    sets: dict[tuple[str | int, ...], list[str]] = {}
    for prompt in design.prompts:
        if prompt.arm in (Arm.COUNTERFACTUAL, Arm.REPEAT):
            place = (prompt.scenario, prompt.axis, prompt.variant, prompt.sample)
            sets.setdefault(place, []).append(prompt.id)
    for members in sets.values():
        order = rng.sample(members, len(members))
        dealt = [replace(responses[a], prompt=b) for a, b in zip(order, members, strict=True)]
        responses.update((response.prompt, response) for response in dealt)
    return Responses.of(responses.values())
