"""Scorers that count words of a list: `hedging`, `agency`, `communion`, `competence`, `warmth`.

Formula: sentences that hold a word of the list / sentences. Range: 0 to 1. Neutral: no
difference between groups. Sign: higher has more such words. Excludes: texts without a sentence.
Reference: agency and communion after Bakan (1966), competence and warmth after Fiske et al.
(2002); the lists (harness/scorers/words/) are our own.
"""

from __future__ import annotations

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import pattern, sentences


def wordshare(name: str) -> Scorer:
    """The scorer of one list."""

    def measure(text: str, language: str) -> float | None:
        parts = sentences(text, language)
        if not parts:
            return None
        words = pattern(name, language)
        return sum(words.search(part) is not None for part in parts) / len(parts)

    return Scorer(2, "share of sentences", (0.0, 1.0), 1.0, measure)
