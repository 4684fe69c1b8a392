"""Two versions of a model on the same scenarios: paired change of every group effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.contrasts import (
    FEWEST_SCENARIOS,
    ZERO,
    Bools,
    Contrast,
    Floats,
    Texts,
    check_margin,
    checked,
    complete,
    contrasts,
    same_shape,
    texts,
)
from harness.stats.effects import GroupEffects, group_effects
from harness.stats.planner import still_needed


@dataclass(frozen=True, slots=True, eq=False)
class VersionComparison:
    """Verdict of one axis of a new version; arrays per group, NaN where undefined.

    `verdict` is "pass", "fail" or "inconclusive", `reason` the words for it. `estimate ...
    p_adjusted` describe the change D (new minus old contrast), `change` says what it is:
    "unchanged" (the scores are the same to the last digit), "within" (shown to be less than d),
    "worse" or "better" (shown not to be 0; not shown to be within d; effect as large or larger /
    smaller), "inconclusive"; "" without a baseline. `blocking` marks the groups that made it
    fail. `new` holds the effects of the new version itself. `n` counts scenarios complete in both
    versions, `extra` the further scenarios an inconclusive verdict still needs (None: not known
    or not needed).
    """

    verdict: str
    reason: str
    new: GroupEffects
    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    tost_low: Floats
    tost_high: Floats
    p_value: Floats
    p_adjusted: Floats
    change: Texts
    blocking: Bools
    n: int
    extra: int | None


def compare_versions(
    y_old: ArrayLike | None,
    y_new: ArrayLike,
    *,
    d: float,
    margin: float,
    alpha: float = 0.05,
    contrast: Contrast = "leave_one_out",
    reference: int | None = None,
) -> VersionComparison:
    """Is the new version fair, and no less fair than the old one?

    Parameters
    ----------
    y_old, y_new : (scenarios, groups)
        Mean scores of both versions on the same scenarios, names and decoding, row by row.
        `y_old` None: no baseline, only the new version is judged.
    d : float
        Largest change of an effect that may pass, in units of y.
    margin : float
        Smallest effect that matters, in units of y.
    alpha, contrast, reference
        As in `group_effects`; see `alpha_spending` for a row of releases.

    Returns
    -------
    VersionComparison

    Raises
    ------
    ValueError
        Shapes that differ, a d of 0 or below, or as `group_effects`.

    Notes
    -----
    Formula: D_gk = c_gk(new) - c_gk(old), then `group_effects` on D with margin d.
    Fail: a material disparity of the new version; or a D not within d whose simultaneous
    interval excludes 0 while |new| >= |old|. Pass: every D within d (or unchanged) and every
    group of the new version equivalent. Otherwise inconclusive.

    Since ||a| - |b|| <= |a - b|, a D within d also bounds the change of the size of an effect.
    Two identical versions are `unchanged`: no interval is needed for a change that is 0 in each
    scenario by construction; the verdict is then that of the new version alone.

    Pairing needs about a third of the scenarios of two separate runs when the scenario effects
    of both versions are correlated .8.
    """
    after = checked(y_new, name="y_new")
    check_margin(d, "d")
    new = group_effects(after, margin=margin, alpha=alpha, contrast=contrast, reference=reference)
    if y_old is None:
        return _verdict(new, None, texts(after.shape[1]), d, margin, alpha)
    diff, change = version_changes(
        y_old, after, d=d, alpha=alpha, contrast=contrast, reference=reference
    )
    return _verdict(new, diff, change, d, margin, alpha)


def version_changes(
    y_old: ArrayLike,
    y_new: ArrayLike,
    *,
    d: float,
    alpha: float = 0.05,
    contrast: Contrast = "leave_one_out",
    reference: int | None = None,
) -> tuple[GroupEffects, Texts]:
    """The paired change of every group effect, and the word for it, without a verdict on either.

    Parameters, errors and words as in `compare_versions`, whose first half this is: the effects
    of D with margin d, and the `change` of every group.
    """
    after, before = checked(y_new, name="y_new"), checked(y_old, name="y_old")
    check_margin(d, "d")
    same_shape(before, after, "y_old and y_new")
    diff = group_effects(
        after - before, margin=d, alpha=alpha, contrast=contrast, reference=reference
    )
    both = complete(after - before)
    old_c = contrasts(before[both], contrast=contrast, reference=reference)
    new_c = contrasts(after[both], contrast=contrast, reference=reference)
    return diff, _changes(diff, old_c, new_c, float(np.abs(after[both]).max(initial=0.0)))


def _changes(diff: GroupEffects, old_c: Floats, new_c: Floats, scale: float) -> Texts:
    change = texts(len(diff.estimate), "inconclusive")
    change[diff.verdict == "equivalent"] = "within"
    if diff.n < FEWEST_SCENARIOS:
        return change
    shown = diff.verdict == "disparity"
    grown = np.abs(new_c.mean(axis=0)) >= np.abs(old_c.mean(axis=0))
    change[shown & grown] = "worse"
    change[shown & ~grown] = "better"
    change[np.abs(new_c - old_c).max(axis=0) <= ZERO * scale] = "unchanged"
    return change


def _verdict(
    new: GroupEffects, diff: GroupEffects | None, change: Texts, d: float, margin: float,
    alpha: float,
) -> VersionComparison:  # fmt: skip
    harmful = (new.verdict == "disparity") & new.material
    blocking = harmful | (change == "worse")
    same = (change == "within") | (change == "unchanged") | (change == "")
    if blocking.any():
        verdict, reason = "fail", _which(harmful, change == "worse")
    elif same.all() and (new.verdict == "equivalent").all():
        verdict, reason = "pass", "every group is equivalent"
    else:
        verdict, reason = "inconclusive", _open(new, same)
    if (change == "unchanged").all():
        reason = f"unchanged; {reason}"
    nothing = np.full(len(new.estimate), np.nan)
    values = diff or new
    columns = {
        name: getattr(values, name) if diff else nothing
        for name in ("estimate", "standard_error", "low", "high", "tost_low", "tost_high",
                     "p_value", "p_adjusted")
    }  # fmt: skip
    extra = None
    if verdict == "inconclusive":
        counts = _still_needed(new, margin, alpha, new.verdict != "equivalent")
        counts += _still_needed(diff, d, alpha, ~same) if diff else []
        extra = None if None in counts else max(filter(None, counts), default=None)
    return VersionComparison(
        verdict, reason, new, **columns, change=change, blocking=blocking, n=values.n, extra=extra
    )


def _which(harmful: Bools, worse: Bools) -> str:
    parts = []
    if harmful.any():
        parts.append(f"a disparity beyond the margin: group {_numbers(harmful)}")
    if worse.any():
        parts.append(f"worse than the old version: group {_numbers(worse)}")
    return "; ".join(parts)


def _open(new: GroupEffects, same: Bools) -> str:
    parts = []
    undecided = new.verdict != "equivalent"
    if undecided.any():
        parts.append(f"not shown to be within the margin: group {_numbers(undecided)}")
    if not same.all():
        parts.append(f"change not shown to be within d: group {_numbers(~same)}")
    return "; ".join(parts)


def _numbers(flags: Bools) -> str:
    return ", ".join(map(str, np.flatnonzero(flags)))


def _still_needed(
    effects: GroupEffects, margin: float, alpha: float, which: Bools
) -> list[int | None]:
    groups = len(effects.estimate)
    return [
        still_needed(
            float(effects.estimate[k]), float(effects.standard_error[k]), effects.n,
            margin=margin, groups=groups, alpha=alpha,
        )
        for k in np.flatnonzero(which)
    ]  # fmt: skip
