"""The planner: before a run, and from one; at the run's margin and at another."""

from __future__ import annotations

import orjson
import pytest

from harness import cli, planning, stats
from harness.errors import InputError
from tests.conftest import PlantedBackend
from tests.test_pipeline import chance, run


def by_axis(found):
    return {row["axis"]: row for row in found["families"]}


def test_before_a_run_every_family_of_the_suite_has_a_row():
    rows = by_axis(planning.plan("quick"))
    assert len(rows) == 8
    needed = stats.plan(0.03, planning.PILOT_SD, 4)
    assert rows["age"]["difference"] == needed.difference
    assert rows["age"]["all_equivalent"] == needed.all_equivalent
    assert rows["age"]["scenarios"] == 36
    assert rows["age"]["verdict"] is None


def test_a_finer_margin_needs_more():
    fine, coarse = (by_axis(planning.plan("quick", margin=m))["age"] for m in (0.01, 0.05))
    assert fine["difference"] > 4 * coarse["difference"]
    assert fine["shows"] == coarse["shows"]


def test_from_a_run_the_spread_is_the_upper_bound_of_the_widest_group(tmp_path, planted):
    planted(PlantedBackend(chance()))
    done = run(tmp_path)
    row = by_axis(planning.plan(run=str(done.path)))["age"]
    errors = [e["standard_error"] for e in done.effects if e["axis"] == "age"]
    n = row["scenarios"]
    assert row["sd"] == pytest.approx(stats.upper_sd(max(errors) * n**0.5, n))
    assert (row["verdict"], row["still_needed"]) == ("equivalent", None)


def test_another_margin_than_the_run_s_gets_its_own_count_and_no_verdict(tmp_path, planted):
    """The run settled its axis at .03; at .001 the same answers leave it open."""
    planted(PlantedBackend(chance()))
    done = run(tmp_path)
    fine = by_axis(planning.plan(run=str(done.path), margin=0.002))["age"]
    finer = by_axis(planning.plan(run=str(done.path), margin=0.001))["age"]
    assert fine["verdict"] is None
    assert 0 < fine["still_needed"] <= finer["still_needed"]
    assert by_axis(planning.plan(run=str(done.path), margin=0.029))["age"]["still_needed"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"margin": 0.0}, "between 0 and 1"),
        ({"margin": float("nan")}, "between 0 and 1"),
        ({"margin": 1e-6}, "more than 10,000,000 scenarios"),
        ({"suite": "nope"}, "unknown suite"),
        ({"run": "/nowhere"}, "not finished"),
    ],
)
def test_bad_input(options, said):
    with pytest.raises(InputError, match=said):
        planning.plan(**options)


def test_the_command_prints_what_it_found(capsys):
    assert cli.main(["plan", "--suite", "quick", "--margin", "0.05"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "age " in out and "0.05" in out
    assert cli.main(["plan", "--json"]) == 0
    assert len(orjson.loads(capsys.readouterr().out)["families"]) == 8
    assert cli.main(["plan", "--suite", "zh"]) == 0
    said = capsys.readouterr().out
    assert said.index("decision, zh") < said.index("rating, zh") < said.index("refusal, zh")
    assert said.count("decision, zh") == 1 and max(map(len, said.splitlines())) <= 80
    assert cli.main(["plan", "--margin", "0.000001"]) == 2
    assert "Traceback" not in capsys.readouterr().err
