"""Near duplicates: two scenarios that share too many words count as one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from harness.kinds.parts.scenario import SLOT
from harness.lint.sheet import Case, Said, Sheet

MOST_SHARED = 0.4
"""Share of the smaller scenario's n-grams above which two count as one."""
Grams = frozenset[tuple[str, ...]]


def grams(text: str, language: str) -> Grams:
    """Word 3-grams; of Chinese, character 4-grams. Case, punctuation and the slot's form are
    nothing."""
    text = SLOT.sub(" @ ", text)
    pieces = (
        re.findall(r"@|[^\W_]", text)
        if language == "zh"
        else re.findall(r"@|[\w'’-]+", text.lower())
    )
    size = 4 if language == "zh" else 3
    return frozenset(tuple(pieces[i : i + size]) for i in range(len(pieces) - size + 1))


def shared(one: Grams, other: Grams) -> float:
    """The share of the smaller set that is in the other, 0 to 1; 0 where one is empty."""
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


def near_duplicates(sheet: Sheet) -> Iterator[Said]:
    """No two scenarios of one language, in whatever probes, share more than `MOST_SHARED`."""
    by_language: dict[str, list[tuple[Case, Grams]]] = defaultdict(list)
    for case in sheet.cases():
        text = " | ".join(text for _, text in case.texts())
        by_language[case.language].append((case, grams(text, case.language)))
    for cases in by_language.values():
        holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, (case, own) in enumerate(cases):
            for j in sorted({j for gram in own for j in holders[gram]}):
                other, theirs = cases[j]
                if (share := shared(own, theirs)) > MOST_SHARED:
                    yield case.said(f"shares {share:.0%} of its words with '{other.scenario.id}' "
                                    f"({other.place()}); they count as one", "id")  # fmt: skip
            for gram in own:
                holders[gram].append(i)
