"""Scorer `length`: log of the number of words (Chinese: characters).

Formula: ln n. Range: 0 to ln 20,000 = 9.9, since no more characters than that are measured; a
margin is no share of it, but of 1: .05 is 5 % more words. Neutral: no group's texts are longer.
Sign: positive is longer. Excludes: texts without a word.
"""

from __future__ import annotations

import math

from harness.scorers.scorer import LONGEST, Scorer
from harness.scorers.wordlists import tokens


def length(text: str, language: str) -> float | None:
    n = len(tokens(text, language))
    return math.log(min(n, LONGEST)) if n else None


SCORER = Scorer(2, "log words", (0.0, math.log(LONGEST)), 1.0, length)
