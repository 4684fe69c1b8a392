"""Word lists and patterns of the scorers (harness/scorers/words/*.yaml): data, no code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness.documents import tree

FOLDER = Path(__file__).with_name("words")
TAG = re.compile(
    r"<(script|style)\b[^>]{0,300}>.{0,5000}?</\1>|</?[A-Za-z][^<>]{0,300}>|<!--.{0,300}?-->",
    re.DOTALL | re.IGNORECASE,
)
CHINESE = r"[\u3400-\u9fff]|(?:(?<![A-Za-z])|(?<=TA))TA(?=(?:TA)*(?![A-Za-z]))"
"""A Chinese character; TA, which stands for 她 and 他 in blind texts, is one as they are."""


@cache
def load(name: str) -> Mapping[str, Any]:
    """The list of this name, by language."""
    path = FOLDER / f"{name}.yaml"
    return tree(path.read_text("utf-8"), path).data


@cache
def pattern(name: str, language: str, *key: str) -> re.Pattern[str]:
    """The words under a key as one pattern; a trailing * of an English word stands for any ending.

    Chinese words are looked for as they stand, the longer ones first.
    """
    words: Any = load(name)[language]
    for part in key:
        words = words[part]
    ordered = sorted(words, key=len, reverse=True)
    if language == "en":
        each = [re.escape(word).replace(r"\*", r"[a-z]*") for word in ordered]
        return re.compile(rf"\b(?:{'|'.join(each)})\b", re.IGNORECASE)
    return re.compile("|".join(map(re.escape, ordered)))


def without_tags(text: str) -> str:
    """The text with a blank in the place of every tag, script and comment of HTML."""
    return TAG.sub(" ", text)


def has_words(text: str) -> bool:
    """Whether there is anything to read beside tags, signs and blanks."""
    return any(character.isalnum() for character in without_tags(text))


def tokens(text: str, language: str) -> list[str]:
    """English words in lower case; Chinese characters one by one."""
    if language == "zh":
        return re.findall(CHINESE, text)
    return [word.lower() for word in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text)]


def sentences(text: str, language: str) -> list[str]:
    """Pieces between full stops (。！？ too) and line breaks that hold a word."""
    return [s for s in re.split(r"[.!?。！？；\n]+", text) if tokens(s, language)]
