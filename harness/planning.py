"""How many scenarios a suite needs, and what it can detect with those it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness import analysis, policy, stats
from harness.analysis.scenarios import needed
from harness.documents import shipped
from harness.errors import InputError
from harness.nouns import Record
from harness.questions import questions
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
    rules = policy.load(shipped("probes") / "policies" / "default.yaml")
    design = questions(suite).design()
    for family in analysis.detectable(design, (PILOT_SD,)):
        least = margin or rules.margin(family["kind"], family["axis"])
        yield _row(family, PILOT_SD, least, family["scenarios"], rules.alpha)


def _after(run: str, margin: float | None) -> Iterator[Record]:
    folder = RunFolder(Path(run))
    results = folder.read_json(EFFECTS)
    for axis in results["axes"]:
        members = [e for e in results["effects"] if _same(e, axis)]
        known = [e for e in members if e["standard_error"]]
        if not known:
            continue  # nothing was measured, so nothing can be planned from it
        faults = [f for probe in results["probes"] if _same(probe, axis, PROBE)
                  for f in probe["faults"]]  # fmt: skip
        n = axis["n_scenarios"]
        spread = max(e["standard_error"] for e in known) * math.sqrt(n)
        row = _row(axis, stats.upper_sd(spread, n), margin or axis["margin"], n, axis["alpha"])
        if margin in (None, axis["margin"]):
            yield {**row, "verdict": axis["verdict"], "still_needed": axis["scenarios_needed"]}
        else:  # the run's verdict is not one on this margin
            yield {**row, "still_needed": _still_needed(members, axis, margin, faults)}


PROBE = ("probe", "kind", "language", "cue")


def _same(record: Record, axis: Record, keys: Sequence[str] = (*PROBE, "axis")) -> bool:
    return all(record[key] == axis[key] for key in keys)


def _still_needed(
    effects: Sequence[Record], axis: Record, margin: float, faults: Sequence[str] = ()
) -> int | None:
    """Further scenarios for every group whose intervals are open at this margin."""
    open_ = [
        e for e in effects
        if e["low"] is None
        or (e["low"] <= 0 <= e["high"]
            and not (-margin < e["tost_low"] and e["tost_high"] < margin))
    ]  # fmt: skip
    return needed(open_, margin, groups=axis["groups"], faults=faults) if open_ else 0


def _row(family: Record, sd: float, margin: float, scenarios: int, alpha: float) -> Record:
    groups = family["groups"]
    try:
        plan_ = stats.plan(margin, sd, groups, alpha=alpha)
    except ValueError as error:
        raise InputError(f"--margin {margin:g}: {error}") from error
    enough = scenarios >= FEWEST_SCENARIOS
    return {
        **{key: family[key] for key in ("probe", "kind", "language", "cue", "axis", "groups")},
        "scenarios": scenarios, "margin": margin, "sd": sd,
        "shows": stats.detectable(sd, scenarios, groups, alpha=alpha) if enough else None,
        "difference": plan_.difference, "all_equivalent": plan_.all_equivalent,
        "verdict": None, "still_needed": None,
    }  # fmt: skip
