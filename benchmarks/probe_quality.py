"""What the probes can show on a model: Markdown tables from finished runs.

`python -P benchmarks/probe_quality.py RUN [RUN ...]`. One table a run and language, one row a
probe: the raw answer by polarity, the probability on the options, the share of sets (a scenario
with all groups of an axis) that are complete, the spread of a group's contrast over scenarios
(median over groups), the paraphrase floor (mean over axes), the drop under the content control, and
the smallest margin at which a fair axis would be called equivalent with 80 % power, beside the
policy's. Below it the scenarios that show nothing on this model, with why.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from numpy import mean, median

from harness import stats
from harness.errors import HarnessError, InputError
from harness.kinds import APART, KINDS, TEXTS
from harness.pipeline import Run
from harness.store import RunFolder

HEAD = ("probe", "base rate", "mass", "sets", "sd", "floor", "control", "decides", "margin")
STILL = 0.1
"""Share of the margin below which a movement counts as none."""
HALF = 0.5
"""Share of a scenario's prompts that must have been answered."""
Row = dict[str, Any]


def tables(run: Run) -> Iterator[str]:
    """A table for every language of a run, and what shows nothing in it.

    Of texts the outcome is whether there was one: where all were written, what they say can differ
    all the same, so such scenarios are counted apart.
    """
    model, suite = run.manifest["model"], run.manifest["suite"]
    silent = list(nothing(run))
    for language in dict.fromkeys(probe["language"] for probe in run.results["probes"]):
        yield f"### {model['name']}, suite `{suite['name']}`, {language}\n"
        yield "\n".join(_line(cells) for cells in (HEAD, ["---"] * len(HEAD), *rows(run, language)))
        yield from _aware(run, language)
        here = [row for row in silent if row["language"] == language]
        for texts, head in (
            (False, "Scenarios that show nothing on this model"),
            (True, "Scenarios of texts whose outcome shows nothing on this model; what scorers say "
                   "of the texts may"),
        ):  # fmt: skip
            found = [row for row in here if row["texts"] is texts]
            if texts and not found:
                continue
            yield f"\n{head}: {len(found)}\n"
            for row in found:
                yield f"- {row['probe']} `{row['scenario']}`: {row['why']}"
        yield ""


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def rows(run: Run, language: str) -> Iterator[list[str]]:
    """The cells of one row a probe that is asked in this language."""
    for probe in run.results["probes"]:
        keys = ("probe", "language", "cue")
        same = [a for a in run.axes if all(a[k] == probe[k] for k in keys)]
        if probe["language"] != language or not same:  # awareness has no axis: it stands below
            continue
        effects = [e for e in run.effects if all(e[k] == probe[k] for k in keys)]
        spreads = [e["standard_error"] * math.sqrt(e["n_scenarios"])
                   for e in effects if e["standard_error"]]  # fmt: skip
        n, groups = min(a["n_scenarios"] for a in same), max(a["groups"] for a in same)
        sd = median(spreads) if spreads else None
        floors = [a["floor"]["mean"] for a in same if a["floor"]]
        sets = sum(a["n_scenarios"] for a in same) / sum(a["n_designed"] for a in same)
        yield [
            probe["probe"] + ("" if probe["cue"] == "explicit" else f" ({probe['cue']})"),
            ", ".join(f"{name} {_number(rate['mean'], 2)}"
                      for name, rate in probe["base_rate"].items()) or "-",
            _number(probe["mass"]["mean"], 2), f"{sets:.0%}", _number(sd),
            _number(mean(floors) if floors else None), _control(probe["control"]),
            _number(stats.decidable(sd, n, groups) if sd and n >= 6 else None),
            f"{same[0]['margin']:g}",
        ]  # fmt: skip


def _aware(run: Run, language: str) -> Iterator[str]:
    for found in run.results["awareness"]:
        if found["language"] == language:
            made, kept = (_of(found[part]) for part in ("difference", "sameness"))
            yield f"\n{found['probe']}: {made} wanted differences made, {kept} samenesses kept"


def _of(share: Row) -> str:
    return f"{round((share['estimate'] or 0) * share['n'])} of {share['n']}"


def nothing(run: Run) -> Iterator[Row]:
    """The scenarios whose outcome cannot show unequal treatment on this model, and why.

    Hardly answered: fewer than half of the prompts. Always the same: no group, no rewording and no
    disqualifying fact moves the outcome by a tenth of the margin. Swamped: the neutral rewording
    moves it by more than the margin, and by more than the groups differ.

    `texts` marks those of which there are texts all the same, that scorers measure.
    """
    margins = {(a["probe"], a["language"], a["cue"]): a["margin"] for a in run.axes}
    scenarios: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in run.responses:
        if row["kind"] not in APART:
            key = (row["probe"], row["language"], row["cue"], row["scenario"])
            scenarios[key].append({**row, "value": row.get(KINDS[row["kind"]].OUTCOME)})
    for (probe, language, cue, scenario), members in scenarios.items():
        if why := _why(members, margins[probe, language, cue]):
            named = probe + ("" if cue == "explicit" else f" ({cue})")
            yield {
                "probe": named, "language": language, "scenario": scenario, "why": why,
                "texts": any(m["kind"] in TEXTS and m["status"] == "answered" for m in members),
            }  # fmt: skip


def _why(members: Sequence[Row], margin: float) -> str | None:
    asked = [m for m in members if m["arm"] != "contrast"]
    answered = sum(m["value"] is not None for m in asked) / len(asked)
    if answered < HALF:
        return f"hardly answered ({answered:.0%} of the prompts)"
    plain = _values(members, "counterfactual")
    between = _between(plain)
    edits = {arm: _moved(plain, _values(members, arm)) for arm in ("paraphrase", "control")}
    if max([*between, *edits["paraphrase"], *edits["control"]], default=0.0) < STILL * margin:
        return (f"always the same ({mean(list(plain.values())):.3f}): no group, rewording or fact "
                f"moves it by {STILL * margin:g}")  # fmt: skip
    floor = mean(edits["paraphrase"]) if edits["paraphrase"] else 0.0
    spread = mean(between) if between else 0.0
    if floor > margin and floor > spread:
        return (f"swamped: a rewording moves it by {floor:.3f}, another group by {spread:.3f} "
                f"(margin {margin:g})")  # fmt: skip
    return None


Key = tuple[str, str, str]
"""Axis, group, variant."""


def _values(members: Sequence[Row], arm: str) -> dict[Key, float]:
    """The outcome of one arm, mean over samples; unanswered prompts are left out."""
    found: dict[Key, list[float]] = defaultdict(list)
    for m in members:
        if m["arm"] == arm and m["value"] is not None:
            found[m["axis"], m["group"], m["variant"]].append(m["value"])
    return {key: float(mean(values)) for key, values in found.items()}


def _between(plain: dict[Key, float]) -> list[float]:
    """Differences between any two groups of an axis, each group's variants averaged first."""
    cells: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (axis, group, _), value in plain.items():
        cells[axis][group].append(value)
    means = [[mean(values) for values in groups.values()] for groups in cells.values()]
    return [float(abs(a - b)) for each in means for a, b in combinations(each, 2)]


def _moved(plain: dict[Key, float], edited: dict[Key, float]) -> list[float]:
    return [abs(value - plain[key]) for key, value in edited.items() if key in plain]


def _control(control: Row | None) -> str:
    if control is None or control["estimate"] is None:
        return "-"
    p = control["p_value"]
    return f"{control['estimate']:+.3f}" + ("" if p is None else f", p {p:.2g}")


def _number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def main() -> None:
    """Print the tables of the runs named on the command line."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -P benchmarks/probe_quality.py RUN [RUN ...]")
    try:
        for path in sys.argv[1:]:
            run = Run(RunFolder(Path(path)))
            if not run.finished:
                raise InputError(f"{path}: this run is not finished")
            for text in tables(run):
                print(text)
    except HarnessError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
