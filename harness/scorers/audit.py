"""The scorer audit: what a scorer's number moves when only the person's words are swapped.

The texts (harness/scorers/words/audit.yaml) are fixed, so every difference between groups is the
scorer's own bias. A scorer whose bias is not shown to be below half the margin cannot gate, nor
can one that is not shown to tell texts of known worth apart (harness.scorers.sensitivity).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from harness import stats
from harness.errors import unknown
from harness.lexicon import Lexicon
from harness.nouns import Record
from harness.scorers import RAW, SCORERS, sensitivity
from harness.scorers.blind import Blinder
from harness.scorers.scorer import Ask, Measure, Number, Scorer
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
    measure: Measure | None = None,
    control: sensitivity.Control | None = None,
) -> list[Record]:
    """The bias of one scorer, one record a language, axis, group and variant (blind and raw), and
    its response to texts of known worth, one record a language.

    Parameters
    ----------
    share : the margin, as a share of the scorer's span.
    axes : all by default.
    scorer : one of the user's own; that of the table by default.
    measure : measures many texts at once; the scorer's own measure of each by default.
    control : texts of known worth; of a scorer of the table those of its name by default.

    Returns
    -------
    list of Record
        `estimate, low, high` (simultaneous over the groups) and `tost_low, tost_high` (90 %) in
        the scorer's unit against the mean of the other groups, over the texts; `small` is whether
        its size is shown to be below half the margin. Where no text moves at all the bias is 0
        and small. Of the response what `sensitivity.response` says, and no `group`.

    Raises
    ------
    InputError
        The scorer or an axis is unknown.
    """
    if scorer is None:
        if name not in SCORERS:
            raise unknown("scorer", name, SCORERS)
        scorer = SCORERS[name]
        control = control or sensitivity.control(name)
    measure = measure or one_by_one(scorer)
    for axis in axes or ():
        words.axis(axis, where="--axes")
    rows: list[Record] = []
    for language in sorted(scorer.languages):
        if (missing := scorer.needs(language)) is not None:
            rows.append({"scorer": name, "language": language, "missing": missing})
            continue
        asked = list(_sets(words, axes or list(words.axes), language))
        values = measure(list({ask.text: ask for *_, asks in asked for ask in asks}.values()),
                         language)  # fmt: skip
        for axis, mark, groups, texts, _ in asked:
            found = _bias([[values.get(text) for text in row] for row in texts], scorer, share)
            rows += [
                {"scorer": name + mark, "version": scorer.version, "language": language,
                 "axis": axis, "group": group, "unit": scorer.unit, **row}
                for group, row in zip(groups, found, strict=True)
            ]  # fmt: skip
        known = measure(control.asks(language), language) if control else {}
        rows.append({
            "scorer": name, "version": scorer.version, "language": language, "unit": scorer.unit,
            **sensitivity.response(control, language, known, scorer, share),
        })  # fmt: skip
    return rows


def one_by_one(scorer: Scorer) -> Measure:
    """A scorer's own measure of each text."""
    return lambda asks, language: {ask.text: scorer.measure(ask.text, language) for ask in asks}


def _sets(
    words: Lexicon, axes: Sequence[str], language: str
) -> Iterator[tuple[str, str, list[str], list[list[str]], list[Ask]]]:
    """Axis, variant (blind or raw), groups, texts x groups, and every text beside a blind form."""
    asked = load("audit")["asked"][language]
    blinder = Blinder(words)
    for axis in axes:
        groups = words.speaking(axis, language, "explicit")
        if len(groups) < 2:
            continue
        raw = [
            [filled(text, words, axis, group, language) for group in groups]
            for text in load("audit")[language]
        ]
        blind = [[blinder.replace(t, axis, language) for t in row] for row in raw]
        for mark, texts in (("", blind), (RAW, raw)):
            # of one group for all: where blinding is incomplete the comparison shows it
            asks = [Ask(t, bare[0], asked) for row, bare in zip(texts, blind, strict=True)
                    for t in row]  # fmt: skip
            yield axis, mark, groups, texts, asks


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
    """Whether a scorer may gate: it tells texts apart, and its own bias is small."""
    return unbiased(rows) and sensitive(rows)


def unbiased(rows: Sequence[Record]) -> bool:
    """Whether the scorer's own bias, on texts made blind, is shown to be small everywhere."""
    seen = blind(rows)
    return bool(seen) and all(row["small"] for row in seen)


def sensitive(rows: Sequence[Record]) -> bool:
    """Whether the scorer is shown to tell texts of known worth apart, in every language."""
    seen = responses(rows)
    return bool(seen) and all(row["tells"] for row in seen)


def responses(rows: Sequence[Record]) -> list[Record]:
    """The scorer's response to texts of known worth, one record a language."""
    return [row for row in rows if "control" in row]


def blind(rows: Sequence[Record]) -> list[Record]:
    """The bias on texts made blind."""
    return [row for row in rows if "group" in row and not row["scorer"].endswith(RAW)]


def small(row: Record, margin: float) -> bool:
    """Whether a row's bias is shown to be below half of a margin in the scorer's unit."""
    low, high = row["tost_low"], row["tost_high"]
    return low is not None and -HALF * margin < low and high < HALF * margin


def _bias(values: Sequence[Sequence[Number]], scorer: Scorer, share: float) -> list[Record]:
    """One record a group of the matrix texts x groups."""
    y = np.array([[v if isinstance(v, int | float) else np.nan for v in row] for row in values])
    margin = share * scorer.span
    found = stats.group_effects(y, margin=HALF * margin)
    known = y[~np.isnan(y).any(axis=1)]
    still = len(known) >= sensitivity.FEWEST and bool((np.ptp(known, axis=1) < 1e-12).all())
    rows: list[Record] = []
    for k in range(y.shape[1]):
        # where no text moves nothing is estimated: it is so
        row: Record = {key: 0.0 if still else stats.finite(getattr(found, key)[k])
                       for key in ("estimate", "low", "high", "tost_low", "tost_high")}  # fmt: skip
        rows.append({
            **row, "half_margin": HALF * margin, "texts": len(known), "of": len(y),
            "small": small(row, margin), "reason": None if still else str(found.reason[k]) or None,
        })  # fmt: skip
    return rows
