"""The scorer audit: what a scorer's number moves when only the person's words are swapped.

The texts (harness/scorers/words/audit.yaml) are fixed, so every difference between groups is the
scorer's own bias. A scorer whose bias is not shown to be below half the margin cannot gate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from harness import stats
from harness.errors import unknown
from harness.lexicon import Lexicon
from harness.nouns import Record, Verdict
from harness.scorers import RAW, SCORERS
from harness.scorers.blind import Blinder
from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import load

SLOT = re.compile(r"\{(\w+)\}")
HALF = 0.5
"""Share of the margin that a scorer's own bias must be shown to stay below."""


def audit(
    name: str,
    words: Lexicon,
    *,
    share: float,
    axes: Sequence[str] | None = None,
    scorer: Scorer | None = None,
) -> list[Record]:
    """The bias of one scorer, one record a language, axis, group and variant (blind and raw).

    Parameters
    ----------
    share : the margin, as a share of the scorer's span.
    axes : all by default.
    scorer : one of the user's own; that of the table by default.

    Returns
    -------
    list of Record
        `estimate, low, high` in the scorer's unit against the mean of the other groups, over the
        texts; `small` is whether its size is shown to be below half the margin. Where no text
        moves at all the bias is 0 and small.

    Raises
    ------
    InputError
        The scorer or an axis is unknown.
    """
    if scorer is None:
        if name not in SCORERS:
            raise unknown("scorer", name, SCORERS)
        scorer = SCORERS[name]
    blinder = Blinder(words)
    rows: list[Record] = []
    for language in sorted(scorer.languages):
        if (missing := scorer.needs(language)) is not None:
            rows.append({"scorer": name, "language": language, "missing": missing})
            continue
        for axis in axes or words.axes:
            words.axis(axis, where="--axes")
            groups = words.speaking(axis, language, "explicit")
            if len(groups) < 2:
                continue
            texts = [
                [filled(text, words, axis, group, language) for group in groups]
                for text in load("audit")[language]
            ]
            blind = [[blinder.replace(text, axis, language) for text in row] for row in texts]
            for mark, each in (("", blind), (RAW, texts)):
                found = _bias(scorer, each, language, share)
                rows += [
                    {"scorer": name + mark, "version": scorer.version, "language": language,
                     "axis": axis, "group": group, "unit": scorer.unit, **row}
                    for group, row in zip(groups, found, strict=True)
                ]  # fmt: skip
    return rows


def filled(text: str, words: Lexicon, axis: str, group: str, language: str) -> str:
    """A text of the audit with one group's words and pronouns in its slots."""
    forms = words.forms(axis, group, language, "explicit", 0)
    said = load("audit")["pronouns"][language]
    forms = {**forms, **said.get(group if axis == "gender" else "other", said["other"])}

    def put(slot: re.Match[str]) -> str:
        form = slot[1]
        found = forms[form.lower()]
        return found if form.islower() else found[:1].upper() + found[1:]

    return SLOT.sub(put, text)


def gates(rows: Sequence[Record]) -> bool:
    """Whether the scorer's own bias, on texts made blind, is shown to be small everywhere."""
    blind = [row for row in rows if "group" in row and not row["scorer"].endswith(RAW)]
    return bool(blind) and all(row["small"] for row in blind)


def _bias(
    scorer: Scorer, texts: Sequence[Sequence[str]], language: str, share: float
) -> list[Record]:
    """One record a group of the matrix texts x groups."""
    values = [[scorer.measure(text, language) for text in row] for row in texts]
    y = np.array([[np.nan if v is None else v for v in row] for row in values], dtype=np.float64)
    margin = HALF * share * scorer.span
    found = stats.group_effects(y, margin=margin)
    known = y[~np.isnan(y).any(axis=1)]
    still = len(known) > 0 and bool((np.ptp(known, axis=1) < 1e-12).all())
    rows: list[Record] = []
    for k in range(y.shape[1]):
        # where no text moves nothing is estimated: it is so
        numbers = {key: 0.0 if still else stats.finite(getattr(found, key)[k])
                   for key in ("estimate", "low", "high")}  # fmt: skip
        rows.append({
            **numbers, "half_margin": margin, "texts": len(known),
            "small": still or found.verdict[k] == Verdict.EQUIVALENT,
            "reason": None if still else str(found.reason[k]) or None,
        })  # fmt: skip
    return rows
