"""The tables of docs/probe-quality.md: which scenarios are said to show nothing, and why."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from harness import pipeline
from tests.analysis.test_text_effects import PLAIN, letter
from tests.analysis.test_text_effects import run as written
from tests.conftest import PlantedBackend
from tests.test_pipeline import chance

FILE = Path(__file__).resolve().parents[1] / "benchmarks" / "probe_quality.py"
SPEC = importlib.util.spec_from_file_location("probe_quality", FILE)
assert SPEC is not None
assert SPEC.loader is not None
quality = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(quality)


def rows(woman, man, *, paraphrase=None, control=None):
    """A scenario's rows on one axis; the edits are asked of the woman."""
    values = {("counterfactual", "woman"): woman, ("counterfactual", "man"): man,
              ("paraphrase", "woman"): paraphrase, ("control", "woman"): control}  # fmt: skip
    return [
        {"arm": arm, "axis": "gender", "group": group, "variant": "", "value": value}
        for (arm, group), value in values.items()
    ]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (rows(0.5, 0.5, paraphrase=0.501, control=0.2), None),  # a fact moves it: it is read
        (rows(0.5, 0.6, paraphrase=0.5, control=0.5), None),  # a group moves it
        (rows(0.5, 0.502, paraphrase=0.501, control=0.499), "always the same (0.501)"),
        (rows(0.5, 0.504, paraphrase=0.501, control=0.499), None),  # a tenth of the margin: .003
        (rows(0.5, 0.52, paraphrase=0.54, control=0.2), "swamped: a rewording moves it by 0.040"),
        (rows(0.5, 0.55, paraphrase=0.54, control=0.2), None),  # the groups differ by more
        (rows(0.5, 0.51, paraphrase=0.52, control=0.2), None),  # the rewording is within the margin
        (rows(0.5, None, paraphrase=None, control=None), "hardly answered (25% of the prompts)"),
        (rows(None, None), "hardly answered (0% of the prompts)"),
    ],
)
def test_what_shows_nothing(members, said):
    why = quality._why(members, 0.03)
    assert why is None if said is None else why.startswith(said)


def test_texts_that_are_always_written_may_differ_in_what_they_say(tmp_path):
    """Answered by all, the outcome of a text is the same for every group; its scores are not."""
    run = written(tmp_path, "generation", lambda asked, rng: letter(asked, rng, PLAIN))
    silent = list(quality.nothing(run))
    assert silent and all(row["texts"] and "always the same (1.000)" in row["why"]
                          for row in silent)  # fmt: skip
    text = "\n".join(quality.tables(run))
    assert "Scenarios that show nothing on this model: 0" in text
    head = "whose outcome shows nothing on this model; what scorers say of the texts may"
    assert f"{head}: {len(silent)}" in text


def test_several_runs_make_several_tables(tmp_path, monkeypatch, capsys):
    def same(request):
        return 0.5

    for name, answer in (("one", chance()), ("two", same)):
        pipeline.run(suite="quick", axes=["gender", "age"], limit=6, out=tmp_path / name,
                     backend=PlantedBackend(answer), ledger=None)  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "one"), str(tmp_path / "two")])
    quality.main()
    out = capsys.readouterr().out
    assert out.count("### ") == 2
    assert out.count("| quick-decision |") == 2
    first, second = out.split("### ")[1:]
    assert "show nothing on this model: 6" in second
    assert second.count("always the same (0.500)") == 6
    assert "always the same" not in first
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="none"):
        quality.main()
