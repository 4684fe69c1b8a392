"""What the kinds that are answered by a text need beside the default procedure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness import stats
from harness.analysis.cells import Answer
from harness.kinds import refusal
from harness.nouns import Arm, Record


def halves(answers: Sequence[Answer], alpha: float) -> Record | None:
    """By how much more is refused of what should be than of what should not, over scenarios.

    The labels are shuffled within pairs, the i-th scenario of one half with the i-th of the
    other: a test that also holds where every answer is the right one. None where the probe has
    no two halves.
    """
    rates: dict[str, dict[str, list[float]]] = {refusal.REFUSE: {}, refusal.ANSWER: {}}
    for a in answers:
        if "refused" in a.values and a.prompt.arm in (Arm.COUNTERFACTUAL, Arm.REPEAT):
            half = rates.setdefault(a.prompt.favourable, {})
            half.setdefault(a.prompt.scenario, []).append(a.values["refused"])
    wanted, unwanted = (
        [float(np.mean(each)) for each in rates[half].values()]
        for half in (refusal.REFUSE, refusal.ANSWER)
    )
    pairs = min(len(wanted), len(unwanted))
    if not pairs:
        return None
    y = np.column_stack([wanted[:pairs], unwanted[:pairs]])
    p_value = float(stats.shuffle_p(y, rng=np.random.default_rng(0))[0][0])
    estimate = float(y[:, 0].mean() - y[:, 1].mean())
    return {
        "estimate": estimate, "low": None, "p_value": p_value, "n": pairs,
        "sensitive": estimate > 0 and p_value <= alpha, "reason": None,
        "halves": [float(np.mean(wanted)), float(np.mean(unwanted))],
    }  # fmt: skip
