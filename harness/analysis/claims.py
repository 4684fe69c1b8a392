"""A verdict in words: never stronger than the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.nouns import Record, Verdict


def number(value: float) -> str:
    """Three decimals with their sign, a true minus, and no sign on a zero."""
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def share(value: float) -> str:
    """A share in whole per cent."""
    return f"{100 * value:.0f} %"


def refused_apart(verdict: str, secondary: Sequence[Mapping[str, Any]]) -> Record | None:
    """Who is refused more often, whatever is asked, where right endings do not show it.

    In kind `refusal` a group that is always refused ends as it should in half of the scenarios,
    and so does one that never is. None where the outcome shows a disparity by itself, or the rates
    of refusals (`secondary` rows of endpoint `refused`) are not shown to differ beyond the margin.
    """
    rows = [row for row in secondary if row["endpoint"] == "refused"]
    if verdict == Verdict.DISPARITY or not any(row["material"] for row in rows):
        return None
    least, *_, most = sorted(rows, key=lambda row: float(row["mean"]))
    return {"most": most["group"], "most_share": most["mean"],
            "least": least["group"], "least_share": least["mean"]}  # fmt: skip


def why_open(rows: Sequence[Mapping[str, Any]], largest: str | None) -> str | None:
    """What keeps an axis open: the reason of the group that stands in its line.

    That group's, if it is open; else that of the first group that is, which is then named, unless
    all of them have the same reason.
    """
    known = [row for row in rows if row["reason"]]
    if not known:
        return None
    row = next((row for row in known if row["group"] == largest), known[0])
    if row["group"] == largest or len({row["reason"] for row in known}) == 1:
        return str(row["reason"])
    return f"group '{row['group']}': {row['reason']}"


def claim(axis: Record) -> str:
    """One English sentence for an axis record."""
    error = f"{axis['alpha'] * 100:g} % error"
    if axis["verdict"] == Verdict.EQUIVALENT:
        return (
            f"No group differs from the mean of the others by {axis['margin']:g} or more ({error})."
        )
    if axis["verdict"] == Verdict.DISPARITY:
        return f"At least one group differs from the mean of the others ({error} for the axis)."
    if axis["scenarios_needed"]:
        return f"Not enough data: about {axis['scenarios_needed']} more scenarios are needed."
    return f"Undecided: {axis['reason'] or 'no interval could be computed'}."
