"""What a comparison says in words: which way an effect moved, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from harness.nouns import largest_shown
from harness.report.claims import Claims
from harness.report.numbers import count, defined, interval, percent, plain
from harness.report.phrases import Both, Labels, Words, join
from harness.report.results import Record, key, measured
from harness.report.tables import Cell, Judgement

ORDER = ("worse", "inconclusive", "better", "unchanged")
FEW = 3
"""More axes of one verdict than this are named without their reasons."""


class Changes:
    """Sentences about the axes and effects of a comparison."""

    def __init__(self, words: Words, labels: Labels) -> None:
        self._words = words
        self._labels = labels
        self._claims = Claims(words, labels, 0.0)

    def headline(self, axes: Sequence[Record]) -> Both:
        """One sentence over the comparison; counts only where several families were asked."""
        if len({key(axis) for axis in axes}) > 1:
            n = {verdict: sum(a["verdict"] == verdict for a in axes) for verdict in ORDER}
            return self._words("changed.many", n=len(axes), **n)
        return self.sentence(axes)

    def sentence(self, axes: Sequence[Record]) -> Both:
        """One sentence over the axes of a family."""
        parts: list[Both] = []
        for verdict in ORDER:
            chosen = [axis for axis in axes if axis["verdict"] == verdict]
            if chosen:
                names = join([self._named(a, reasons=len(chosen) <= FEW) for a in chosen])
                key_ = f"changed.{verdict}.{'then' if parts else 'first'}"
                parts.append(self._words(key_, k=len(chosen), n=len(axes), axes=names))
        return Both("; ".join(p.en for p in parts) + ".", "；".join(p.zh for p in parts) + "。")

    def verdict(self, verdict: str, note: Both | None = None) -> Cell:
        word = self._words(f"change.{verdict}")
        return Cell(Judgement(verdict, word, note), (verdict, note.en if note else ""))

    def why(self, axis: Record) -> Both | None:
        """Why an axis has no verdict, as shortly as it can be said."""
        if axis["verdict"] != "inconclusive":
            return None
        if axis["scenarios_needed"]:
            return self._words("why.scenarios", n=count(axis["scenarios_needed"]))
        return self._labels.why(self._words, axis["axis"], axis["reason"])

    def way(self, estimate: float | None) -> Both:
        """Which way an effect moved, said of the number as it is printed."""
        shown = round(estimate or 0.0, 3)
        return self._words(f"moved.{'up' if shown > 0 else 'down' if shown < 0 else 'same'}")

    def claim(self, axis: Record) -> Both:
        """The axis's claim (in English the comparison's own) and its largest change."""
        zh = self._words(
            f"change.claim.{axis['verdict']}", d=plain(axis["d"]), alpha=percent(axis["alpha"]),
            why=self.why(axis) or self._words("why.unknown"),
        ).zh  # fmt: skip
        said = Both(axis["claim"], zh)
        if largest := largest_shown(axis):
            said = said + self._words("change.largest", change=self.effect(largest, axis))
        return said

    def effect(self, change: Record, axis: Record) -> Both:
        """One change as half a sentence: group, size, direction, interval, n."""
        group = self._claims.leader(axis["axis"], change["group"])
        if not (defined(change["estimate"]) and measured(change)):
            return self._words("effect.undefined", group=group)
        return self._words(
            "change.effect", group=group, size=plain(abs(change["estimate"])),
            way=self.way(change["estimate"]), interval=interval(change["low"], change["high"]),
            n=count(axis["n_scenarios"]),
        )  # fmt: skip

    def _named(self, axis: Record, *, reasons: bool) -> Both:
        label = self._labels.axis(axis["axis"])
        name = Both(label.en.lower(), label.zh)
        why = self.why(axis) if reasons else None
        return self._words("headline.with_reason", axis=name, why=why) if why else name
