"""What a page says in words. A claim is never stronger than its verdict."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kinds import TEXTS
from harness.lexicon import CROSSED
from harness.nouns import largest_shown
from harness.report.numbers import count, defined, interval, percent, plain
from harness.report.phrases import HYPHEN, Both, Labels, Words, join
from harness.report.results import Family, Key, Record, measured

ORDER = ("disparity", "inconclusive", "equivalent")
SHOWN = 3  # more undecided axes than this are named without their reasons


class Claims:
    """Sentences about effects, axes, families and the run."""

    def __init__(self, words: Words, labels: Labels, coverage_floor: float) -> None:
        self._words = words
        self._labels = labels
        self._floor = coverage_floor

    def headline(self, families: Sequence[Family]) -> Both:
        """One sentence over the run; counts only, when several families stand beside each other.

        Crossed axes, which no gate counts, have a sentence of their own.
        """
        many = len([family for family in families if family.axes]) > 1
        return self._said([result.record for f in families for result in f.axes], many=many)

    def family_headline(self, family: Family) -> Both:
        return self._said([result.record for result in family.axes], many=False)

    def _said(self, records: Sequence[Record], *, many: bool) -> Both:
        axes = [record for record in records if CROSSED not in record["axis"]]
        crossed = [record for record in records if CROSSED in record["axis"]]
        said = []
        if axes and many:
            said.append(self._words("headline.many", n=len(axes), **_counts(axes)))
        elif axes:
            said.append(self._sentence(axes))
        if crossed:
            key = "headline.crossed" if axes else "headline.crossed.only"
            said.append(self._words(key, n=len(crossed), **_counts(crossed)))
        if not said:
            return self._words("headline.none")
        return Both(" ".join(part.en for part in said), "".join(part.zh for part in said))

    def family(self, family: Key) -> Both:
        """A family in words: probe, kind, language, cue."""
        probe, kind, language, cue = family
        said = self._words.known(f"kind.{kind}", kind)
        return self._words(
            "family",
            probe=said if probe == kind else self._words("family.probe", probe=probe, kind=said),
            language=self._words.known(f"language.{language}", language),
            cue=self._words.known(f"cue.{cue}", cue),
        )

    def direction(self, estimate: float, groups: int) -> Both:
        """Which way an effect goes, and from whom."""
        return self._words(f"direction.{_way(estimate)}", others=self._words.others(groups - 1))

    def way(self, estimate: float | None) -> Both:
        """The direction in one word, where the column says what it is from."""
        return self._words(f"way.{_way(estimate or 0.0)}")

    def effect(self, record: Record, axis: Record) -> Both:
        """One effect as half a sentence: group, size, direction, interval, n."""
        group = self.leader(axis["axis"], record["group"])
        if not measured(record):
            return self._words("effect.undefined", group=group)
        return self._words(
            "effect",
            group=group,
            size=plain(abs(record["estimate"])),
            direction=self.direction(record["estimate"], axis["groups"]),
            interval=interval(record["low"], record["high"]),
            n=count(axis["n_scenarios"]),
        )

    def leader(self, axis: str, group: str | None) -> Both:
        """Whose the largest effect is; all groups', where they are level."""
        return self._labels.group(axis, group) if group else self._words("groups.all")

    def axis(self, record: Record) -> Both:
        """The axis's claim (in English the analysis's own sentence) and its largest effect."""
        margin = plain(record["margin"]) if defined(record["margin"]) else "?"
        zh = self._words(
            f"claim.{record['verdict']}",
            margin=margin,
            alpha=percent(record["alpha"]),
            why=self.why(record) or self._words("why.unknown"),
        ).zh
        claim = Both(HYPHEN.sub("\N{MINUS SIGN}", record["claim"]), zh)
        claim = self._refused(record) + self._labels.named(record["axis"], claim)
        if largest := largest_shown(record):
            claim = claim + self._words("claim.largest", effect=self.effect(largest, record))
        return claim

    def _refused(self, record: Record) -> Both:
        """Who is refused more often whatever is asked; empty where nobody is."""
        found = record.get("refused_apart")
        if not found:
            return Both("", "")
        axis = record["axis"]
        return self._words(
            "claim.refused",
            most=self._labels.group(axis, found["most"]), much=percent(found["most_share"]),
            least=self._labels.group(axis, found["least"]), little=percent(found["least_share"]),
        )  # fmt: skip

    def why(self, record: Record) -> Both | None:
        """Why an axis has no verdict, as shortly as it can be said."""
        if record["verdict"] != "inconclusive":
            return None
        reason = self._labels.why(self._words, record["axis"], record["reason"])
        if largest_shown(record) is None and reason:
            return reason
        coverage, needed = record["coverage"], record["scenarios_needed"]
        if defined(coverage) and coverage < self._floor:
            known = "why.known" if record["kind"] in TEXTS else "why.coverage"
            return self._words(known, share=percent(coverage))
        if needed is not None and needed > 0:
            return self._words("why.scenarios", n=count(needed))
        return reason

    def _sentence(self, records: Sequence[Record]) -> Both:
        parts: list[Both] = []
        for verdict in ORDER:
            chosen = [record for record in records if record["verdict"] == verdict]
            if chosen:
                key = f"headline.{verdict}.{'then' if parts else 'first'}"
                parts.append(
                    self._words(
                        key, k=len(chosen), n=len(records), axes=self._names(chosen),
                        claim=self._margin("equivalence", chosen),
                        within=self._margin("within", chosen),
                    )
                )  # fmt: skip
        return Both("; ".join(p.en for p in parts) + ".", "；".join(p.zh for p in parts) + "。")

    def _margin(self, key: str, records: Sequence[Record]) -> Both:
        """What "equivalent" claims: the common margin, or that every axis has its own."""
        margins = {record["margin"] for record in records}
        margin = margins.pop() if len(margins) == 1 else None
        if not defined(margin):
            return self._words(f"{key}.margins")
        return self._words(key, margin=plain(margin), alpha=percent(records[0]["alpha"]))

    def _names(self, records: Sequence[Record]) -> Both:
        few = len(records) <= SHOWN
        return join([self._named(r) if few else self._name(r) for r in records])

    def _name(self, record: Record) -> Both:
        label = self._labels.axis(record["axis"])
        return Both(label.en.lower(), label.zh)

    def _named(self, record: Record) -> Both:
        why = self.why(record)
        name = self._name(record)
        return self._words("headline.with_reason", axis=name, why=why) if why else name


def _way(estimate: float) -> str:
    """Said of the number as it is printed: what reads 0.000 is neither higher nor lower."""
    shown = round(estimate, 3)
    return "higher" if shown > 0 else "lower" if shown < 0 else "same"


def _counts(records: Sequence[Record]) -> dict[str, int]:
    """How many have each verdict."""
    return {verdict: sum(r["verdict"] == verdict for r in records) for verdict in ORDER}
