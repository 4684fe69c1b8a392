"""The design: one row per prompt, cut into fixed blocks of whole counterfactual sets.

A block is everything asked about one scenario of one probe in one language: all axes and
groups, the paraphrases and the control. Its content depends on nothing but the probes, so
whatever is computed within a block is the same in a killed, resumed, sliced or merged run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import orjson

from harness.errors import InputError, unknown
from harness.kinds import KINDS
from harness.lexicon import Lexicon
from harness.nouns import Arm, Message, Prompt
from harness.probes import SLOT, Edit, Probe, Scenario, Suite


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
        ]
    )  # fmt: skip


def choose_groups(
    suite: Suite, lexicon: Lexicon, axes: Sequence[str] | None
) -> dict[str, list[str]]:
    """The axes and groups to cross, in the lexicon's order of axes."""
    chosen: dict[str, list[str]] = {}
    for axis, names in suite.groups.items():
        for i, name in enumerate(names):
            lexicon.group(axis, name, where=suite.place("groups", axis, i))
        chosen[axis] = list(names)
    if axes is not None:
        chosen = _narrow(chosen, lexicon, suite.name, axes)
    return {axis: chosen[axis] for axis in lexicon.axes if axis in chosen}


def _narrow(
    chosen: dict[str, list[str]], lexicon: Lexicon, suite: str, axes: Sequence[str]
) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = {}
    for item in axes:
        axis, given, names = item.partition("=")
        lexicon.axis(axis, where="--axes")
        if axis in kept:
            raise InputError(f"--axes {item}: axis '{axis}' is named twice")
        if axis not in chosen:
            raise InputError(f"--axes {axis}: suite '{suite}' does not ask about this axis")
        groups = names.split(",") if given else chosen[axis]
        for name in groups:
            lexicon.group(axis, name, where="--axes")
        if len(set(groups)) < 2 or len(set(groups)) != len(groups):
            raise InputError(f"--axes {item}: needs at least two different groups to compare")
        kept[axis] = groups
    if not kept:
        raise InputError("--axes: name at least one axis")
    return kept


def expand(
    probes: Sequence[Probe],
    lexicon: Lexicon,
    groups: Mapping[str, Sequence[str]],
    languages: Sequence[str],
    *,
    limit: int | None = None,
    samples: Mapping[str, int] = MappingProxyType({}),
) -> Design:
    """Cross the probes' scenarios with the groups of every axis.

    Parameters
    ----------
    groups : axis -> ids of its groups; axes a probe does not name are left out for it.
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
    for probe in probes:
        for i, axis in enumerate(probe.axes):
            lexicon.axis(axis, where=probe.place("axes", i))
        axes = [axis for axis in groups if axis in probe.axes]
        for language in languages:
            for number, scenario in enumerate(probe.scenarios.get(language, [])[:limit]):
                start = len(rows)
                for row in _block(probe, scenario, number, language, lexicon, axes, groups, block):
                    rows.extend(_repeat(row, samples.get(probe.kind, 1)))
                block += len(rows) > start
    if not rows:
        raise InputError("nothing to ask: no scenario is left for these axes and languages")
    design = Design(tuple(replace(row, id=_id(row)) for row in rows))
    if len(design.by_id) != len(design.prompts):
        raise InputError("two rows of the design are the same prompt; are scenario ids unique?")
    return design


def _block(
    probe: Probe,
    scenario: Scenario,
    number: int,
    language: str,
    lexicon: Lexicon,
    axes: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    block: int,
) -> Iterator[Prompt]:
    """The prompts of one scenario.

    Every group is asked once. The paraphrase asks one group per axis, the control one group of
    one axis; both rotate with the scenario's place in the probe, so all take equal turns.
    """
    kind = KINDS[probe.kind]
    where = probe.place("scenarios", language, number)
    if language not in kind.LANGUAGES:
        raise InputError(f"{where}: task kind '{probe.kind}' has no words in '{language}' yet")

    def row(axis: str, group: str, arm: Arm, edit: Edit | None = None) -> Prompt:
        template = kind.put(scenario.edited(edit) if edit else scenario, language)
        text, words = _fill(template, lexicon, axis, group, language, where)
        return Prompt(
            id="", block=block, probe=probe.name, probe_version=probe.version, kind=probe.kind,
            scenario=scenario.id, variant="", language=language, axis=axis, group=group,
            cue=probe.cue, role=probe.role, arm=arm, sample=0, domain=scenario.domain,
            favourable=scenario.favourable, cue_position=scenario.position,
            relevance=scenario.relevance or probe.relevance,
            messages=(Message("user", text),), options=kind.options(language), cue_words=(words,),
        )  # fmt: skip

    for axis in axes:
        for group in groups[axis]:
            yield row(axis, group, Arm.COUNTERFACTUAL)
        anchor = _turn(groups[axis], number)
        yield row(axis, anchor, Arm.PARAPHRASE, scenario.paraphrase)
    if axes:
        axis = _turn(axes, number)
        yield row(axis, _turn(groups[axis], number // len(axes)), Arm.CONTROL, scenario.disqualify)


def _turn(items: Sequence[str], number: int) -> str:
    """Equal turns that do not keep step with scenarios listed in a rotation of the same length."""
    return items[(number + number // len(items)) % len(items)]


def _fill(
    template: str, lexicon: Lexicon, axis: str, group: str, language: str, where: str
) -> tuple[str, str]:
    """The template with the group's words in its cue slot, and those words."""
    forms = lexicon.group(axis, group, where=where).explicit.get(language)
    if forms is None:
        raise InputError(f"{where}: group '{group}' of axis '{axis}' has no '{language}' cue")
    [slot] = SLOT.findall(template)
    form = slot[:1].lower() + slot[1:]
    if form not in forms:
        raise unknown("form", slot, forms, where=where, of=f"group '{group}'")
    words = forms[form]
    if slot != form:
        words = words[:1].upper() + words[1:]
    return template.replace("{" + slot + "}", words), words


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
