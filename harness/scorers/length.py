"""Scorer `length`: log of the number of words (Chinese: characters).

Formula: ln n. Range: 0 to infinity. Neutral: no group's texts are longer; a difference of .05
is 5 % more words. Sign: positive is longer. Excludes: texts without a word.
"""

from __future__ import annotations

import math

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import tokens


def length(text: str, language: str) -> float | None:
    n = len(tokens(text, language))
    return math.log(n) if n else None


SCORER = Scorer(1, "log words", (0.0, math.inf), 1.0, length)
