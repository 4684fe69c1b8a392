"""Rules about single words: spaces, articles, pronouns, words of another identity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from harness.kinds.parts.scenario import SLOT
from harness.lexicon import Axis, Lexicon
from harness.lint.sheet import Case, Said, Sheet

BLANK = re.compile(r"\s\s|[\t\n\r\u00a0\u3000]|^\s|\s$")
INVISIBLE = re.compile(
    "[\\u00ad\\u200b\\u200c\\u200e\\u200f\\u2060-\\u2064\\ufeff]"
    "|(?<![\\ufe0f\\u2600-\\u27bf\\U0001f000-\\U0001faff])\\u200d"  # which joins emoji
)
ARTICLE = re.compile(r"\b([Aa]n?) ([\w-]+)")
ARTICLE_BEFORE_SLOT = re.compile(r"\b(an?|the) \{([^{}]*)\}", re.IGNORECASE)
TWO_ARTICLES = re.compile(r"\b(?:an?|the) (?:an?|the)\b", re.IGNORECASE)
CONSONANT_SOUND = re.compile(r"u(?:ni(?![nm])|se|si|su|k|t[ei]|yg)|eu|ewe|one\b|one-|once\b", re.I)
VOWEL_SOUND = re.compile(r"8|1[18]\b|1[18]-|hon(?:est|ou?r)|hour|heir", re.I)
SPELLED = re.compile(r"[A-Z]{2,}\b|[A-Z]-|[A-Z]\b")
"""Words said letter by letter."""
CAPITAL = re.compile(r"\{([A-Z])([^{}]*)\}")
BEFORE_CAPITAL = ".!?:…–—-()[]“”‘’\"'"
"""After what a capital may stand."""
PRONOUN = {
    "en": re.compile(r"\b(?:she|he|him|her|his|hers|himself|herself)\b", re.IGNORECASE),
    "zh": re.compile(r"(?<![其吉排利维])(?:他|她)(?![人国乡杀日])"),
}


def spaces(sheet: Sheet) -> Iterator[Said]:
    """No double space, line break or space at an end: they would differ from prompt to prompt."""
    for case in sheet.cases():
        for key, text in case.written():
            if BLANK.search(text):
                yield case.said("has a double space, a line break or a space at an end", *key)
    for axis, where, text in _lexicon(sheet):
        if BLANK.search(text):
            yield Said(axis.place(*where), f"'{text}' has a double space or a space at an end")


def invisible(sheet: Sheet) -> Iterator[Said]:
    """No mark without width or with none but a break: a model reads it, and nobody sees it."""
    for case in sheet.cases():
        for key, text in case.written():
            if found := INVISIBLE.search(text):
                yield case.said(
                    f"holds U+{ord(found[0]):04X}, which nobody sees; take it out", *key
                )
    for axis, where, text in _lexicon(sheet):
        if found := INVISIBLE.search(text):
            seen = INVISIBLE.sub("", text)
            yield Said(
                axis.place(*where),
                f"'{seen}' holds U+{ord(found[0]):04X}, which nobody sees; take it out",
            )


def capitals(sheet: Sheet) -> Iterator[Said]:
    """English: a slot with a capital ({Noun}) begins a sentence."""
    for case in sheet.cases():
        if case.language == "en":
            for key, text in case.texts():
                for slot in CAPITAL.finditer(text):
                    before = text[: slot.start()].rstrip()
                    if before and before[-1] not in BEFORE_CAPITAL:
                        yield case.said(f"has {slot[0]} within a sentence; write "
                                        f"{{{slot[1].lower()}{slot[2]}}}", *key)  # fmt: skip


def articles(sheet: Sheet) -> Iterator[Said]:
    """English: "a" before a consonant's sound, "an" before a vowel's; no article before a slot
    whose words bring their own."""
    for case in sheet.cases():
        if case.language == "en":
            for key, text in _worded(case):
                if wrong := wrong_article(SLOT.sub("@", text)) or _two(sheet, case, text):
                    yield case.said(f"reads '{wrong}'", *key)
    for axis, where, text in _lexicon(sheet):
        if "en" in where and (wrong := wrong_article(text)):
            yield Said(axis.place(*where), f"'{text}' reads '{wrong}'")


def _worded(case: Case) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts, and what they are after an edit that does not only repeat their fault."""
    for key, text in case.texts():
        yield key, text
        if wrong_article(text) is None:
            for name, edit in case.edits():
                if edit.replace in text:
                    yield (name,), text.replace(edit.replace, edit.by)


def _two(sheet: Sheet, case: Case, text: str) -> str | None:
    """An article before a slot, and the words of a group that bring a second one."""
    if found := ARTICLE_BEFORE_SLOT.search(text):
        form = re.sub(r"\d", "", found[2]).lower()
        for _, _, forms in sheet.fillers(case):
            if two := TWO_ARTICLES.search(f"{found[1]} {forms.get(form, '')}"):
                return two[0]
    return None


def wrong_article(text: str) -> str | None:
    """The first place where a and an are mixed up or two articles meet; None where all is well."""
    if two := TWO_ARTICLES.search(text):
        return two[0]
    for found in ARTICLE.finditer(text):
        article, word = found.groups()
        if article.lower() != ("an" if vowel_sound(word) else "a"):
            return found[0]
    return None


def vowel_sound(word: str) -> bool:
    """Whether a word begins with the sound of a vowel."""
    if SPELLED.match(word):
        return word[0] in "AEFHILMNORSX"
    if VOWEL_SOUND.match(word):
        return True
    return word[0].lower() in "aeiou" and not CONSONANT_SOUND.match(word)


def pronouns(sheet: Sheet) -> Iterator[Said]:
    """No he or she, 他 or 她: the frame would say the gender."""
    for case in sheet.cases():
        for key, text in case.written():
            if found := case.language in PRONOUN and PRONOUN[case.language].search(text):
                yield case.said(f"has the pronoun '{found[0]}', which gives a gender; "
                                "name the role (the applicant, 这位顾客)", *key)  # fmt: skip


def identity(sheet: Sheet) -> Iterator[Said]:
    """No word of a group in the frame: the cue would not be the only identity.

    A scenario that wants a difference is free: its law names groups, places and offices.
    """
    for case in sheet.cases():
        if (case.scenario.relevance or case.probe.relevance) != "irrelevant":
            continue
        for key, text in case.written():
            for axis, word in named(sheet.words, case.language, SLOT.sub("{}", text)):
                yield case.said(f"has '{word}' in its frame, a word of axis '{axis}'", *key)
                break


def named(words: Lexicon, language: str, text: str) -> Iterator[tuple[str, str]]:
    """The axes and words of the lexicon that a text names."""
    for axis in words.axes.values():
        if (pattern := _pattern(axis, language)) and (found := pattern.search(text)):
            yield axis.axis, found[0]


_EN = re.compile(
    r"^(?:is |has |uses |carries |comes )?(?:an? |the |from |of |in )*"
    r"(?:person (?:from|with|in|of|who(?: \w+)?) |people )?(?:the |an? )?|(?: person)$"
)
_ZH = re.compile(r"^(?:一位)?(?:来自|患有|今年|已到)?|(?:的人|人士|患者)$")


@cache
def _pattern_of(words: tuple[str, ...], language: str) -> re.Pattern[str]:
    if language != "en":
        return re.compile("|".join(map(re.escape, words)))
    each = [re.escape(w) if w != w.lower() else f"(?i:{re.escape(w)})" for w in words]
    return re.compile(rf"\b(?:{'|'.join(each)})s?\b")


def _pattern(axis: Axis, language: str) -> re.Pattern[str] | None:
    """What matches a word of any group of the axis, longest first."""
    strip = _EN if language == "en" else _ZH
    bare = {strip.sub("", group.explicit[language]["noun"]) for group in axis.groups
            if "noun" in group.explicit.get(language, {})}  # fmt: skip
    words = sorted((word for word in bare if len(word) > 1), key=lambda w: (-len(w), w))
    return _pattern_of(tuple(words), language) if words else None


def _lexicon(sheet: Sheet) -> Iterator[tuple[Axis, tuple[str | int, ...], str]]:
    """Every form of every cue of the axes, with its key."""
    for axis in sheet.axes:
        for i, group in enumerate(axis.groups):
            for language, forms in group.explicit.items():
                for form, text in forms.items():
                    yield axis, ("groups", i, "explicit", language, form), text
            for language, hints in group.implicit.items():
                for j, forms in enumerate(hints):
                    for form, text in forms.items():
                        yield axis, ("groups", i, "implicit", language, j, form), text
