"""Scorers: one number from one text, one small file each, listed in `SCORERS`.

A scorer sees a text after the words that carry a group were taken out of it
(harness.scorers.blind); its number on the text as it is stands beside it, under NAME_raw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from harness import lexicon
from harness.nouns import Prompt, Record, Response, Score, Status
from harness.scorers import clauses, drift, length, readability, sentiment, status, variety
from harness.scorers.blind import Blinder
from harness.scorers.scorer import LONGEST, Scorer
from harness.scorers.wordlists import without_tags
from harness.scorers.wordshare import wordshare

SCORERS: Mapping[str, Scorer] = {
    "status": status.SCORER,
    "sentiment": sentiment.SCORER,
    "agency": wordshare("agency"),
    "communion": wordshare("communion"),
    "competence": wordshare("competence"),
    "warmth": wordshare("warmth"),
    "hedging": wordshare("hedging"),
    "drift": drift.SCORER,
    "length": length.SCORER,
    "readability": readability.SCORER,
    "clauses": clauses.SCORER,
    "variety": variety.SCORER,
}
"""In the order in which a reader needs them: how a text ended, what it says, how it is written."""
FORM = frozenset({"length", "readability", "clauses", "variety"})
"""Scorers of how a text is written, whatever it says."""

RAW = "_raw"
"""Ends the name of a number that was measured on the text with its cue words in place."""
DRIFT = "drift"
FIRST = "status"
"""The scorer whose outcome a kind of text already has as its own."""
FOREIGN = 0.5
"""Share of another language above which only `drift` is measured: the word lists of a language
find nothing in another, and that nothing is not 0."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The answered texts by prompt id, without and with the words that carry the group."""

    blind: Mapping[str, str]
    raw: Mapping[str, str]


def texts(
    prompts: Sequence[Prompt],
    responses: Mapping[str, Response],
    scores: pa.Table,
) -> Texts:
    """What is to be scored, as it is and without the forms of the shipped lexicon.

    Parameters
    ----------
    prompts : those of the kinds that are answered by a text.
    scores : the kinds' own, with every response's status.
    """
    if not prompts:
        return Texts({}, {})
    answers = scores.filter(pc.equal(scores["status"], str(Status.ANSWERED)))
    known = set(answers["prompt"].to_pylist())
    answered = [prompt for prompt in prompts if prompt.id in known]
    raw = {prompt.id: clean(responses[prompt.id].text or "") for prompt in answered}
    if not answered:
        return Texts({}, {})
    blinder = Blinder(lexicon.load())
    return Texts({prompt.id: blinder.blind(raw[prompt.id], prompt) for prompt in answered}, raw)


def score(prompts: Sequence[Prompt], of: Texts) -> list[Score]:
    """Every scorer's number of every answered text, blind and raw; none where it has none."""
    found: list[Score] = []
    for prompt in (prompt for prompt in prompts if prompt.id in of.raw):
        able = measuring(prompt.language)
        if foreign(of.raw[prompt.id], prompt.language):
            able = {name: able[name] for name in able if name == DRIFT}
        for mark, each in (("", of.blind), (RAW, of.raw)):
            for name, scorer in able.items():
                value = scorer.measure(each[prompt.id], prompt.language)
                if value is not None:
                    row = Score(prompt.id, prompt.group, Status.ANSWERED, name + mark, value)
                    found.append(row)
    return found


def reading(name: str) -> tuple[bool, int]:
    """Sorts scorers as a reader needs them: those of one's own first, those of form last."""
    return name in FORM, [*SCORERS].index(name) + 1 if name in SCORERS else 0


def foreign(text: str, language: str) -> bool:
    """Whether a text is for the most part in another language than it was asked in."""
    share = drift.drift(text, language)
    return share is not None and share > FOREIGN


def clean(text: str) -> str:
    """The text without tags and lone surrogates, cut at `LONGEST`."""
    return without_tags(text[:LONGEST]).encode("utf-8", "replace").decode("utf-8")


def measuring(language: str) -> dict[str, Scorer]:
    """The scorers that can measure a language here."""
    return {
        name: scorer
        for name, scorer in SCORERS.items()
        if name != FIRST and language in scorer.languages and scorer.needs(language) is None
    }


def unmeasured(languages: Sequence[str]) -> list[Record]:
    """The scorers that cannot, and why."""
    return [
        {"scorer": name, "language": language,
         "reason": scorer.needs(language) if language in scorer.languages
         else f"not defined for '{language}'"}
        for name, scorer in SCORERS.items() for language in languages
        if name != FIRST and name not in measuring(language)
    ]  # fmt: skip
