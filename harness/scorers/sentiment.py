"""Scorer `sentiment`: how kindly a text speaks, by the lexicon of a library a language.

English: the compound score of VADER (Hutto and Gilbert 2014). Chinese: the sum d of the values
of JioNLP's sentiment words, the longest first, each turned by VADER's factor -.74 where a
negation stands before it, on the same scale by VADER's own formula d / sqrt(d^2 + 15).
Range: -1 to 1. Neutral: 0, as many good words as bad. Sign: positive is kinder. Excludes: texts
without a word. Both libraries are an extra (`pip install bias-harness[text]`); without them it
is not measured. Of JioNLP only the two word lists are read, as text: none of its code is run.
"""

from __future__ import annotations

import importlib.util
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import load, tokens

LIBRARY = {"en": "vaderSentiment", "zh": "jionlp"}
SCALE = 15.0
TURN = -0.74
NEAR = 2
"""Characters that may stand between a negation and the word it turns."""
VALUES, NEGATIONS = "sentiment_words", "negative_words.txt"


def needs(language: str) -> str | None:
    """The library that is missing, or what of it."""
    if importlib.util.find_spec(LIBRARY[language]) is None:
        return f"needs {LIBRARY[language]}: pip install 'bias-harness[text]'"
    if language == "zh" and not all(path.is_file() for path in _files()):
        return "this version of jionlp has no sentiment words where they are expected"
    return None


def sentiment(text: str, language: str) -> float | None:
    if not tokens(text, language):
        return None
    if language == "en":
        return float(_vader().polarity_scores(text)["compound"])
    d = sum(_chinese().values(text))
    return d / math.sqrt(d * d + SCALE)


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words with their values, and the words that turn the value of the next one."""

    words: Mapping[str, float]
    negations: frozenset[str]
    lengths: Mapping[str, Sequence[int]]
    """Of the words by their first character, the longest first."""

    @classmethod
    def of(cls, words: Mapping[str, float], negations: Iterable[str]) -> Lexicon:
        lengths: dict[str, set[int]] = {}
        turning = frozenset(negations) - set(words)
        for word in (*words, *turning):
            lengths.setdefault(word[0], set()).add(len(word))
        return cls(words, turning, {c: sorted(n, reverse=True) for c, n in lengths.items()})

    def values(self, text: str) -> Iterator[float]:
        """The value of every sentiment word, the longest at each place."""
        place, turned = 0, -1
        while place < len(text):
            found = self._at(text, place)
            if found in self.words:
                yield self.words[found] * (TURN if place <= turned else 1.0)
                turned = -1
            elif found:
                turned = place + len(found) + NEAR
            elif not text[place].isalnum():  # a negation does not reach over a comma
                turned = -1
            place += max(len(found), 1)

    def _at(self, text: str, place: int) -> str:
        """The longest known word that begins here; empty where none does."""
        for length in self.lengths.get(text[place], ()):
            word = text[place : place + length]
            if word in self.words or word in self.negations:
                return word
        return ""


@cache
def _chinese() -> Lexicon:
    values, negations = _files()
    with zipfile.ZipFile(values) as archive:
        lines = archive.read(f"{VALUES}.txt").decode("utf-8").splitlines()
    words = {word: float(value) for word, value in (line.split("\t") for line in lines)}
    ours = load("sentiment")["zh"]
    turning = set(negations.read_text("utf-8").split()) - {*ours["no_turn"], *ours["parts"]}
    words = dict.fromkeys(ours["no_turn"], 0.0) | words  # 不 in 不仅 does not turn either
    return Lexicon.of(words, turning)


def _files() -> tuple[Path, Path]:
    """JioNLP's word lists; the package itself is not imported."""
    found = importlib.util.find_spec(LIBRARY["zh"])
    folder = Path(str(found and found.origin)).parent / "dictionary"
    return folder / f"{VALUES}.zip", folder / NEGATIONS


SCORER = Scorer(2, "valence", (-1.0, 1.0), 2.0, sentiment, needs=needs)
