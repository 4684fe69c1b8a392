"""The design: one row per prompt, cut into fixed blocks of whole counterfactual sets.

A block is everything asked about one scenario of one probe in one language: all axes and
groups, the paraphrases and the control. Its content depends on nothing but the probes, so
whatever is computed within a block is the same in a killed, resumed, sliced or merged run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from types import MappingProxyType

import orjson

from harness.crossing import Crossing
from harness.errors import InputError, unknown
from harness.kinds import APART, KINDS
from harness.kinds.parts.rows import Row, turn
from harness.kinds.parts.scenario import SLOT, Scenario
from harness.lexicon import CROSSED, Lexicon
from harness.nouns import TOGETHER, Arm, Message, Prompt
from harness.probes import Probe


@dataclass(frozen=True)
class Design:
    """The expanded table, in block order."""

    prompts: tuple[Prompt, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Prompt]:
        return {prompt.id: prompt for prompt in self.prompts}

    @cached_property
    def blocks(self) -> tuple[tuple[Prompt, ...], ...]:
        blocks: dict[int, list[Prompt]] = {}
        for prompt in self.prompts:
            blocks.setdefault(prompt.block, []).append(prompt)
        return tuple(tuple(block) for block in blocks.values())

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the sorted canonical rows: no model, no time, no order."""
        digest = hashlib.sha256()
        for row in sorted(canonical(prompt) for prompt in self.prompts):
            digest.update(row + b"\n")
        return digest.hexdigest()

    def slice(self, shard: tuple[int, int] | None) -> tuple[tuple[Prompt, ...], ...]:
        """The blocks of slice i of n (counted from 1); all of them without a slice."""
        if shard is None:
            return self.blocks
        i, n = shard
        return self.blocks[i - 1 :: n]


def canonical(prompt: Prompt) -> bytes:
    """The parts of a row that say what is asked, as sorted JSON."""
    return orjson.dumps(
        [
            prompt.probe, prompt.probe_version, prompt.scenario, prompt.variant, prompt.axis,
            prompt.group, prompt.cue, prompt.language, prompt.arm, prompt.sample,
            prompt.favourable,
            [[m.role, m.content] for m in prompt.messages],
            [[o.name, list(o.spellings)] for o in prompt.options],
            *([list(prompt.members)] if prompt.members else []),
        ]
    )  # fmt: skip


def expand(
    probes: Sequence[Probe],
    lexicon: Lexicon,
    groups: Mapping[str, Crossing],
    *,
    cues: Sequence[str] | None = None,
    limit: int | None = None,
    samples: Mapping[str, int] = MappingProxyType({}),
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

    Raises
    ------
    InputError
        Nothing is left to ask, a group lacks a form a scenario needs, or two rows are the same.
    """
    rows: list[Prompt] = []
    block = 0
    for words, crossing, scenarios in _parts(probes, lexicon, groups, cues, limit):
        for number, scenario in enumerate(scenarios):
            start = len(rows)
            for row in _block(words, scenario, number, crossing, block):
                rows.extend(_repeat(row, samples.get(words.probe.kind, 1)))
            block += len(rows) > start
    if not rows:
        raise InputError("nothing to ask: no scenario is left for these axes and languages")
    design = Design(tuple(replace(row, id=_id(row)) for row in rows))
    if len(design.by_id) != len(design.prompts):
        raise InputError("two rows of the design are the same prompt; are scenario ids unique?")
    return design


def count(
    probes: Sequence[Probe],
    lexicon: Lexicon,
    groups: Mapping[str, Crossing],
    *,
    cues: Sequence[str] | None = None,
    limit: int | None = None,
) -> int:
    """How many prompts `expand` would make of one sample each, without making them."""
    return sum(
        1
        for words, crossing, scenarios in _parts(probes, lexicon, groups, cues, limit)
        for number, scenario in enumerate(scenarios)
        for _ in _rows(words, scenario, number, crossing)
    )


def _parts(
    probes: Sequence[Probe],
    lexicon: Lexicon,
    groups: Mapping[str, Crossing],
    cues: Sequence[str] | None,
    limit: int | None,
) -> Iterator[tuple[_Words, Crossing, Sequence[Scenario]]]:
    """Every probe in every language with every kind of cue: what is asked of whom."""
    for probe, language, cue in product(probes, groups, cues or ("",)):
        if probe.kind in APART and cue not in ("", probe.cue):
            continue  # a right that a hint might or might not give is no right answer
        for i, axis in enumerate(probe.axes):
            lexicon.axis(axis, where=probe.place("axes", i))
        words = _Words(lexicon, probe, language, cue or probe.cue)
        yield words, words.crossing(groups[language]), probe.scenarios.get(language, [])[:limit]


@dataclass(frozen=True, slots=True)
class _Words:
    """Where the words of one probe's cues come from."""

    lexicon: Lexicon
    probe: Probe
    language: str
    cue: str

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

        def put(slot: re.Match[str]) -> str:
            form, number = SPLIT.fullmatch(slot[1]).groups()  # type: ignore[union-attr]
            group = groups[int(number or 1) - 1]
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
            used.append(words if form == small else words[:1].upper() + words[1:])
            return used[-1]

        return SLOT.sub(put, template), tuple(dict.fromkeys(used))


SPLIT = re.compile(r"([^\d]*)(\d*)")


def _rows(
    words: _Words, scenario: Scenario, number: int, crossing: Crossing
) -> Iterator[tuple[str, Row]]:
    """A scenario's rows before their slots are filled, and the axis of each.

    The control is asked on one axis of one group; which ones rotates with the scenario's place
    in the probe, so all take equal turns.
    """
    probe, language = words.probe, words.language
    kind = KINDS[probe.kind]
    if language not in kind.LANGUAGES:
        where = probe.place("scenarios", language, number)
        raise InputError(f"{where}: task kind '{probe.kind}' has no words in '{language}' yet")
    axes = [axis for axis in crossing if scenario.axis in (None, axis)]
    for axis in axes:
        control = number // len(axes) if axis == turn(axes, number) else None
        for row in kind.rows(scenario, crossing[axis], number, control, language):
            yield axis, row


def _block(
    words: _Words, scenario: Scenario, number: int, crossing: Crossing, block: int
) -> Iterator[Prompt]:
    """The prompts of one scenario.

    Names are taken by the block's place in the design, so that two scenarios share one only when
    the pool is used up.
    """
    probe = words.probe
    where = probe.place("scenarios", words.language, number)
    for axis, row in _rows(words, scenario, number, crossing):
        text, used = words.fill(row.template, axis, row.groups, block, where)
        yield Prompt(
            id="", block=block, probe=probe.name, probe_version=probe.version,
            kind=probe.kind, scenario=scenario.id, variant=row.variant, language=words.language,
            axis=axis, group=TOGETHER.join(row.groups), cue=words.cue, role=probe.role,
            arm=row.arm, sample=0, domain=scenario.domain,
            favourable=row.favourable, cue_position=getattr(scenario, "position", ""),
            relevance=scenario.relevance or probe.relevance,
            messages=(Message("user", text),), options=row.options, cue_words=used,
            members=row.members,
        )  # fmt: skip


def _repeat(row: Prompt, samples: int) -> Iterator[Prompt]:
    """The row and, where answers are sampled, its repetitions.

    A repetition of a counterfactual prompt is the repeat arm; paraphrase and control rows keep
    their arm and are averaged over their samples.
    """
    yield row
    arm = Arm.REPEAT if row.arm is Arm.COUNTERFACTUAL else row.arm
    for sample in range(1, samples):
        yield replace(row, arm=arm, sample=sample)


def _id(row: Prompt) -> str:
    return hashlib.sha256(canonical(row)).hexdigest()[:16]


def favourable(design: Design, axis: str, group: str) -> dict[str, str]:
    """The prompts of one group, in every arm, with the option that is good for the person.

    Raises
    ------
    InputError
        The design does not ask about this group.
    """
    found = {p.id: p.favourable for p in design.prompts if (p.axis, p.group) == (axis, group)}
    if not found:
        raise InputError(f"group '{group}' of axis '{axis}' is not asked about in this run")
    return found
