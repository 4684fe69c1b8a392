"""Implicit cues: where hints return, more scenarios alone do not decide."""

from __future__ import annotations

from harness import pipeline
from tests.conftest import PlantedBackend
from tests.test_pipeline import chance, noise, text

SUITE = """\
name: mine
version: 1
languages: [en]
probes: [quick-decision]
cues: [explicit, implicit]
groups: {en: {occupation: [courier, teacher, programmer]}}
"""


def test_hints_that_return_leave_open_how_many_scenarios_are_needed(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(SUITE, encoding="utf-8")
    hears = chance(bad=0.3)
    backend = PlantedBackend(lambda request: hears(request) + noise(text(request), 0.18))
    run = pipeline.run(suite=str(path), out=tmp_path / "run", ledger=None, backend=backend)
    explicit, implicit = run.axes
    assert (explicit["cue"], implicit["cue"]) == ("explicit", "implicit")
    assert explicit["verdict"] == implicit["verdict"] == "inconclusive"
    assert explicit["scenarios_needed"] > 36
    assert implicit["scenarios_needed"] is None
    assert "names or hints of their own" in implicit["claim"]
    own = [e for e in run.effects if e["cue"] == "implicit"]
    assert len(own) == 3 and all(e["df"] < 35 for e in own)  # six hints a group, not 36
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "18 of 18 names or hints stood for their group in more than one scenario" in page
