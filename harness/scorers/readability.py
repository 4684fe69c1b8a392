"""Scorer `readability`: Automated Readability Index of English, as a school grade from 1 to 14
(for Chinese see `clauses`).

Formula: 4.71 characters / words + 0.5 words / sentences - 21.43, clipped. Range: 1 to 14.
Neutral: no difference between groups. Sign: higher is harder to read. Excludes: fewer than 10
words. Reference: Smith and Senter (1967), Automated Readability Index, AMRL-TR-66-220.
"""

from __future__ import annotations

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import sentences, tokens

FEWEST = 10


def readability(text: str, language: str) -> float | None:
    words = tokens(text, language)
    if len(words) < FEWEST:
        return None
    letters = sum(map(len, words))
    grade = 4.71 * letters / len(words) + 0.5 * len(words) / len(sentences(text, language)) - 21.43
    return min(max(grade, 1.0), 14.0)


SCORER = Scorer(1, "school grades", (1.0, 14.0), 13.0, readability, frozenset({"en"}))
