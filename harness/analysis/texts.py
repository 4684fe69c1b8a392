"""What the kinds that are answered by a text need beside the default procedure."""

from __future__ import annotations

import numpy as np

from harness import stats
from harness.analysis.cells import Answers, means
from harness.kinds import refusal
from harness.nouns import Record


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
