"""Every sentence in both languages at once (words/en.yaml, words/zh.yaml).

A page carries both; a switch in the page hides one. So whatever is said is a pair, and a pair
renders as two spans of which CSS shows one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import escape

from harness.documents import tree
from harness.nouns import counted, visible

LANGUAGES = ("en", "zh")
HYPHEN = re.compile(r"(?<![\w/.-])-(?=\d)")
"""A minus that is written as a hyphen."""


@dataclass(frozen=True, slots=True)
class Both:
    """One text in English and Chinese, not yet escaped."""

    en: str
    zh: str

    def __html__(self) -> str:
        en, zh = escape(visible(self.en)), escape(visible(self.zh))
        if en == zh:
            return str(en)
        return f'<span class="en" lang="en">{en}</span><span class="zh" lang="zh-Hans">{zh}</span>'

    def __add__(self, other: Both) -> Both:
        return Both(self.en + other.en, self.zh + other.zh)


Value = Both | str | int


class Words:
    """`words("key", name=value)` is the sentence of that key with its slots filled."""

    def __init__(
        self, en: Mapping[str, str], zh: Mapping[str, str], reasons: Mapping[str, str]
    ) -> None:
        self._texts = {"en": en, "zh": zh}
        self._reasons = [(re.compile(english), chinese) for english, chinese in reasons.items()]

    def __call__(self, key: str, **values: Value) -> Both:
        filled = [
            self._texts[language][key].format(**{k: pick(v, language) for k, v in values.items()})
            for language in LANGUAGES
        ]
        return Both(counted(filled[0]), filled[1])

    def known(self, key: str, fallback: Both | str) -> Both:
        """The text of `key`, or `fallback` for a name from data that no text is written for."""
        if key in self._texts["en"]:
            return self(key)
        return fallback if isinstance(fallback, Both) else Both(fallback, fallback)

    def unit(self, kind: str) -> Both:
        """What the outcome of a task kind is measured in."""
        return self.known(f"unit.{kind}", self("unit"))

    def coverage(self, kind: str) -> Both:
        """What the share of answers that have an outcome is called; a refused text has one."""
        return self.known(f"column.coverage.{kind}", self("column.coverage"))

    def others(self, groups: int) -> Both:
        """Whom a group is compared with."""
        return self("others.one") if groups == 1 else self("others.many", n=groups)

    def reason(self, reason: str) -> Both:
        """A reason of the analysis in its own English, in Chinese where reasons.yaml has it."""
        reason = counted(HYPHEN.sub("\N{MINUS SIGN}", reason))
        for english, chinese in self._reasons:
            if found := english.fullmatch(reason):
                for i, inner in enumerate(found.groups(), 1):  # it may hold another one
                    chinese = chinese.replace(f"\\{i}", self.reason(inner).zh)
                return Both(reason, chinese)
        return Both(reason, reason)

    def under(self, prefix: str) -> dict[str, list[str]]:
        """All texts whose key starts with `prefix`, as [en, zh]: the page's script needs them."""
        return {
            key.removeprefix(prefix): [text, self._texts["zh"][key]]
            for key, text in self._texts["en"].items()
            if key.startswith(prefix)
        }


def pick(value: Value, language: str) -> str:
    if isinstance(value, Both):
        return value.en if language == "en" else value.zh
    return str(value)


def join(items: list[Both], comma: str = ",") -> Both:
    """A list in words: commas in English, 、 in Chinese; semicolons in both."""
    zh = "、" if comma == "," else "；"
    return Both(f"{comma} ".join(i.en for i in items), zh.join(i.zh for i in items))


def load(*rooms: str) -> Words:
    """The words that ship with the report, and those of other rooms."""
    found = [{k: v for room in ("harness.report", *rooms) for k, v in texts(name, room).items()}
             for name in (*LANGUAGES, "reasons")]  # fmt: skip
    return Words(*found)


def texts(name: str, room: str = "harness.report") -> dict[str, str]:
    file = f"words/{name}.yaml"
    raw = files(room).joinpath(file).read_text(encoding="utf-8")
    return {str(key): str(text) for key, text in tree(raw, Path(file)).data.items()}


@dataclass(frozen=True, slots=True)
class Labels:
    """What people call axes and groups; a name without a label stands for itself."""

    axes: Mapping[str, Mapping[str, str]]
    groups: Mapping[str, Mapping[str, Mapping[str, str]]]

    def axis(self, axis: str) -> Both:
        return _label(self.axes.get(axis, {}), axis)

    def group(self, axis: str, group: str) -> Both:
        return _label(self.groups.get(axis, {}).get(group, {}), group)

    def named(self, axis: str, said: Both) -> Both:
        """A reason with the groups it quotes by name: the analysis knows their ids alone."""
        en, zh = said.en, said.zh
        for group in self.groups.get(axis, {}):
            name = self.group(axis, group)
            for left, right in ("''", "“”"):
                en = en.replace(left + group + right, left + name.en + right)
                zh = zh.replace(left + group + right, left + name.zh + right)
        return Both(en, zh)

    def why(self, words: Words, axis: str, reason: str | None) -> Both | None:
        """A reason of the analysis as people read it: in both languages, groups by name."""
        return self.named(axis, words.reason(reason)) if reason else None


def named(labels: Mapping[str, Any], axis: str, said: str) -> str:
    """`Labels.named` of an English reason, by the labels of a manifest."""
    return Labels(labels["axes"], labels["groups"]).named(axis, Both(said, said)).en


def _label(label: Mapping[str, str], name: str) -> Both:
    en = label.get("en", name)
    return Both(en, label.get("zh", en))
