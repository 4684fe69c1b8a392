"""What a scorer makes of texts of known worth (`harness.scorers.sensitivity`), in words."""

from __future__ import annotations

from collections.abc import Iterable

from harness.report.numbers import count, interval, plain, signed
from harness.report.phrases import Both, Words
from harness.report.results import Record


class Responses:
    """The responses of a run's scorers, from the rows of their audits."""

    def __init__(self, words: Words, audits: Iterable[Record]) -> None:
        self._words = words
        self._rows = {(row["scorer"], row["language"]): row for row in audits if "control" in row}

    def dull(self, scorer: str, language: str) -> Both | None:
        """That an audited scorer is not shown to tell texts apart; None where it is."""
        row = self._rows.get((scorer, language))
        return None if row and row["tells"] else self._words("response.dull")

    def said(self, scorer: str, language: str) -> Both:
        """The response of an audited scorer, and what it means for the gate."""
        row = self._rows.get((scorer, language))
        if row is None:
            return self._words("response.never", scorer=scorer)
        if row["reason"]:
            return self._words("response.none", why=self._words.reason(row["reason"]))
        ways = {
            "size": signed(row["estimate"]), "interval": interval(row["low"], row["high"]),
            "n": count(row["pairs"]),
        }  # fmt: skip
        if row["tells"]:
            return self._words("response.tells", **ways, margins=f"{row['in_margins']:.1f}")
        return self._words("response.blunt", **ways, margin=plain(row["margin"]))
