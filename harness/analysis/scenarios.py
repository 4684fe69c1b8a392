"""How many more scenarios an open verdict needs, and when no number can be promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import stats


def needed(
    rows: Sequence[Mapping[str, Any]],
    margin: float,
    *,
    groups: int,
    beyond: float = 0.0,
    faults: Sequence[str] = (),
) -> int | None:
    """Further scenarios after which every one of these open rows should be decided.

    Parameters
    ----------
    rows : effects, or changes of effects, whose verdict is open.
    margin : the margin of an effect, or d of a change, in units of the outcome.
    groups : over how many groups the intervals hold at once: all of the axis, open or not.
    beyond : what a difference must be shown to exceed to decide.
    faults : of the probe (degenerate, insensitive): they stay, however many scenarios are asked.

    Returns
    -------
    int or None
        None without rows, with a fault, and where no number is known for one of them: see
        `_by_scenarios` and `stats.still_needed`.
    """
    if faults:
        return None
    counts = [
        stats.still_needed(
            row["estimate"], row["standard_error"], row["n_scenarios"],
            margin=margin, groups=groups, alpha=row["alpha"], beyond=beyond,
        ) if _by_scenarios(row, margin) else None
        for row in rows
    ]  # fmt: skip
    known = [count for count in counts if count]
    return max(known) if known and len(known) == len(counts) else None


def _by_scenarios(row: Mapping[str, Any], margin: float) -> bool:
    """Whether it is the number of scenarios that keeps a row open.

    It is not without an interval, nor where bounds count scenarios and no spread is estimated
    (`df` undefined), nor where names return: the variance between them is part of the interval
    (`df` is then another than n - 1) and stays, however many scenarios they return in. Nor where
    the narrow interval lies inside the margin already: a fault of the probe or missing answers
    keep such a row open.
    """
    if row["low"] is None or row["df"] != row["n_scenarios"] - 1:
        return False
    return not (-margin < row["tost_low"] and row["tost_high"] < margin)
