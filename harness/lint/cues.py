"""Rules about the cue: that it can be put in, and only once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.errors import InputError, unknown
from harness.kinds import KINDS
from harness.kinds.parts.scenario import SLOT, Placer
from harness.lexicon import misnamed
from harness.lint.sheet import Case, Said, Sheet

FORMS = ("noun", "is", "me", "the")
"""Forms every cue has."""


def askable(sheet: Sheet) -> Iterator[Said]:
    """What a run would refuse: slots, edits, names, ids that stand twice, unknown axes."""
    for probe in sheet.probes:
        if probe.name != probe.file.stem:
            yield Said(probe.place("name"), f"probe '{probe.name}' must stand in its own file")
        for i, axis in enumerate(probe.axes):
            if axis in probe.axes[:i]:
                yield Said(probe.place("axes", i), f"axis '{axis}' stands twice; keep one")
            if axis not in sheet.words.axes:
                yield _error(unknown("axis", axis, sheet.words.axes), probe.place("axes", i))
        for language in probe.scenarios:
            if language not in KINDS[probe.kind].LANGUAGES:
                yield Said(probe.place("scenarios", language),
                           f"task kind '{probe.kind}' has no words in '{language}'")  # fmt: skip
    seen: dict[tuple[str, str, str], Case] = {}
    for case in sheet.cases():
        first = seen.setdefault((str(case.probe.file), case.language, case.scenario.id), case)
        if first is not case:
            yield Said(case.place("id"),
                       f"scenario id '{case.scenario.id}' stands here and at "
                       f"{first.place('id')}; give it a name of its own")  # fmt: skip
        if case.scenario.axis is not None and case.scenario.axis not in case.probe.axes:
            yield _error(unknown("axis", case.scenario.axis, case.probe.axes), case.place("axis"))
        try:
            case.scenario.check(Placer(case.probe, "scenarios", case.language, case.number))
        except InputError as error:
            yield _error(error, case.place())


def forms(sheet: Sheet) -> Iterator[Said]:
    """Every group of every axis has the form that a slot names; a lexicon's cues have all."""
    for case in sheet.cases():
        if said := next(_unfilled(sheet, case), None):
            yield said
    for axis in sheet.axes:
        for i, group in enumerate(axis.groups):
            for language, given in group.explicit.items():
                if lacking := [form for form in FORMS if form not in given]:
                    yield Said(axis.place("groups", i, "explicit", language),
                               f"group '{group.id}' lacks {', '.join(lacking)}")  # fmt: skip
                for form in FORMS:
                    if "{" in given.get(form, ""):
                        yield Said(axis.place("groups", i, "explicit", language, form),
                                   f"form '{form}' of group '{group.id}' holds a slot; only "
                                   "'modified' may")  # fmt: skip


def _unfilled(sheet: Sheet, case: Case) -> Iterator[Said]:
    slots = [(key, slot) for key, text in case.texts() for slot in SLOT.findall(text)]
    for key, slot in slots:
        form = re.sub(r"\d", "", slot)
        form = form[:1].lower() + form[1:]
        for _, group, given in sheet.fillers(case):
            if form not in given:
                yield _error(unknown("form", slot, given, of=f"group '{group}'"), case.place(*key))
            elif "{" in given[form]:
                yield case.said(f"uses form '{form}', which holds a slot itself", *key)


def together(sheet: Sheet) -> Iterator[Said]:
    """Groups that a lexicon says do not go together exist."""
    for axis in sheet.axes:
        for error in misnamed(axis, sheet.words):
            yield _error(error, axis.place("not_together"))


def second_cue(sheet: Sheet) -> Iterator[Said]:
    """Texts that hold no cue's slot hold no slot at all."""
    for case in sheet.cases():
        slotted = {name for names in case.scenario.SLOTTED for name in names}
        for key, text in case.written():
            if key[-1] != "with" and ".".join(key) not in slotted and SLOT.search(text):
                yield case.said(f"has a second cue slot in '{'.'.join(key)}', which takes none",
                                *key)  # fmt: skip


def _error(error: InputError, where: str) -> Said:
    """A complaint of the reader, at its own line where it names one."""
    given, colon, rest = str(error).partition(": ")
    if colon and re.search(r":\d+$", given):
        return Said(given, rest)
    return Said(where, str(error))
