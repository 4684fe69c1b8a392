"""What `list` shows, as JSON-ready rows."""

from __future__ import annotations

from harness import lexicon
from harness.documents import shipped
from harness.models import load
from harness.models import shipped as model_files
from harness.nouns import Record
from harness.questions import Questions, library, questions


def models() -> list[Record]:
    """Every shipped model definition."""
    return [
        {"name": m.name, "backend": m.backend, "family": m.family, "version": m.version,
         "licence": m.licence}
        for m in map(load, model_files(shipped("models")).values())
    ]  # fmt: skip


def probes() -> list[Record]:
    """Every shipped probe with its languages, axes and numbers of scenarios."""
    known = library()
    return [
        {"name": p.name, "kind": p.kind, "version": p.version, "languages": list(p.scenarios),
         "axes": list(p.axes), "scenarios": {k: len(v) for k, v in p.scenarios.items()}}
        for p in map(known.probe, known.probes)
    ]  # fmt: skip


def suites() -> list[Record]:
    """Every suite with its kinds, scenarios, prompts, probes and groups; counting takes seconds."""
    return [suite_row(questions(name)) for name in library().suites]


def suite_row(asked: Questions) -> Record:
    """One suite's row."""
    suite = asked.suite
    return {
        "name": suite.name, "version": suite.version, "languages": list(suite.languages),
        "kinds": list(dict.fromkeys(probe.kind for probe in asked.probes)),
        "scenarios": {language: sum(s.axis is None or s.axis in asked.groups[language]
                                    for p in asked.probes for s in p.scenarios.get(language, []))
                      for language in suite.languages},
        "prompts": asked.count(),
        "probes": list(suite.probes), "cues": suite.cues, "cross": suite.cross,
        "axes": list(dict.fromkeys(axis for found in suite.groups.values() for axis in found)),
        "groups": {language: dict(found) for language, found in suite.groups.items()},
        "fewer_groups": [part.model_dump() for part in suite.fewer_groups],
    }  # fmt: skip


def axes() -> list[Record]:
    """Every axis with its groups."""
    words = lexicon.load()
    return [
        {"name": a.axis, "label": dict(a.label), "version": a.version,
         "groups": [group.id for group in a.groups]}
        for a in words.axes.values()
    ]  # fmt: skip
