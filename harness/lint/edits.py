"""Rules about the edits of a scenario."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.kinds import TEXTS
from harness.lint.sheet import Said, Sheet

NEGATION = {
    "en": re.compile(
        r"\b(?:no|not|never|none|nothing|nobody|nowhere|neither|nor|without|cannot)\b|n['’]t\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"不(?![错久断同过仅])|没(?!收)|(?<!有)无(?!论|人机|线)|未(?!来)|勿"),
}


def negations(sheet: Sheet) -> Iterator[Said]:
    """An edit keeps the number of negation words: a model that answers to a mere "not" would
    otherwise seem to read. Texts that are written have no such answer."""
    for case in sheet.cases():
        if case.language not in NEGATION or case.probe.kind in TEXTS:
            continue
        for name, edit in case.edits():
            before, after = (len(NEGATION[case.language].findall(text))
                             for text in (edit.replace, edit.by))  # fmt: skip
            if before != after:
                yield case.said(f"has {before} negation words before '{name}' and {after} after; "
                                "reword it so that the number stays", name)  # fmt: skip
