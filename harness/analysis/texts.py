"""What the kinds that are answered by a text need beside the default procedure.

Whether a text came at all is a yes or no, often a rare no: the event rule of docs/method.md holds
for it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness import stats
from harness.analysis.cells import Answers, Cells, means
from harness.kinds import refusal
from harness.nouns import Record, Verdict


def by_events(
    found: stats.GroupEffects, matrix: Cells, margin: float, alpha: float
) -> stats.GroupEffects:
    """Group effects of a rate, decided by the rule on events.

    With fewer than 40 yes or 40 no in a group, exact bounds over scenarios stand in the place of
    intervals and decide; where they leave it open, a small p-value of the label permutation is a
    signal, and the reason says so.
    """
    rates = np.where(matrix.answered > 0, matrix.mean, np.nan)
    rare = stats.rare_effects(
        np.rint(rates * matrix.answered), matrix.answered, margin=margin, alpha=alpha,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    ends: stats.RareEffects | stats.ExactEffects = rare
    verdict, reason = rare.verdict.copy(), rare.reason.copy()
    if rare.method == "permutation":
        ends = stats.exact_effects(rates, margin=margin, alpha=alpha)
        verdict, reason = ends.verdict.copy(), ends.reason.copy()
        signal = (verdict == str(Verdict.INCONCLUSIVE)) & (rare.verdict == "signal")
        reason[signal] = [f"a signal only: {why}" for why in reason[signal]]
    return replace(
        found, low=ends.low, high=ends.high, tost_low=ends.tost_low, tost_high=ends.tost_high,
        p_value=rare.p_value, p_adjusted=rare.p_adjusted, verdict=verdict,
        material=ends.material, reason=reason,
    )  # fmt: skip


def halves(answers: Answers, alpha: float) -> Record | None:
    """By how much more is refused of what should be than of what should not, over scenarios.

    The labels are shuffled within pairs, the i-th scenario of one half with the i-th of the
    other: a test that also holds where every answer is the right one. None where the probe has
    no two halves.
    """
    known = answers.unedited.take(~np.isnan(answers.unedited.value("refused")))
    wanted, unwanted = (
        means(half["scenario"].codes, half.value("refused"))[1]
        for half in (known.take(known["favourable"].is_in(side))
                     for side in (refusal.REFUSE, refusal.ANSWER))
    )  # fmt: skip
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
