"""Identity-blind texts: the words that carry a group become neutral ones before they are scored.

A scorer that finds "deaf" negative scores texts about deaf people lower whatever they say. So the
cue of the prompt, every form the lexicon knows of any group of its axis, names, pronouns and
gendered words are replaced, the same way for every group. What an unusual paraphrase leaves in
the text, `bias-harness audit-scorer` is there to measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from harness.lexicon import CROSSED, NAMED, Group, Lexicon
from harness.nouns import Prompt
from harness.scorers.wordlists import load

ARTICLE = re.compile(r"^(?:an?|the|someone|一[位名个]|那[位名个])\s*", re.IGNORECASE)
VERB = re.compile(r"^(?:is|has|was|uses|是|患有|今年|有)\s*(?:an? |the )?", re.IGNORECASE)
BEGINS = re.compile(r"(?:^|[.!?:\n])[\s\"'“(*#-]*$")
"""What stands before the first word of a sentence."""
SHORTEST = {"en": 3, "zh": 2}
"""Characters of a form that is looked for by itself."""


class Blinder:
    """Takes the words of one lexicon's groups out of texts."""

    def __init__(self, words: Lexicon) -> None:
        self._words = words
        self._known = cache(self._compiled)

    def blind(self, text: str, prompt: Prompt) -> str:
        """The answer to a prompt without what says whom it is about."""
        text = self._without_cue(text, prompt)
        return self.replace(text, prompt.axis, prompt.language)

    def replace(self, text: str, axis: str, language: str) -> str:
        """The text with every form of the groups of an axis (or of two crossed) made neutral."""
        pattern, by = self._known(axis, language)

        def put(found: re.Match[str]) -> str:
            neutral = by[found[0].lower()]
            if BEGINS.search(
                found.string[max(0, found.start() - 8) : found.start()]
            ):  # a proper noun has a capital too
                return neutral[:1].upper() + neutral[1:]
            return neutral

        return _smooth(pattern.sub(put, text), language)

    def _without_cue(self, text: str, prompt: Prompt) -> str:
        """The text with the names and hints of an implicit cue made neutral."""
        if prompt.cue != "implicit":
            return text
        spoken = {"en": "the person", "zh": "该人士"}[prompt.language]
        for words in prompt.cue_words:
            for part in _name_parts(words, prompt.language):
                edges = (r"\b", r"\b") if prompt.language == "en" else ("", "")
                found = re.compile(edges[0] + re.escape(part) + edges[1], re.IGNORECASE)
                text = found.sub(spoken, text)
        return text

    def _compiled(self, axis: str, language: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
        by = dict(_always(language))
        for part in axis.split(CROSSED):
            for group in self._words.axis(part).groups:
                by |= dict(_of_group(group, language))
            extra = load("blind")[language]["axes"].get(part, [])
            by |= {word.lower(): load("blind")[language]["neutral"]["one"] for word in extra}
        ordered = sorted(by, key=len, reverse=True)
        each = "|".join(re.escape(word) for word in ordered)
        edge = (r"(?<![\w-])", r"(?![\w])") if language == "en" else ("", "")
        return re.compile(f"{edge[0]}(?:{each}){edge[1]}", re.IGNORECASE), by


def _always(language: str) -> Iterator[tuple[str, str]]:
    given: Mapping[str, Any] = load("blind")[language]["always"]
    yield from ((word.lower(), str(neutral)) for word, neutral in given.items())


def _of_group(group: Group, language: str) -> Iterator[tuple[str, str]]:
    """Every form of a group with what stands in its place."""
    forms = group.explicit.get(language)
    if forms is None:
        return
    one, many = (load("blind")[language]["neutral"][key] for key in ("one", "many"))
    english = language == "en"
    bare = ARTICLE.sub("", forms["noun"])
    attribute = VERB.sub("", forms["is"])
    label = group.label.get(language, "")
    for word in (bare, attribute, label, forms.get("head", "")):
        if len(word) >= SHORTEST[language]:
            yield word.lower(), one
            if english:
                yield f"{word.lower()}s", many
                yield f"{word.lower()}'s", f"{one}'s"
    yield forms["noun"].lower(), f"a {one}" if english else f"一位{one}"
    yield forms["the"].lower(), f"the {one}" if english else f"那位{one}"
    yield forms["is"].lower(), f"is a {one}" if english else f"是{one}"
    yield forms["me"].lower(), f"I am a {one}" if english else f"我是{one}"


def _name_parts(words: str, language: str) -> Iterator[str]:
    """An implicit cue as it stands, and where it is a name, its parts."""
    for frame in NAMED[language].values():
        before = frame.split("{")[0]
        words = words.removeprefix(before).removeprefix(before[:1].upper() + before[1:])
    yield words
    parts = words.split()
    if language == "en" and 1 < len(parts) <= 3 and all(part[:1].isupper() for part in parts):
        yield from (part for part in parts if len(part) > 2)
    elif language == "zh" and len(words) == 3:
        yield words[1:]


def _smooth(text: str, language: str) -> str:
    """Neutral words that came to stand twice in a row become one, articles agree."""
    if language == "zh":
        return re.sub(r"(?:人士|的人士)+", "人士", text)
    text = re.sub(r"\b(?:person[ -])+(person|people)\b", r"\1", text, flags=re.IGNORECASE)
    return re.sub(r"\b([Aa])n (?=person\b)", r"\1 ", text)
