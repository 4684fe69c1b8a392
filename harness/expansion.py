"""Probes times groups: every scenario's rows, their slots filled, become the design."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.crossing import Crossing
from harness.design import AT_A_TIME, SCHEMA, Design, identified
from harness.errors import InputError, unknown
from harness.kinds import APART, KINDS
from harness.kinds.parts.rows import Row, turn
from harness.kinds.parts.scenario import SLOT, Scenario
from harness.lexicon import CROSSED, Lexicon
from harness.nouns import TOGETHER, Arm, Message, Prompt
from harness.probes import Probe


def expand(
    probes: Sequence[Probe],
    lexicon: Lexicon,
    groups: Mapping[str, Crossing],
    *,
    cues: Sequence[str] | None = None,
    limit: int | None = None,
    samples: Mapping[str, int] = MappingProxyType({}),
    fewer: Mapping[str, Mapping[str, Crossing]] = MappingProxyType({}),
) -> Design:
    """Cross the probes' scenarios with the groups of every axis.

    Parameters
    ----------
    groups : language -> axis -> ids of its groups; axes a probe does not name are left out for
        it, and for an implicit cue the groups that have none.
    cues : kinds of cue, each probe's own by default; kinds that want a difference keep theirs.
    limit : at most this many scenarios of every probe and language, from the first.
    samples : kind -> answers asked per prompt (1 where not named); those after the first are
        the repeat arm.
    fewer : name of a probe -> what it is crossed with instead of `groups`.

    Raises
    ------
    InputError
        Nothing is left to ask, a group lacks a form a scenario needs, or two rows are the same.
    """
    tables: list[pa.Table] = []
    prompts: list[Prompt] = []
    block = 0
    for words, crossing, scenarios in _parts(probes, lexicon, groups, cues, limit, fewer):
        for number, scenario in enumerate(scenarios):
            own = list(_block(words, scenario, number, crossing, block))
            block += bool(own)
            prompts += own
            if len(prompts) >= AT_A_TIME:
                tables.append(Design.of(prompts).table)
                prompts = []
    rows = pa.concat_tables([*tables, Design.of(prompts).table]).unify_dictionaries()
    if not len(rows):
        raise InputError(_nothing(probes, groups, cues))
    design = Design(identified(_repeated(Design(rows), samples)))
    if pc.count_distinct(design.table["id"]).as_py() != len(design):
        raise InputError("two rows of the design are the same prompt; are scenario ids unique?")
    return design


def _nothing(
    probes: Sequence[Probe], groups: Mapping[str, Crossing], cues: Sequence[str] | None
) -> str:
    """Why no scenario is left: the axes do not meet, or an implicit cue has no words."""
    named = dict.fromkeys(axis for found in groups.values() for axis in found)
    known = dict.fromkeys(axis for probe in probes for axis in probe.axes)
    said = (
        f"nothing to ask: the groups are of {', '.join(named)}, the probes ask about "
        f"{', '.join(known)} in {', '.join(dict.fromkeys(x for p in probes for x in p.scenarios))}"
    )
    if "implicit" in (cues or [probe.cue for probe in probes]):
        said += "; an implicit cue needs two groups of an axis with names or hints, uncrossed"
    return said


def _repeated(design: Design, samples: Mapping[str, int]) -> pa.Table:
    """Every row and, where answers are sampled, its repetitions.

    A repetition of a counterfactual prompt is the repeat arm; paraphrase and control rows keep
    their arm and are averaged over their samples.
    """
    times = design.column("kind").of(lambda kind: samples.get(kind, 1), int)
    rows = np.repeat(np.arange(len(design)), times)
    sample = np.arange(len(rows)) - np.repeat(np.cumsum(times) - times, times)
    table = design.table.take(pa.array(rows))
    again = pc.and_(pc.greater(sample, 0), pc.equal(table["arm"], Arm.COUNTERFACTUAL))
    arm = pc.if_else(again, str(Arm.REPEAT), table["arm"].cast(pa.string()))
    for name, column in (("sample", pa.array(sample)), ("arm", arm.cast(SCHEMA.field("arm").type))):
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def count(
    probes: Sequence[Probe],
    lexicon: Lexicon,
    groups: Mapping[str, Crossing],
    *,
    cues: Sequence[str] | None = None,
    limit: int | None = None,
    samples: Mapping[str, int] = MappingProxyType({}),
    fewer: Mapping[str, Mapping[str, Crossing]] = MappingProxyType({}),
) -> int:
    """How many prompts `expand` would make, every sample of one counted, without making them.

    A kind asks as many about one scenario as about the next where the groups are as many; only
    where a scenario is of one axis may it name groups itself.
    """
    total = 0
    for words, crossing, scenarios in _parts(probes, lexicon, groups, cues, limit, fewer):
        known: dict[tuple[str, int, bool], int] = {}
        for number, scenario in enumerate(scenarios):
            for axis, control in _turns(words, scenario, number, crossing):
                like = scenario.id if scenario.axis else "", len(crossing[axis]), control is None
                if like not in known:
                    rows = _rows(words, scenario, number, crossing[axis], control)
                    known[like] = sum(1 for _ in rows)
                total += known[like] * samples.get(words.probe.kind, 1)
    return total


def _parts(
    probes: Sequence[Probe],
    lexicon: Lexicon,
    groups: Mapping[str, Crossing],
    cues: Sequence[str] | None,
    limit: int | None,
    fewer: Mapping[str, Mapping[str, Crossing]],
) -> Iterator[tuple[_Words, Crossing, Sequence[Scenario]]]:
    """Every probe in every language with every kind of cue: what is asked of whom."""
    for probe, language, cue in product(probes, groups, cues or ("",)):
        if probe.kind in APART and cue not in ("", probe.cue):
            continue  # a right that a hint might or might not give is no right answer
        for i, axis in enumerate(probe.axes):
            lexicon.axis(axis, where=probe.place("axes", i))
        words = _Words(lexicon, probe, language, cue or probe.cue)
        own = fewer.get(probe.name, groups)[language]
        yield words, words.crossing(own), probe.scenarios.get(language, [])[:limit]


@dataclass(frozen=True, slots=True)
class _Words:
    """Where the words of one probe's cues come from; `known` are those that were looked up."""

    lexicon: Lexicon
    probe: Probe
    language: str
    cue: str
    known: dict[tuple[str, str, str, int], str] = field(default_factory=dict)

    def crossing(self, groups: Crossing) -> Crossing:
        """The axes this probe asks about, with the groups that have words of its kind of cue."""
        found = {}
        for axis, names in groups.items():
            parts = axis.split(CROSSED)
            if not set(parts) <= set(self.probe.axes):
                continue
            if self.cue == "implicit":
                speaking = [set(self.lexicon.speaking(a, self.language, self.cue)) for a in parts]
                names = [name for name in names
                         if all(g in known for g, known in
                                zip(name.split(CROSSED), speaking, strict=True))]  # fmt: skip
                if len(parts) > 1 or len(names) < 2:
                    continue
            found[axis] = names
        return found

    def fill(
        self, template: str, axis: str, groups: Sequence[str], turn: int, where: str
    ) -> tuple[str, tuple[str, ...]]:
        """The template with every group's words in its slot, and those words."""
        used: list[str] = []
        turn = turn if self.cue == "implicit" else 0  # a label has no turns

        def put(slot: re.Match[str]) -> str:
            form, number = _slot(slot[1])
            key = axis, groups[number - 1], form, turn
            if key not in self.known:
                self.known[key] = self._words(*key, where)
            used.append(self.known[key])
            return used[-1]

        return SLOT.sub(put, template), tuple(dict.fromkeys(used))

    def _words(self, axis: str, group: str, form: str, turn: int, where: str) -> str:
        """What one group's cue is in one form."""
        forms = self.lexicon.forms(axis, group, self.language, self.cue, turn, where=where)
        small = form[:1].lower() + form[1:]
        if small not in forms:
            raise unknown("form", form, forms, where=where, of=f"group '{group}'")
        words = forms[small]
        if "{" in words:
            whole = ", ".join(name for name in forms if "{" not in forms[name])
            raise InputError(
                f"{where}: form '{form}' of group '{group}' holds a slot itself; use {whole}"
            )
        return words if form == small else words[:1].upper() + words[1:]


@cache
def _slot(inside: str) -> tuple[str, int]:
    """The form and the number of a slot; it is the first where it has none."""
    form = inside.rstrip("0123456789")
    return form, int(inside[len(form) :] or 1)


def _turns(
    words: _Words, scenario: Scenario, number: int, crossing: Crossing
) -> Iterator[tuple[str, int | None]]:
    """The axes a scenario is asked on, and the turn of the control on each.

    The control is asked on one axis of one group; which ones rotates with the scenario's place
    in the probe, so all take equal turns.
    """
    probe, language = words.probe, words.language
    if language not in KINDS[probe.kind].LANGUAGES:
        where = probe.place("scenarios", language, number)
        raise InputError(f"{where}: task kind '{probe.kind}' has no words in '{language}' yet")
    axes = [axis for axis in crossing if scenario.axis in (None, axis)]
    for axis in axes:
        yield axis, number // len(axes) if axis == turn(axes, number) else None


def _rows(
    words: _Words, scenario: Scenario, number: int, groups: Sequence[str], control: int | None
) -> Iterator[Row]:
    """A scenario's rows on one axis before their slots are filled."""
    return KINDS[words.probe.kind].rows(scenario, groups, number, control, words.language)


def _block(
    words: _Words, scenario: Scenario, number: int, crossing: Crossing, block: int
) -> Iterator[Prompt]:
    """The prompts of one scenario.

    Names are taken by the block's place in the design, so that two scenarios share one only when
    the pool is used up.
    """
    probe = words.probe
    where = probe.place("scenarios", words.language, number)
    for axis, control in _turns(words, scenario, number, crossing):
        for row in _rows(words, scenario, number, crossing[axis], control):
            text, used = words.fill(row.template, axis, row.groups, block, where)
            yield Prompt(
                id="", block=block, probe=probe.name, probe_version=probe.version,
                kind=probe.kind, scenario=scenario.id, variant=row.variant,
                language=words.language, axis=axis, group=TOGETHER.join(row.groups),
                cue=words.cue, role=probe.role, arm=row.arm, sample=0, domain=scenario.domain,
                favourable=row.favourable, cue_position=getattr(scenario, "position", ""),
                relevance=scenario.relevance or probe.relevance,
                messages=(Message("user", text),), options=row.options, cue_words=used,
                members=row.members,
            )  # fmt: skip
