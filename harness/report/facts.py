"""What an effect is to be read against: noise floor, worst gap, base rate, content control."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.numbers import count, defined, p_value, percent, plain
from harness.report.phrases import Both, Words
from harness.report.results import Record

ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Fact:
    name: Both
    text: Both


class Facts:
    def __init__(self, words: Words) -> None:
        self._words = words

    def axis(self, record: Record, probe: Record | None) -> list[Fact]:
        """Noise floor, worst gap, base rates: what an effect is to be read against."""
        facts = [Fact(self._words("fact.floor"), self._floor(record))]
        facts.append(Fact(self._words("fact.gap"), self._gap(record["worst_gap"])))
        if probe:
            facts.append(Fact(self._words("fact.base"), self._base_rate(probe)))
        if record["scenarios_needed"]:
            needed = count(record["scenarios_needed"])
            facts.append(
                Fact(self._words("fact.needed"), self._words("why.scenarios", n=needed))
            )
        return facts

    def _floor(self, record: Record) -> Both:
        floor, excess = record["floor"], record["excess"]
        if not floor or not defined(floor["mean"]):
            return self._words("floor.none")
        said = self._words("floor", mean=plain(floor["mean"]), n=count(floor["n"]))
        if not excess or not defined(excess["estimate"]):
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

    def _base_rate(self, probe: Record) -> Both:
        rates = probe["base_rate"]
        values = {
            f"{option}_{part}": self._number(rates[option][part], 3 if part == "mean" else 0)
            for option in ("yes", "no")
            for part in ("mean", "n")
            if option in rates
        }
        key = "base" if len(values) == 4 else "base.none"
        return self._words(key, **values)

    def checks(self, probe: Record) -> list[Fact]:
        """Whether the probe could show anything at all, for the overview."""
        words = self._words
        base = self._base_rate(probe) + words(f"base.degenerate.{str(probe['degenerate']).lower()}")
        control = probe["control"]
        if control and defined(control["estimate"]):
            key = "control.yes" if control["sensitive"] else "control.no"
            said = words(
                key, estimate=plain(control["estimate"]), low=self._number(control["low"]),
                p=self._p(control["p_value"]), n=count(control["n"]),
            )  # fmt: skip
        else:
            said = words("control.none")
        mass = words(
            "mass", mean=self._number(probe["mass"]["mean"]), n=count(probe["mass"]["n"] or 0)
        )
        return [
            Fact(words("fact.answers"), self._statuses(probe)),
            Fact(words("fact.base"), base),
            Fact(words("fact.control"), said),
            Fact(words("fact.mass"), mass),
        ]

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
        return said + self._words("answers.end")

    def _number(self, value: float | None, digits: int = 3) -> Both:
        if not defined(value):
            return self._words("not_measured")
        text = plain(value, digits)
        return Both(text, text)

    def _p(self, value: float | None) -> Both:
        if not defined(value):
            return self._words("p.none")
        text = p_value(value)
        return Both(text, text)
