"""The token budget: groups of one axis should cost a model about the same, and not much."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.kinds.parts.scenario import SLOT
from harness.lint.sheet import Said, Sheet

MOST_APART = 12
"""Tokens between the longest and the shortest cue of an axis that are still few."""
MOST = 300
"""Tokens of a scenario's texts above which a probe becomes slow on a small machine."""


def budget(sheet: Sheet) -> Iterator[Said]:
    """The cues of one axis, in the forms that a probe uses, differ by few tokens."""
    if sheet.count is None:
        return
    found: dict[tuple[int, str, str], dict[str, dict[str, int]]] = {}
    for case in sheet.cases():
        slots = {slot for _, text in case.texts() for slot in SLOT.findall(text)}
        for form in {re.sub(r"\d", "", slot).lower() for slot in slots}:
            for axis, group, forms in sheet.fillers(case):
                key = (sheet.probes.index(case.probe), case.language, axis)
                counts = found.setdefault(key, {}).setdefault(form, {})
                if form in forms and group not in counts:
                    counts[group] = sheet.count(forms[form])
    for (i, language, axis), by_form in found.items():
        spans = [(max(c.values()) - min(c.values()), form, c) for form, c in by_form.items() if c]
        apart, form, counts = max(spans, key=lambda span: span[0], default=(0, "", {}))
        if apart > MOST_APART:
            short, long = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
            yield Said(sheet.probes[i].place("axes"),
                       f"the cues of axis '{axis}' in '{language}' differ by {apart} tokens in "
                       f"form '{form}': '{long}' has {counts[long]}, '{short}' {counts[short]}; "
                       "length alone may move an answer")  # fmt: skip


def length(sheet: Sheet) -> Iterator[Said]:
    """A scenario's texts together are not long: every group is asked about them anew."""
    if sheet.count is None:
        return
    for case in sheet.cases():
        total = sheet.count(" ".join(text for _, text in case.texts()))
        if total > MOST:
            yield case.said(
                f"has {total} tokens, more than {MOST}; every group is asked anew", "id"
            )
