"""What a combination of two groups adds to its parts, for axes that were asked together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness import stats
from harness.analysis.cells import Answers, Family, cells
from harness.kinds import KINDS
from harness.lexicon import CROSSED
from harness.nouns import Record


def intersections(family: Family, answers: Answers, alpha: float) -> Iterator[Record]:
    """One record a cell of two crossed axes; nothing for a single axis.

    `raw` is the cell against the mean of all, `additive` what the two axes alone predict,
    `shrunk` that with the interaction shrunk towards none; `beyond` marks interactions shown
    apart from it. A cell is exploratory: it never decides alone.
    """
    if CROSSED not in family.axis:
        return
    matrix = cells(answers, KINDS[family.kind].OUTCOME)
    pairs = [tuple(group.split(CROSSED)) for group in matrix.groups]
    first, second = (list(dict.fromkeys(names)) for names in zip(*pairs, strict=True))
    if min(len(first), len(second)) < 2:
        return
    asked = np.zeros((len(first), len(second)), dtype=bool)  # some cells cannot be
    cube = np.full((len(matrix.scenarios), len(first), len(second)), np.nan)
    for k, (a, b) in enumerate(pairs):
        place = first.index(a), second.index(b)
        cube[:, *place], asked[place] = matrix.mean[:, k], True
    found = stats.intersections(cube, asked=asked, alpha=alpha)
    for a, b in pairs:
        place = first.index(a), second.index(b)
        yield {
            **family._asdict(), "group": f"{a}{CROSSED}{b}",
            **{name: stats.finite(getattr(found, name)[place]) for name in
               ("raw", "additive", "shrunk", "interaction", "standard_error", "p_adjusted")},
            "beyond": bool(found.beyond[place]), "n": found.n, "reason": found.reason or None,
        }  # fmt: skip
