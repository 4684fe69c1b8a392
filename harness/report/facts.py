"""What an effect is to be read against: noise floor, worst gap, base rate, content control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.kinds import TEXTS
from harness.report.numbers import count, defined, p_value, percent, plain
from harness.report.phrases import Both, Labels, Words, join
from harness.report.results import Record

ANSWERED = "answered"
SUBJECT = ("yes", "high", "picked", "unnamed")
"""The favourable answers whose half of a sentence on base rates says what is measured."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a list: what it is about, and what is to be said."""

    name: Both
    text: Both


class Facts:
    """Sentences about the axis records and the probe records."""

    def __init__(
        self, words: Words, labels: Labels, looks: Record | None = None,
        returning: Sequence[Record] = (),
    ) -> None:  # fmt: skip
        """`looks` and `returning` are what the manifest says of an early stop and of hints."""
        self._words = words
        self._labels = labels
        self._looks = looks
        self._returning = returning

    def axis(self, record: Record, probe: Record | None) -> list[Fact]:
        """Noise floor, worst gap, base rates: what an effect is to be read against."""
        facts = [Fact(self._words("fact.floor"), self._floor(record))]
        facts.append(Fact(self._words("fact.gap"), self._gap(record["worst_gap"])))
        facts.append(Fact(self._words("fact.scatter"), self._scatter(record)))
        if probe and probe["kind"] not in TEXTS:
            facts.append(Fact(self._words("fact.base"), self._base_rate(probe)))
        if said := self._hints(record):
            facts.append(Fact(self._words("fact.hints"), said))
        if record["scenarios_needed"] and record["verdict"] == "inconclusive":
            needed = count(record["scenarios_needed"])
            facts.append(Fact(self._words("fact.needed"), self._words("why.scenarios", n=needed)))
        if stopped := self.stopped(record):
            facts.append(Fact(self._words("fact.looks"), stopped + self._words("looks.error")))
        return facts

    def stopped(self, record: Record) -> Both | None:
        """At which look an axis was decided and left off; None where it was asked to the end."""
        look = record.get("look")
        if not look or not look["stopped"] or not self._looks:
            return None
        ends = self._looks["ends"][f"{record['probe']} {record['language']}"]
        return self._words(
            "looks.stopped", look=look["look"], of=look["of"],
            asked=count(ends[look["look"] - 1]), all=count(ends[-1]),
        )  # fmt: skip

    def _hints(self, record: Record) -> Both | None:
        """How many names or hints stood for their group in more than one scenario."""
        if record["cue"] != "implicit":
            return None
        of = record["language"], record["axis"]
        for row in self._returning:
            if (row["language"], row["axis"]) == of:
                return self._words("hints", n=count(row["returning"]), all=count(row["words"]))
        return self._words("hints.none")

    def _floor(self, record: Record) -> Both:
        floor, excess = record["floor"], record["excess"]
        if not floor or not defined(floor["mean"]):
            return self._words("floor.none")
        said = self._words("floor", mean=plain(floor["mean"]), n=count(floor["n"]))
        repeat = record.get("repeat")
        if repeat:
            again = self._words("floor.repeat", mean=plain(repeat["mean"]), n=count(repeat["n"]))
            said = said + again
        if not excess or not (defined(excess["estimate"]) and defined(excess["low"])):
            return said + self._words("floor.no_excess")
        key = "floor.more" if excess["estimate"] > 0 else "floor.less"
        return said + self._words(
            key, size=plain(abs(excess["estimate"])), low=self._number(excess["low"]),
            p=self._p(excess["p_value"]), n=count(excess["n"]),
        )  # fmt: skip

    def _gap(self, gap: Record | None) -> Both:
        if not gap:
            return self._words("gap.none")
        names = ("corrected", "lower", "upper", "raw", "tau")
        return self._words(
            "gap", p=self._p(gap["p_value"]), **{name: self._number(gap[name]) for name in names}
        )

    def _scatter(self, record: Record) -> Both:
        """In how many situations the group that varies most is beyond the margin."""
        scatter = record.get("scatter")
        if not scatter:
            return self._words("scatter.none")
        if scatter["sd"] == 0:  # the shares would say of every situation what the mean says
            return self._words("scatter.alike", n=count(scatter["n"]))
        above, below = scatter["share_above"], scatter["share_below"]
        said = self._words(
            "scatter", group=self._labels.group(record["axis"], scatter["group"]),
            share=percent(above + below), above=percent(above), below=percent(below),
            n=count(scatter["n"]),
        )  # fmt: skip
        return said + self._words("scatter.opposite") if above > 0 and below > 0 else said

    def _base_rate(self, probe: Record) -> Both:
        """The raw answer by polarity: a model that always says yes must not look fair."""
        if probe["raw"] is None:
            return self._words("base.of_none")
        said = [
            self._words(
                f"base.{probe['raw']}.{favourable}",
                mean=self._number(rate["mean"]), n=count(rate["n"] or 0),
            )
            for favourable, rate in sorted(
                probe["base_rate"].items(), key=lambda of: of[0] not in SUBJECT
            )
        ]  # fmt: skip
        return join(said, ";") + self._words("end") if said else self._words("base.none")

    def checks(self, probe: Record) -> list[Fact]:
        """Whether the probe could show anything at all, for the overview."""
        words = self._words
        base = self._base_rate(probe)
        rates = probe["base_rate"].values()
        if rates and all(defined(rate["mean"]) for rate in rates):
            base = base + words("base.outside" if probe["degenerate"] else "base.inside")
        mass, texts = probe["mass"], probe["kind"] in TEXTS
        faults = [words.reason(fault) for fault in probe.get("faults", ())]
        return [
            *([Fact(words("fact.faults"), join(faults, ";"))] if faults else []),
            Fact(words("fact.answers"), self._statuses(probe)),
            *([] if texts else [Fact(words("fact.base"), base)]),
            *([] if texts and probe["control"] is None
              else [Fact(words("fact.control"), self._control(probe["control"]))]),
            *([Fact(words("fact.mass"), words("mass", mean=self._number(mass["mean"]),
                                              n=count(mass["n"])))] if mass["n"] else []),
        ]  # fmt: skip

    def _control(self, control: Record | None) -> Both:
        if not control:
            return self._words("control.none")
        if not (defined(control["estimate"]) and ("halves" in control or defined(control["low"]))):
            why = self._words.reason(control.get("reason") or "no answers")
            return self._words("not_measured_why", why=why) + self._words("end")
        if "halves" in control:
            wanted, unwanted = map(percent, control["halves"])
            key = "yes" if control["sensitive"] else "no"
            return self._words(
                "control.halves", wanted=wanted, unwanted=unwanted, n=count(control["n"]),
                p=self._p(control["p_value"]),
            ) + self._words(f"control.halves.{key}")  # fmt: skip
        key = "control.lowers" if control["estimate"] > 0 else "control.raises"
        said = self._words(
            key, size=plain(abs(control["estimate"])), low=self._number(control["low"]),
            p=self._p(control["p_value"]), n=count(control["n"]),
        )  # fmt: skip
        return said + self._words(f"control.{'yes' if control['sensitive'] else 'no'}")

    def _statuses(self, probe: Record) -> Both:
        total = sum(probe["statuses"].values())
        answered = probe["statuses"].get(ANSWERED, 0)
        said = self._words(
            "answers", n=count(answered), all=count(total),
            share=percent(answered / total) if total else "0",
        )  # fmt: skip
        for status, n in probe["statuses"].items():
            if n and status != ANSWERED:
                name = self._words.known(f"status.{status}", status)
                said = said + self._words("answers.other", status=name, n=count(n))
        return said + self._words("end")

    def _number(self, value: float | None, digits: int = 3) -> Both:
        if not defined(value):
            return self._words("not_measured")
        text = plain(value, digits)
        return Both(text, text)

    def _p(self, value: float | None) -> Both:
        if not defined(value):
            return self._words("not_measured")
        text = p_value(value)
        return Both(text, text)
