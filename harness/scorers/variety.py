"""Scorer `variety`: moving-average share of different words (Chinese: characters) in a window.

Formula: mean over windows of 20 words of (different words / 20). Range: 0 to 1. Neutral: no
difference between groups. Sign: higher is more varied; unlike the plain ratio of types to tokens
it does not fall with length. Excludes: texts shorter than the window.
Reference: Covington and McFall (2010), Journal of Quantitative Linguistics 17(2).
"""

from __future__ import annotations

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import tokens

WINDOW = 20


def variety(text: str, language: str) -> float | None:
    words = tokens(text, language)
    windows = len(words) - WINDOW + 1
    if windows < 1:
        return None
    return sum(len(set(words[i : i + WINDOW])) for i in range(windows)) / (windows * WINDOW)


SCORER = Scorer(2, "share of different words", (0.0, 1.0), 1.0, variety)
