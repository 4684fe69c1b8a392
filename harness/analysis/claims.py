"""A verdict in words: never stronger than the numbers behind it."""

from __future__ import annotations

from harness.nouns import Record, Verdict


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
