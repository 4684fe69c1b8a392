"""What a probe can show on a model: a Markdown table from finished runs.

`python benchmarks/probe_quality.py RUN [RUN ...]`. For every probe and language: the raw answer
by polarity, the probability on the options, the share of scenarios that are complete, the spread
of a group's contrast over scenarios (median over groups), the paraphrase floor (mean over axes),
the drop under the content control, and the smallest margin at which a fair axis would be called
equivalent with 80 % power, beside the margin of the policy.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

from numpy import mean, median

from harness import stats
from harness.pipeline import Run
from harness.store import RunFolder

HEAD = (
    "probe", "model", "language", "base rate", "mass", "complete", "sd", "floor", "control",
    "decides", "margin",
)  # fmt: skip


def rows(run: Run) -> list[list[str]]:
    """One row a probe and language of a run."""
    found = []
    for probe in run.results["probes"]:
        same = [a for a in run.axes if all(a[k] == probe[k] for k in ("probe", "language", "cue"))]
        effects = [e for e in run.effects if all(e[k] == probe[k] for k in ("probe", "language"))]
        spreads = [e["standard_error"] * math.sqrt(e["n_scenarios"])
                   for e in effects if e["standard_error"]]  # fmt: skip
        n, groups = min(a["n_scenarios"] for a in same), max(a["groups"] for a in same)
        sd = median(spreads) if spreads else None
        floors = [a["floor"]["mean"] for a in same if a["floor"]]
        complete = sum(a["n_scenarios"] for a in same) / sum(a["n_designed"] for a in same)
        found.append([
            probe["probe"], run.manifest["model"]["name"], probe["language"],
            ", ".join(f"{name} {_number(rate['mean'], 2)}"
                      for name, rate in probe["base_rate"].items()) or "-",
            _number(probe["mass"]["mean"], 2), f"{complete:.0%}", _number(sd),
            _number(mean(floors) if floors else None), _control(probe["control"]),
            _number(stats.decidable(sd, n, groups) if sd and n >= 6 else None),
            f"{same[0]['margin']:g}",
        ])  # fmt: skip
    return found


def _control(control: dict[str, Any] | None) -> str:
    if control is None or control["estimate"] is None:
        return "-"
    return f"{control['estimate']:+.3f}, p {control['p_value']:.2g}"


def _number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def main() -> None:
    """Print the table of the runs named on the command line."""
    if len(sys.argv) < 2:
        sys.exit("usage: python benchmarks/probe_quality.py RUN [RUN ...]")
    lines = [HEAD, ["---"] * len(HEAD)]
    for path in sys.argv[1:]:
        lines += rows(Run(RunFolder(Path(path))))
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))


if __name__ == "__main__":
    main()
