"""How many scenarios a suite needs, and what it can detect with those it has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from harness import analysis, lexicon, policy, probes, stats
from harness.design import choose_groups, expand
from harness.documents import shipped
from harness.errors import InputError
from harness.nouns import Record
from harness.stats.contrasts import FEWEST_SCENARIOS
from harness.store import EFFECTS, RunFolder

PILOT_SD = 0.03
"""Standard deviation of a contrast over scenarios to plan with where no run tells a better one."""


def plan(suite: str = "quick", *, margin: float | None = None, run: str | None = None) -> Record:
    """Scenarios needed for every family of a suite, or of a finished run.

    Parameters
    ----------
    suite : name of a suite; not used with `run`.
    margin : smallest difference that matters; the policy's by default.
    run : folder of a finished run, whose spread over scenarios is taken (its upper 80 % bound).

    Returns
    -------
    Record
        `source` says where the spread comes from; `families` has for each the number of
        scenarios it has, needs to show a difference, and needs to be called equivalent.

    Raises
    ------
    InputError
        A margin that is not between 0 and 1, an unknown suite, or no finished run.
    """
    if margin is not None and not 0 < margin < 1:
        raise InputError(f"--margin {margin:g}: must lie between 0 and 1")
    if run is None:
        rows = list(_before(suite, margin))
        return {"source": f"assumed to be {PILOT_SD:g}; --from RUN takes a run's", "families": rows}
    return {"source": f"from {run}, its upper 80 % bound", "families": list(_after(run, margin))}


def _before(suite: str, margin: float | None) -> Iterator[Record]:
    library = probes.library(shipped("probes"))
    words = lexicon.load(shipped("probes") / "lexicon")
    rules = policy.load(shipped("probes") / "policies" / "default.yaml")
    chosen = library.suite(suite)
    asked = [library.probe(name) for name in chosen.probes]
    design = expand(asked, words, choose_groups(chosen, words, None), chosen.languages)
    for family in analysis.detectable(design.prompts, (PILOT_SD,)):
        least = margin or rules.margin(family["kind"], family["axis"])
        yield _row(family, PILOT_SD, least, family["scenarios"])


def _after(run: str, margin: float | None) -> Iterator[Record]:
    folder = RunFolder(Path(run))
    results = folder.read_json(EFFECTS)
    for axis in results["axes"]:
        members = [e for e in results["effects"] if _same(e, axis)]
        known = [e for e in members if e["standard_error"]]
        if not known:
            continue  # nothing was measured, so nothing can be planned from it
        n = axis["n_scenarios"]
        spread = max(e["standard_error"] for e in known) * math.sqrt(n)
        row = _row(axis, stats.upper_sd(spread, n), margin or axis["margin"], n)
        yield {**row, "verdict": axis["verdict"], "still_needed": axis["scenarios_needed"]}


def _same(effect: Record, axis: Record) -> bool:
    return all(effect[key] == axis[key] for key in ("probe", "language", "cue", "axis"))


def _row(family: Record, sd: float, margin: float, scenarios: int) -> Record:
    groups = family["groups"]
    needed = stats.plan(margin, sd, groups)
    enough = scenarios >= FEWEST_SCENARIOS
    return {
        **{key: family[key] for key in ("probe", "kind", "language", "cue", "axis", "groups")},
        "scenarios": scenarios, "margin": margin, "sd": sd,
        "shows": stats.detectable(sd, scenarios, groups) if enough else None,
        "difference": needed.difference, "all_equivalent": needed.all_equivalent,
        "verdict": None, "still_needed": None,
    }  # fmt: skip
