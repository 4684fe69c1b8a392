"""The rules for the words of probes and lexicon, as checks with file and line.

An error makes a result wrong or impossible; a warning says what the result cannot promise. A rule
is a pure function of a `Sheet` and one line in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict

from harness import probes
from harness.crossing import choose_fewer, choose_groups
from harness.documents import Document, read_text, tree
from harness.errors import InputError
from harness.lexicon import Axis, Lexicon
from harness.lint import balance, cues, edits, overlap, tokens, wording
from harness.lint.sheet import Counter, Said, Sheet
from harness.probes import Probe

Level = Literal["error", "warning"]
RULES: Mapping[str, tuple[Level, Callable[[Sheet], Iterator[Said]]]] = {
    "askable": ("error", cues.askable),
    "form": ("error", cues.forms),
    "together": ("error", cues.together),
    "second-cue": ("error", cues.second_cue),
    "space": ("error", wording.spaces),
    "invisible": ("error", wording.invisible),
    "article": ("error", wording.articles),
    "capital": ("error", wording.capitals),
    "pronoun": ("error", wording.pronouns),
    "identity": ("error", wording.identity),
    "negation": ("error", edits.negations),
    "near-duplicate": ("error", overlap.near_duplicates),
    "few-scenarios": ("warning", balance.few),
    "balance": ("warning", balance.halves),
    "domains": ("warning", balance.domains),
    "token-budget": ("warning", tokens.budget),
    "length": ("warning", tokens.length),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, where. `where` is `file:line`."""

    level: Level
    rule: str
    where: str
    message: str


class _Any(Document):
    """Only enough of a file to know what it is."""

    model_config: ClassVar[ConfigDict] = {**Document.model_config, "extra": "ignore"}
    kind: str | None = None
    axis: str | None = None


def lint(paths: Sequence[Path], words: Lexicon, *, count: Counter | None = None) -> list[Finding]:
    """Check files of probes, suites and axes against every rule, and against each other.

    Parameters
    ----------
    words : the lexicon whose groups fill the slots.
    count : tokens of a text; None leaves the token budget unchecked.

    Returns
    -------
    list of Finding
        In the order of the files' lines. A file that cannot be read is an error of rule `file`.
    """
    found: list[Finding] = []
    asked: list[Probe] = []
    axes: list[Axis] = []
    for path in paths:
        try:
            given = tree(read_text(path), path)
            head = given.document(_Any)
            if head.kind is not None:
                asked.append(probes.probe_of(given))
            elif head.axis is not None:
                axes.append(given.document(Axis))
            else:
                suite = probes.suite_of(given)
                choose_groups(suite, words, None)
                choose_fewer(suite, words, None)
        except InputError as error:
            found += [_finding("file", line, path) for line in str(error).splitlines()]
    sheet = Sheet(asked, axes, words, count)
    for name, (level, rule) in RULES.items():
        found += [Finding(level, name, said.where, said.message) for said in rule(sheet)]
    order = {str(path): i for i, path in enumerate(paths)}
    return sorted(found, key=lambda f: _position(f.where, order))


def _finding(rule: str, message: str, path: Path) -> Finding:
    where, colon, rest = message.partition(": ")
    if not colon or not where.startswith(str(path)):
        where, rest = f"{path}:1", message
    if not where.rpartition(":")[2].isdecimal():  # of a whole file, which has no line
        where += ":1"
    return Finding("error", rule, where, rest)


def _position(where: str, order: Mapping[str, int]) -> tuple[int, int]:
    file, _, line = where.rpartition(":")
    return order.get(file, len(order)), int(line) if line.isdecimal() else 0
