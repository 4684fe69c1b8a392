"""How things look in a terminal of 80 columns."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.width import WIDTH, fit, pad, wrap
from harness.nouns import Record, largest_shown, visible

if TYPE_CHECKING:
    from harness.selftest import Control

EVERY = 15.0
"""Seconds between progress lines when the output is no terminal."""
FEW = 8
"""Answers before which nothing can be said of how long the others take."""
HYPHEN = re.compile(r"(?<![\w/.-])-(?=\d)")
"""A minus that an older run wrote as a hyphen."""
GLYPH = {"equivalent": "●", "disparity": "▲", "inconclusive": "◐"}


class Screen:
    """Tells a person how a run goes, on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._start = self._last = 0.0
        self._first = 0

    def say(self, text: str) -> None:
        text = visible(text)
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def progress(self, done: int, total: int, tokens: int) -> None:
        """A bar on a terminal; elsewhere a line now and then."""
        now = time.monotonic()
        if not self._start:
            self._start = self._last = now
            self._first = done
        speed = tokens / max(now - self._start, 1e-9)
        if sys.stderr.isatty():
            self._draw(done, total, speed)
            return
        if now - self._last >= EVERY or done == total:
            self._last = now
            rate = (done - self._first) / max(now - self._start, 1e-9)
            told = rate and done < total and done - self._first >= FEW
            left = f", {_long((total - done) / rate)} left" if told else ""
            self.say(f"{done} of {total} prompts ({rate:.1f}/s, {speed:.0f} tokens/s{left})")

    def _draw(self, done: int, total: int, speed: float) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=total, initial=done, unit=" prompts", ncols=WIDTH - 1,
                             file=sys.stderr)  # fmt: skip
        self._bar.set_postfix_str(f"{speed:.0f} tokens/s", refresh=False)
        self._bar.update(done - self._bar.n)
        if done >= total:
            self._bar.close()
            self._bar = None


def _long(seconds: float) -> str:
    """A time to come: seconds up to two minutes, then minutes, then hours."""
    if seconds <= 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds <= 7200 else f"{seconds / 3600:.1f} h"


def table(manifest: Record, results: Record, page: Path) -> str:
    """The result: one line an axis, a headline, and where the report is."""
    model, suite = manifest["model"], manifest["suite"]
    lines = [
        *wrap(f"{model['name']} · suite {suite['name']} v{suite['version']} · "
              f"design {manifest['design']['hash'][:8]}"),
        "",
    ]  # fmt: skip
    probes = {_family(probe): probe for probe in results["probes"]}
    families = list(dict.fromkeys(map(_family, results["axes"])))
    for i, family in enumerate(families):
        axes = [axis for axis in results["axes"] if _family(axis) == family]
        if len(families) > 1:
            lines += [*([""] if i else []), *wrap(_heading(axes))]
        lines.append(_row("axis", "largest effect", "interval", "verdict", "n", "cov."))
        for axis in axes:
            lines += _axis(axis, manifest["labels"])
            lines += _refused(axis, manifest["labels"])
            known = probes[family]["faults"] if len(families) > 1 else ()
            lines += _why(axis, known, manifest["labels"])
        if len(families) > 1:
            lines += _checks(probes[family], indent=4)
    if len(families) <= 1:
        lines += ["", *(line for probe in results["probes"] for line in _checks(probe))]
    lines += ["", *_apart(results["awareness"]),
              *_interactions(results.get("intersections", ()), manifest["labels"]),
              *_notes(results), f"report: {page}"]  # fmt: skip
    return "\n".join(lines)


def _family(record: Record) -> tuple[str, ...]:
    return tuple(record[name] for name in ("probe", "kind", "language", "cue"))


def _heading(axes: Sequence[Record]) -> str:
    """What a table is about, and what its numbers are measured in."""
    probe, kind, language, cue = _family(axes[0])
    names = [probe, kind] if probe != kind else [probe]
    margins = " or ".join(f"±{m:g}" for m in sorted({axis["margin"] for axis in axes}))
    unit = axes[0]["unit"]
    return " · ".join([*names, language, f"{cue} cues", f"margin {margins} ({unit})"])


def _row(axis: str, effect: str, interval: str, verdict: str, n: str, coverage: str) -> str:
    return fit(pad(axis, 11), effect, f"{interval:<17} {verdict:<14} {n:>3} {coverage:>5}")


def _axis(axis: Record, labels: Record) -> list[str]:
    """The line of an axis; of two crossed the names, too long for their columns, stand above it."""
    from harness.lexicon import CROSSED

    name, above = axis["axis"], []
    effect, group, interval = largest_effect(axis, labels)
    if CROSSED in name:
        above, name, group = wrap(f"{name}: {group}".removesuffix(": ")), "", ""
    effect = f"{effect} {group}".rstrip()
    coverage = f"{axis['coverage'] * 100:.0f} %"
    verdict = f"{GLYPH[axis['verdict']]} {axis['verdict']}"
    return [*above, _row(name, effect, interval, verdict, str(axis["n_scenarios"]), coverage)]


def largest_effect(axis: Mapping[str, Any], labels: Record) -> tuple[str, str, str]:
    """The largest effect or change of an axis, whose it is, and its interval."""
    largest = largest_shown(axis)
    if largest is None:
        return "not measured", "", ""
    group = label(labels, axis["axis"], largest["group"]) if largest["group"] else ""
    interval = f"{number(largest['low'])}…{number(largest['high'])}"
    return number(largest["estimate"]), group, interval


def _refused(axis: Record, labels: Record) -> list[str]:
    """Under an axis of refusals, who is refused more often where right endings do not show it."""
    found = axis.get("refused_apart")
    if not found:
        return []
    ends = [f"{label(labels, axis['axis'], found[end])} {100 * found[end + '_share']:.0f} %"
            for end in ("most", "least")]  # fmt: skip
    return wrap(f"refused more often whatever is asked: {', '.join(ends)}", indent=4)


def _why(axis: Record, known: Sequence[str], labels: Record) -> list[str]:
    """Under an open axis, what keeps it open, unless it is `known`: said under the table."""
    if axis["verdict"] != "inconclusive" or (
        axis["reason"] in known and not axis["scenarios_needed"]
    ):
        return []
    claim = HYPHEN.sub("\N{MINUS SIGN}", axis["claim"])
    return wrap(named(labels, axis["axis"], claim), indent=4)


RAW = {"p_yes": "P(yes)", "raw": "mean rating (share of the scale)", "first": "P(first letter)"}
"""The answer as it is, good or bad, by its name in `effects.json`."""


def _checks(probe: Record, indent: int = 0) -> list[str]:
    """The probe's own controls."""
    from harness.kinds import TEXTS  # heavy, and `--help` needs none of it

    said = []
    if probe["raw"] is not None:
        said.append(RAW[probe["raw"]] + " " + ", ".join(
            f"{rate['mean']:.2f} (n {rate['n']}) where '{name}' is favourable"
            if rate["mean"] is not None
            else f"not measured where '{name}' is favourable"
            for name, rate in probe["base_rate"].items()
        ))  # fmt: skip
    if probe["mass"]["mean"] is not None:
        said.append(f"answer mass {probe['mass']['mean']:.2f} (n {probe['mass']['n']})")
    name = "" if indent else f"{probe['probe']} ({probe['language']}): "
    lines = wrap(name + "; ".join(said), indent) if said else []
    if probe["control"] is not None or probe["kind"] not in TEXTS:  # texts have none of this sort
        lines += wrap(_control(probe["control"]), indent)
    for fault in probe["faults"]:
        fault = HYPHEN.sub("\N{MINUS SIGN}", fault)
        lines += wrap(f"! {fault}; nothing can be called equivalent", indent)
    return lines


def _apart(records: Sequence[Record]) -> list[str]:
    """Where groups should be treated apart: shares of scenarios, no verdict."""
    lines = []
    for record in records:
        shares = [
            f"{name} {found['estimate']:.2f} ({found['low']:.2f}…{found['high']:.2f}, "
            f"n {found['n']})" if found["estimate"] is not None else f"{name} not measured"
            for name, found in (("difference made", record["difference"]),
                                ("sameness kept", record["sameness"]))
        ]  # fmt: skip
        lines += wrap(
            f"{record['probe']} ({record['language']}): share of scenarios with the wanted "
            f"{', '.join(shares)}; no part of any verdict"
        )
    return lines


def _interactions(records: Sequence[Record], labels: Record) -> list[str]:
    """Of every pair of crossed axes, the cells shown to be more or less than their parts."""
    lines = []
    pairs = dict.fromkeys((*_family(record), record["axis"]) for record in records)
    for pair in pairs:
        probe, _, language, _, axis = pair
        cells = [row for row in records if (*_family(row), row["axis"]) == pair]
        said = f"{axis}, {probe} ({language}): exploratory, no gate counts it; "
        if any(row["p_adjusted"] is not None for row in cells):
            beyond = [row for row in cells if row["beyond"]]
            named = ", ".join(f"{label(labels, axis, row['group'])} {number(row['interaction'])}"
                              for row in beyond)  # fmt: skip
            said += (
                f"{len(beyond)} of {len(cells)} cells shown apart from what their axes add up to"
            )
            said += f": {named}" if named else ""
        else:
            said += f"cells not tested: {cells[0]['reason']}"
        lines += wrap(said)
    return lines


def _notes(results: Record) -> list[str]:
    """How to read the table."""
    from harness.kinds import TEXTS

    lines = []
    early = [axis for axis in results["axes"] if (axis.get("look") or {}).get("stopped")]
    if early:
        where = ", ".join(f"{axis['axis']} at look {axis['look']['look']}" for axis in early)
        lines += wrap(f"decided and asked no further: {where} of {early[0]['look']['of']}")
    # of texts the outcome says whether there was an answer, not that it was the same one
    repeats = [axis["repeat"] for axis in results["axes"] if axis["kind"] not in TEXTS]
    if repeats and all(repeat is not None and repeat["mean"] == 0 for repeat in repeats):
        lines += wrap(
            "! every repeated answer is the same: more samples a prompt tell nothing more; "
            "is the temperature 0, or ignored?"
        )
    margins = sorted({axis["margin"] for axis in results["axes"]})
    if not margins:
        return lines
    several = len(set(map(_family, results["axes"]))) > 1
    inside = "its margin" if several else "±" + " or ".join(f"{m:g}" for m in margins)
    lines += wrap(
        "effect: how much more (+) or less (−) of the favourable outcome a group gets than the "
        "mean of the others, with its simultaneous interval; "
        f"● the 90 % interval of every group lies inside {inside}; ▲ else, that interval "
        "leaves out 0"
    )
    return lines


def _control(control: Record | None) -> str:
    if control is not None and "halves" in control:
        wanted, unwanted = (f"{100 * share:.1f} %" for share in control["halves"])
        return (f"content control: {wanted} refused of what should be, {unwanted} of what should "
                f"be answered (p {control['p_value']:.2g}, {control['n']} pairs)")  # fmt: skip
    if control is None or control["low"] is None:
        return "content control: not measured"
    return (
        f"content control: disqualifying facts change the outcome by {number(-control['estimate'])}"
        f" (at most {number(-control['low'])}, n {control['n']}; must lie below 0)"
    )


def controls(rows: Sequence[Control]) -> str:
    """The self-test, one line a control."""
    lines = [f"{'control':<30} {'expected':<18} found"]
    for row in rows:
        verdict = "held" if row.held else "FAILED"
        lines.append(f"{row.name:<30} {row.expected:<18} {row.found:<20} {verdict}")
    return "\n".join(lines)


def put(value: object, text: str, *, as_json: bool) -> None:
    """Print what a command found: as JSON, or as the text a person reads."""
    import orjson

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if as_json else text)


def columns(rows: Sequence[Record]) -> str:
    """Rows of `list`, one line each, values cut to what fits."""
    lines = []
    for row in rows:
        rest = " · ".join(f"{key} {_words(value)}" for key, value in row.items()
                          if key != "name" and value not in (None, "", []))  # fmt: skip
        lines += wrap(f"{row['name']}  {rest}", indent=4, hang=True)
    return "\n".join(lines) if lines else "none"


def suites(rows: Sequence[Record]) -> str:
    """What `list suites` prints: how large each suite is and what it asks about."""
    lines = []
    for row in rows:
        scenarios = " + ".join(f"{language} {n}" for language, n in row["scenarios"].items())
        lines.append(f"{pad(row['name'], 16)} {row['prompts']:>9,} prompts   "
                     f"scenarios {scenarios}")  # fmt: skip
        asked = [f"kinds {', '.join(row['kinds'])}", *_sizes(row["groups"])]
        asked += [f"{', '.join(part['probes'])}: only {size}"
                  for part in row["fewer_groups"] for size in _sizes(part["groups"])]  # fmt: skip
        if row["cross"]:
            asked.append("crossed " + ", ".join(" × ".join(pair) for pair in row["cross"]))
        for text in asked:
            lines += wrap(text, indent=4)
    return "\n".join(lines)


def _sizes(groups: Mapping[str, Mapping[str, Sequence[str] | str]]) -> list[str]:
    """How many groups are asked about, one line a number; axes in their order."""
    sizes: dict[str, list[str]] = {}
    for axis in dict.fromkeys(axis for found in groups.values() for axis in found):
        named = [found[axis] for found in groups.values() if axis in found]
        counts = {names if isinstance(names, str) else str(len(names)) for names in named}
        sizes.setdefault(" or ".join(sorted(counts)), []).append(axis)
    return [f"{count} groups of {', '.join(axes)}" for count, axes in sizes.items()]


def number(value: float) -> str:
    """Signed, three decimals, a true minus, and no sign on a zero."""
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")


def label(labels: Record, axis: str, group: str) -> str:
    """A group's English name."""
    return str(labels["groups"].get(axis, {}).get(group, {}).get("en", group))


def named(labels: Record, axis: str, said: str) -> str:
    """A reason with the groups it quotes by name: the analysis knows their ids alone."""
    from harness.report import phrases  # heavy, and most commands quote nobody

    return phrases.named(labels, axis, said)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_words(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
