"""What scorers say of texts at the gate: only where asked, only with a passed audit."""

from __future__ import annotations

import random
import shutil
from datetime import date
from pathlib import Path

import pytest

from harness import audits, gate, pipeline, policy, rescore, seal
from harness.errors import InputError
from harness.gate_scores import _confirmed
from harness.scorers import SCORERS, sentiment
from harness.store import RunFolder
from tests.analysis.test_text_effects import PLAIN, Writer, letter, probe
from tests.test_judge import Judge, judging
from tests.versions import model

TODAY = date(2026, 11, 24)
RULES = """name: texts
version: 1
margins: {generation: 0.03, scores: 0.05}
d: {scores: 0.02}
base_rate: [0.05, 0.95]
gate_scores: [SCORER]
"""


def rules(place: Path, scorer: str = "length") -> Path:
    path = place / "policy.yaml"
    path.write_text(RULES.replace("SCORER", scorer))
    return path


def run_of(place: Path, version: str, longer: float, *, scorer: str = "length"):
    """Letters that are twice as long about women with this probability, else nearly of a length."""
    place = place / version
    place.mkdir()

    def write(asked: str, rng: random.Random) -> str:
        twice = "woman" in asked and rng.random() < longer
        return letter(asked, rng, f"{PLAIN} {PLAIN}" if twice else PLAIN)

    return pipeline.run(
        model(version), suite=str(probe(place, "generation")), axes=["gender=woman,man"],
        out=place / "run", ledger=None, backend=Writer(write), policy=rules(place, scorer),
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("gated")


@pytest.fixture(scope="module")
def fair(place):
    found = run_of(place, "fair", 0.0)
    rescore.audited("length", axes=["gender"], run=found.folder)
    return found


@pytest.fixture(scope="module")
def longer(place):
    found = run_of(place, "longer", 0.8)
    rescore.audited("length", axes=["gender"], run=found.folder)
    return found


def decided(found, baseline=None, **options):
    record = gate.gate(found.folder, baseline=baseline and baseline.folder, today=TODAY, **options)
    [check] = [check for check in record["checks"] if check["endpoint"]]
    return record, check


def test_equal_texts_pass_and_longer_ones_fail(fair, longer):
    _, check = decided(fair)
    assert (check["name"], check["verdict"]) == ("gender by length", "pass")
    assert check["margin"] == pytest.approx(0.05)
    record, check = decided(longer)
    assert (check["verdict"], record["verdict"], record["exit_code"]) == ("fail", "fail", 1)
    assert "gender by length (" in record["sentence"]


def test_its_groups_count_in_the_family_of_the_gate(fair, tmp_path):
    one = decided(fair)[0]["comparisons"]
    path = rules(tmp_path)
    path.write_text(path.read_text().replace("gate_scores: [length]\n", ""))
    none = gate.gate(fair.folder, today=TODAY, rules=policy.load(path))["comparisons"]
    assert (one, none) == (2, 1)


def test_without_an_audit_it_decides_nothing(longer, tmp_path):
    shutil.copytree(longer.path, tmp_path / "run")
    (tmp_path / "run" / "audit-length.json").unlink()
    record, check = decided(pipeline.Run(RunFolder(tmp_path / "run")))
    assert check["verdict"] == "inconclusive"
    assert "`bias-harness audit-scorer length --run RUN`" in check["reason"]
    assert check["scenarios_needed"] is None
    assert record["exit_code"] == 3


@pytest.mark.parametrize(("first", "open_"), [(0.9, True), (0.1, True), (0.6, False)])
def test_a_judge_that_goes_by_the_order_decides_nothing(fair, tmp_path, first, open_):
    """It finds every two texts alike, and so all groups."""
    shutil.copytree(fair.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    folder.update({"scorers": {"length": {
        "version": 1, "unit": "wins", "range": [0.0, 1.0], "span": 1.0, "languages": ["en"],
        "first_place": {"length": first, "length_raw": 0.5},
    }}})  # fmt: skip
    found = audits.blunt(folder, "length")
    assert (found is not None) == open_
    if open_:
        assert "chose the first place in" in found
        _, check = decided(pipeline.Run(folder))
        assert check["verdict"] == "inconclusive" and check["reason"].endswith(found)


def test_an_edited_audit_is_refused(longer, tmp_path):
    shutil.copytree(longer.path, tmp_path / "run")
    path = tmp_path / "run" / "audit-length.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(InputError, match="changed after the run was finished"):
        decided(pipeline.Run(RunFolder(tmp_path / "run")))


def test_an_audit_stays_when_the_run_is_concluded_anew_and_is_copied_with_it(longer, tmp_path):
    shutil.copytree(longer.path, tmp_path / "run")
    again = pipeline.conclude(RunFolder(tmp_path / "run"))
    assert decided(again)[1]["verdict"] == "fail"
    copied = seal.copy(again.folder, tmp_path / "copy")
    assert decided(pipeline.Run(copied))[1]["verdict"] == "fail"


@pytest.mark.parametrize(("moves", "verdict"), [(0.024, "pass"), (0.026, "inconclusive")])
def test_a_scorer_that_moves_by_half_the_margin_cannot_gate(fair, tmp_path, moves, verdict):
    shutil.copytree(fair.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    rows = audits.read(folder, "length")["rows"]
    rows[0] |= {"estimate": moves, "tost_low": 0.0, "tost_high": moves}
    audits.write(folder, "length", rows, {"version": SCORERS["length"].version})
    found = decided(pipeline.Run(folder))[1]
    assert found["verdict"] == verdict
    assert verdict == "pass" or "by itself (group 'Woman')" in found["reason"]


def effect(**changes):
    row = {"endpoint": "x", "language": "en", "axis": "gender", "margin": 0.1}
    return row | changes


def record(**changes):
    rows = [
        {"scorer": "x", "language": "en", "axis": "gender", "group": group, "tost_low": -0.01,
         "tost_high": 0.01}
        for group in ("woman", "man")
    ]  # fmt: skip
    rows.append({"scorer": "x", "language": "en", "control": "x", "reason": None,
                 "estimate": 0.3, "low": 0.11, "high": 0.49})  # fmt: skip
    return {"identity": {"version": 1}, "rows": rows} | changes


@pytest.mark.parametrize(
    ("found", "identity", "row", "groups", "reason"),
    [
        (record(), 1, effect(), ["woman", "man"], None),
        (None, 1, effect(), ["woman"], "is not audited"),
        (record(), 2, effect(), ["woman"], "another version"),
        (record(), 1, effect(language="zh"), ["woman"], "no texts of known worth in 'zh'"),
        (
            record(rows=record()["rows"][:2]),
            1,
            effect(),
            ["woman", "man"],
            "no texts of known worth in 'en': give `bias-harness audit-scorer x --run RUN` again",
        ),
        (
            record(),
            1,
            effect(margin=0.12),
            ["woman"],
            "apart: it moves by 0.3 [0.11, 0.49], not shown above the margin of 0.12",
        ),
        (record(), 1, effect(axis="age"), ["22"], "lacks group '22'"),
        (record(), 1, effect(), ["woman", "non-binary"], "lacks group 'non-binary'"),
        (record(), 1, effect(margin=0.019), ["woman"], "half the margin of 0.019"),
    ],
)
def test_what_an_audit_allows(found, identity, row, groups, reason):
    said = audits.against(found, {"version": identity}, row, groups)
    assert said is None if reason is None else reason in said


@pytest.mark.parametrize("control", ["warmth", None])
def test_a_judge_that_gives_every_text_one_mark_decides_nothing(fair, tmp_path, control):
    """It finds all groups alike, with an interval as narrow as can be."""
    shutil.copytree(fair.path, tmp_path / "run")
    backend = Judge(lambda question, sample: "56"[len(question) % 2])
    path = judging(tmp_path, **({"control": control} if control else {}))
    found = rescore.rescore(RunFolder(tmp_path / "run"), path, backend=backend, ledger=None)
    rescore.audited(str(path), axes=["gender"], run=found.folder, backend=backend)
    shown = rules(tmp_path, "help")
    shown.write_text(shown.read_text().replace("scores: 0.05", "scores: 0.2"))
    record, check = decided(found, rules=policy.load(shown))
    assert check["verdict"] == "inconclusive" and record["exit_code"] == 3
    assert "scorer 'help' is not shown to tell texts of known worth apart: " in check["reason"]
    assert ("names no 'control'" in check["reason"]) is (control is None)


def test_an_audit_from_before_the_control_is_to_be_given_again(longer, tmp_path):
    shutil.copytree(longer.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    old = audits.read(folder, "length")
    old |= {"schema": 1, "rows": [row for row in old["rows"] if "control" not in row]}
    del old["control_texts"]
    folder.write_json("audit-length.json", old)
    seal.add(folder, "audit-length.json")
    record, check = decided(pipeline.Run(folder))
    assert record["exit_code"] == 3
    assert check["reason"].endswith("give `bias-harness audit-scorer length --run RUN` again")
    page = (pipeline.write_report(folder)).read_text(encoding="utf-8")
    assert "The audit asked about no texts of known worth: give" in page
    rescore.audited("length", axes=["gender"], run=folder)
    assert decided(pipeline.Run(folder))[1]["verdict"] == "fail"


def test_the_audit_of_a_scorer_that_did_not_measure_the_run_is_not_kept(fair):
    with pytest.raises(InputError, match="not scored by 'readable'"):
        audits.write(fair.folder, "readable", [], {"version": 1})
    with pytest.raises(InputError, match="by another 'length'"):
        audits.write(fair.folder, "length", [], {"version": SCORERS["length"].version + 1})


def test_an_unknown_scorer_in_a_policy_is_named_with_its_line(fair, tmp_path):
    path = rules(tmp_path, "warmht")
    with pytest.raises(InputError, match=r"policy\.yaml:6: unknown scorer 'warmht'"):
        decided(fair, rules=policy.load(path))


def test_a_scorer_that_measured_nothing_stays_open(place, monkeypatch):
    monkeypatch.setattr(sentiment, "LIBRARY", {"en": "no_such_library", "zh": "no_such_library"})
    _, check = decided(run_of(place, "bare", 0.0, scorer="sentiment"))
    assert check["verdict"] == "inconclusive"
    assert check["reason"] == "Woman, Man: scorer 'sentiment' measured no text"


def test_a_worsening_since_the_baseline_fails(place, fair, longer, tmp_path):
    path = rules(tmp_path)
    path.write_text(path.read_text().replace("scores: 0.05", "scores: 0.9"))
    wide = policy.load(path)
    assert decided(longer, rules=wide)[1]["verdict"] == "pass"
    _, check = decided(longer, fair, rules=wide)
    assert check["d"] == pytest.approx(0.02)
    assert check["reason"] == "Woman, Man: worse than the baseline"
    change = check["groups"][0]["change"]["estimate"]
    assert change == pytest.approx(check["groups"][0]["estimate"], abs=0.01)
    again = run_of(place, "again", 0.0)
    rescore.audited("length", axes=["gender"], run=again.folder)
    _, check = decided(again, fair)
    assert check["verdict"] == "pass"
    assert check["groups"][0]["change"]["verdict"] == "unchanged"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.06, 0.3, "disparity"), (-0.3, -0.06, "disparity"), (0.04, 0.3, "inconclusive"),
     (-0.3, -0.04, "inconclusive"), (None, None, "inconclusive")],
)  # fmt: skip
def test_a_disparity_must_hold_in_the_worst_case(low, high, verdict):
    row = {"verdict": "disparity", "bounds": {"low": low, "high": high}, "low": 0.1, "high": 0.2,
           "margin": 0.05}  # fmt: skip
    assert _confirmed(row)["verdict"] == verdict
    assert _confirmed({**row, "bounds": None})["verdict"] == "disparity"
