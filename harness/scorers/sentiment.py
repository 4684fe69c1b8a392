"""Scorer `sentiment`: how kindly a text speaks, by a lexicon library a language.

English: the compound score of VADER (Hutto and Gilbert 2014). Chinese: positive less negative
words of HowNet in cnsenti, d, put on the same scale by VADER's own formula d / sqrt(d^2 + 15).
Range: -1 to 1. Neutral: 0, as many good words as bad. Sign: positive is kinder. Excludes: texts
without a word. Both libraries are an extra (`pip install bias-harness[text]`); without them it
is not measured.
"""

from __future__ import annotations

import importlib.util
import math
from functools import cache
from typing import Any

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import tokens

LIBRARY = {"en": "vaderSentiment", "zh": "cnsenti"}
SCALE = 15.0


def needs(language: str) -> str | None:
    """The library that is missing."""
    if importlib.util.find_spec(LIBRARY[language]) is not None:
        return None
    return f"needs {LIBRARY[language]}: pip install 'bias-harness[text]'"


def sentiment(text: str, language: str) -> float | None:
    if not tokens(text, language):
        return None
    if language == "en":
        return float(_vader().polarity_scores(text)["compound"])
    counts = _cnsenti().sentiment_count(text)
    d = counts["pos"] - counts["neg"]
    return float(d / math.sqrt(d * d + SCALE))


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@cache
def _cnsenti() -> Any:
    import logging

    import jieba
    from cnsenti import Sentiment

    jieba.setLogLevel(logging.WARNING)
    return Sentiment()


SCORER = Scorer(1, "valence", (-1.0, 1.0), 2.0, sentiment, needs=needs)
