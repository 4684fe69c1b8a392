"""What a user of history, import, compare, gate and export types, sees, and gets as exit code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness import cli, ledger
from tests.conftest import PlantedBackend
from tests.versions import chance, model, run_of


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


AXES = ["age", "gender"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("made")
    options = {"axes": AXES, "ledger": place / ledger.LEDGER}
    run_of(place, "1", **options)
    run_of(place, "2", chance({"70": -0.08}, own=0.01, salt="s"), **options)
    run_of(place, "3", chance(own=0.01, salt="n"), **options)
    return place


@pytest.fixture
def versions(made, tmp_path):
    """Three versions of one family: their folders, and their ledger here."""
    for name in ("1", "2", "3"):
        shutil.copytree(made / name, tmp_path / name)
    shutil.copytree(made / ledger.LEDGER, ledger.LEDGER)
    return [tmp_path / name for name in ("1", "2", "3")]


def width(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_help_imports_nothing_heavy():
    script = (
        "import sys\nfrom harness import cli\n"
        "try: cli.main(['gate', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'pydantic', 'yaml', 'pyarrow', 'orjson', 'matplotlib'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "heavy: []" in done.stdout, done.stderr
    assert "--baseline" in done.stdout


# -- history -----------------------------------------------------------------------------------


def test_history_shows_every_version_of_an_axis(capsys, versions):
    code, out, _ = call(capsys, "history")
    assert code == 0
    assert width(out) <= 80
    lines = [line for line in out.splitlines() if "▲ disparity" in line]
    assert len(lines) == 1
    assert " 2 " in lines[0]
    assert "70 years old" in lines[0]
    assert out.count("● equivalent") == 5
    code, out, _ = call(capsys, "history", "--model", "toy", "--axis", "age", "--json")
    rows = json.loads(out)
    assert [row["model"]["version"] for row in rows] == ["1", "2", "3"]
    assert {e["axis"] for row in rows for e in row["effects"]} == {"age"}


def test_no_version_and_no_change_has_a_number_without_an_interval(capsys, tmp_path):
    for name, answers in (("1", chance()), ("2", chance({"70": -0.2}, own=0.01))):
        run_of(tmp_path, name, answers, limit=3)
    _, out, _ = call(capsys, "history")
    assert out.count("not measured") == 2 and not re.search(r"[+−]\d", out)
    code, out, _ = call(capsys, "compare", tmp_path / "1", tmp_path / "2",
                        "--out", tmp_path / "c.json")  # fmt: skip
    assert code == 0 and "age         not measured" in out


def test_history_of_nothing_and_of_what_is_not_there(capsys, tmp_path):
    code, out, _ = call(capsys, "history")
    assert (code, "no runs in" in out) == (0, True)
    run_of(tmp_path, "1")
    for option in (["--model", "no"], ["--axis", "no"]):
        code, out, err = call(capsys, "history", *option)
        assert (code, out, "the ledger has no" in err) == (2, "", True)


@pytest.mark.parametrize("name", ["trend.png", "trend.svg"])
def test_history_draws_a_figure(capsys, versions, name):
    assert call(capsys, "history", "--figure", name)[0] == 0
    data = Path(name).read_bytes()
    assert data.startswith(b"\x89PNG") if name.endswith("png") else b"<svg" in data
    code, _, err = call(capsys, "history", "--figure", "trend.gif")
    assert (code, ".png or .svg" in err) == (2, True)


# -- import ------------------------------------------------------------------------------------


def test_import_copies_records_and_does_it_once(capsys, versions, tmp_path, monkeypatch):
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    for _ in range(2):
        code, out, _ = call(capsys, "import", versions[1])
        assert code == 0
        place = Path(out.splitlines()[0].removeprefix("run: "))
        assert (place / "report.html").exists()
        assert (place / "effects.json").read_bytes() == (versions[1] / "effects.json").read_bytes()
    [record] = ledger.read(ledger.LEDGER)
    assert record["run"] == place.name
    assert place.parent == Path("results/runs")
    assert call(capsys, "import", place)[0] == 0
    assert len(ledger.read(ledger.LEDGER)) == 1


def change(place: Path, edit) -> None:
    path = place / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda m: m.update(state="running"), "the run is not finished"),
        (lambda m: m["policy"].update(alpha=0.2), "policy was changed after the run began"),
        (lambda m: m["model"].update(fingerprint="f" * 64), "fingerprint is not that of the model"),
        (
            lambda m: m["model"]["definition"].update(system_prompt="x"),
            "fingerprint is not that of the model",
        ),
        (lambda m: m["model"]["definition"].update(base_url=3), "definition is damaged"),
        (lambda m: m["design"].update(hash="f" * 64), "changed since the run began"),
        (lambda m: m["files"].pop("scores.parquet"), "no hash of scores.parquet"),
        (lambda m: m["suite"].update(name="../../x"), "no name of a run"),
        (lambda m: m["model"]["identity"].update(plant={}), "planted"),
        (lambda m: m.pop("git_commit"), "damaged: 'git_commit': Field required"),
        (lambda m: m["model"].pop("family"), "damaged: 'model.family'"),
        (lambda m: m.update(probes=[1]), "damaged: 'probes.0'"),
        (lambda m: m.update(finished=None), "damaged: 'finished'"),
        (lambda m: m.update(finished="x"), "damaged: 'finished'"),
        (lambda m: m.update(created="2026-13-01T00:00:00Z"), "damaged: 'created'"),
        (lambda m: m.update(scoring="x"), "damaged: 'scoring'"),
        (lambda m: m.update(scoring=True), "damaged: 'scoring'"),
        (lambda m: m.update(backend="x"), "damaged: 'backend'"),
        (lambda m: m.update(policy=[]), "damaged"),
    ],
)
def test_import_refuses_what_does_not_fit_its_hashes(capsys, versions, tmp_path, edit, said):
    run = tmp_path / "edited"
    shutil.copytree(versions[1], run)
    change(run, edit)
    before = [(p, p.read_bytes()) for p in sorted(ledger.LEDGER.iterdir())]
    code, out, err = call(capsys, "import", run)
    assert (code, out) == (2, "")
    assert said in err
    assert [(p, p.read_bytes()) for p in sorted(ledger.LEDGER.iterdir())] == before
    assert not Path("results/runs").exists()


def test_import_refuses_results_that_lack_something_although_their_hash_fits(capsys, versions):
    import hashlib

    path = versions[1] / "effects.json"
    for text in ('{"axes": [{}], "effects": []}', '{"effects": []}', "[]"):
        path.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        change(versions[1], lambda m, d=digest: m["files"].update({"effects.json": d}))
        code, out, err = call(capsys, "import", versions[1])
        assert (code, out) == (2, "")
        assert "effects.json is damaged" in err


@pytest.mark.parametrize(
    "name", ["responses.parquet", "scores.parquet", "effects.json", "design.parquet"]
)
def test_import_refuses_a_missing_and_a_changed_file(capsys, versions, name):
    path = versions[1] / name
    path.write_bytes(path.read_bytes() + b" ")
    code, _, err = call(capsys, "import", versions[1])
    assert (code, f"{name}: changed after the run was finished" in err) == (2, True)
    path.unlink()
    code, _, err = call(capsys, "import", versions[1])
    assert (code, f"{name}: missing" in err) == (2, True)


# -- compare -----------------------------------------------------------------------------------


def test_compare_prints_axes_and_sets_in_80_columns_and_writes_the_record(capsys, versions):
    code, out, _ = call(capsys, "compare", versions[0], versions[1], "--out", "there")
    assert code == 0
    assert width(out) <= 80
    [age] = [line for line in out.splitlines() if line.startswith("age ")]
    assert "▲ worse" in age
    assert "70 years old" in age
    assert "the sets that changed most (3 of" in out
    assert "change" in out
    record = json.loads(Path("there/comparison.json").read_text())
    assert record["comparisons"][0]["verdict"] == "worse"
    code, out, _ = call(capsys, "compare", *versions, "--json")
    assert [c["role"] for c in json.loads(out)["comparisons"]] == [
        ["previous", "baseline"], ["previous"], ["baseline"],
    ]  # fmt: skip
    assert call(capsys, "compare", *versions[:2], "--out", "there/comparison.json")[0] == 0


def test_compare_overwrites_nothing_but_a_comparison(capsys, versions):
    Path("notes.json").write_text("{}")
    code, _, err = call(capsys, "compare", *versions[:2], "--out", "notes.json")
    assert (code, "exists and is no comparison" in err) == (2, True)
    assert Path("notes.json").read_text() == "{}"


def test_compare_of_other_designs_is_exit_code_2_unless_common(capsys, versions, tmp_path):
    few = run_of(tmp_path, "few", axes=["age"], limit=12)
    code, out, err = call(capsys, "compare", versions[0], few.path, "--out", "there")
    assert (code, out) == (2, "")
    assert "cannot be paired prompt by prompt" in err
    assert not Path("there").exists()
    code, _, err = call(capsys, "gate", few.path, "--baseline", versions[0])
    assert code == 2
    assert "run both with the same suite, axes and limit" in err  # gate takes no --common
    code, out, _ = call(capsys, "compare", versions[0], few.path, "--common")
    assert code == 0
    assert "left out: quick-decision (en, explicit), age: 24 of 36 scenarios left out" in out
    assert width(out) <= 80


# -- gate --------------------------------------------------------------------------------------


def test_gate_exit_codes_and_files(capsys, versions, tmp_path):
    wild = run_of(tmp_path, "wild", chance(own=0.2, salt="w"), axes=AXES)
    for run, code, word in ((versions[0], 0, "pass"), (versions[1], 1, "fail"),
                            (wild.path, 3, "inconclusive")):  # fmt: skip
        files = ("--junit", f"{word}.xml", "--markdown", f"{word}.md")
        found, out, err = call(capsys, "gate", run, *files)
        assert (found, err) == (code, "")
        assert width(out) <= 80
        assert out.splitlines()[0].startswith(
            "● Cleared" if word == "pass" else "▲ Not" if word == "fail" else "◐ Not"
        )
        suite = ElementTree.parse(f"{word}.xml").getroot()[0]
        assert suite.get("tests") == "2"
        assert (int(suite.get("failures")) > 0) == (word == "fail")
        assert (int(suite.get("errors")) > 0) == (word == "inconclusive")
        assert suite.get("skipped") == "0"
        text = Path(f"{word}.md").read_text()
        assert text.startswith(f"## {'●▲◐'[[0, 1, 3].index(code)]} ")
        assert "| age | " in text
    found, out, _ = call(capsys, "gate", wild.path, "--json")
    assert found == 3
    record = json.loads(out)
    assert f"about {record['scenarios_needed']} more scenarios needed" in record["sentence"]


def test_gate_against_a_baseline(capsys, versions):
    assert call(capsys, "gate", versions[2], "--baseline", versions[0])[0] == 0
    code, out, _ = call(capsys, "gate", versions[1], "--baseline", versions[0])
    assert code == 1
    # every group that failed has its numbers, so that a reader sees who moved most
    assert re.search(r"^ {4}70 years old: fail, effect −0\.\d{3} \[−", out, re.MULTILINE)
    code, out, err = call(capsys, "gate", versions[0], "--baseline", versions[0])
    assert (code, out) == (2, "")
    assert "is the run it is to be compared with" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("margin: {decision: 0.1}\n", "unknown key 'margin'; did you mean 'margins'?"),
        ("margins: {decision: 0}\n", "greater than 0"),
        ("axis_margins: {age: {decision: 0.0}}\n", "greater than 0"),
        ("d: {decision: -1}\n", "greater than 0"),
        ("primary: [nothing]\n", "unknown primary probe 'nothing'"),
        ("waivers: [{axis: age, reason: r, person: p}]\n", "expires' is missing"),
        ("waivers: [{axis: age, reason: r, person: '', expires: 2030-01-01}]\n", "person"),
        ("waivers: [{axis: age, reason: r, person: p, expires: soon}]\n", "expires"),
        ("waivers: [{axis: age, reason: r, person: p, expires: 2020-01-01}]\n", "expired on 2020"),
    ],
)
def test_a_policy_that_is_wrong_is_exit_code_2_and_writes_nothing(capsys, versions, text, said):
    given = "" if text.startswith("margins") else "margins: {decision: 0.03}\n"
    Path("p.yaml").write_text(f"name: p\nversion: 1\nbase_rate: [0.05, 0.95]\n{given}{text}")
    code, out, err = call(capsys, "gate", versions[0], "--policy", "p.yaml", "--junit", "j.xml")
    assert (code, out) == (2, "")
    assert "p.yaml:" in err
    assert said in err
    assert not Path("j.xml").exists()


def test_gate_under_another_policy_says_chosen_after_the_data(capsys, versions):
    Path("p.yaml").write_text(
        "name: p\nversion: 1\nbase_rate: [0.05, 0.95]\nmargins: {decision: 0.4}\n"
    )
    files = ("--junit", "j.xml", "--markdown", "m.md")
    code, out, _ = call(capsys, "gate", versions[1], "--policy", "p.yaml", *files)
    assert code == 0
    for text in (out, Path("j.xml").read_text(), Path("m.md").read_text()):
        assert "chosen after the data" in text
    assert "chosen after" not in call(capsys, "gate", versions[1])[1]


def test_a_policy_given_to_the_run_is_fixed_before_it(capsys, planted):
    Path("p.yaml").write_text(
        "name: mine\nversion: 1\nbase_rate: [0.05, 0.95]\nmargins: {decision: 0.2}\n"
    )
    planted(PlantedBackend(chance({"70": -0.08})))
    code, _, _ = call(capsys, "run", "--axes", "age", "--policy", "p.yaml", "--out", "run")
    assert code == 0
    manifest = json.loads(Path("run/manifest.json").read_text())
    assert (manifest["policy"]["name"], manifest["policy"]["margins"]) == (
        "mine", {"decision": 0.2},
    )  # fmt: skip
    code, out, _ = call(capsys, "gate", "run")
    assert code == 0
    assert "chosen after" not in out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("axis_margins: {agee: {decision: 0.1}}\n", "p.yaml:5: unknown axis 'agee'; did you mean"),
        ("waivers: [{axis: age, reason: r, person: p, expires: 2020-01-01}]\n", "expired on 2020"),
        ("extra: 1\n", "unknown key 'extra'"),
    ],
)
def test_a_run_is_not_begun_under_a_wrong_policy(capsys, planted, tmp_path, text, said):
    Path("p.yaml").write_text(
        f"name: p\nversion: 1\nbase_rate: [0.05, 0.95]\nmargins: {{decision: 0.1}}\n{text}"
    )
    backend = planted(PlantedBackend(chance()))
    code, out, err = call(capsys, "run", "--policy", "p.yaml", "--out", "run")
    assert (code, out) == (2, "")
    assert said in err
    assert not backend.asked
    assert not Path("run").exists()


def test_a_hostile_version_name_is_text_everywhere(capsys, tmp_path):
    import harness

    hostile = "1 | <script>alert(1)</script> `x` \x07 ]]> **b**"
    backend = PlantedBackend(chance(), identity_={"planted": "h"})
    evil = model("1").model_copy(update={"version": hostile})
    harness.run(evil, out=tmp_path / "h", axes=["age"], backend=backend)
    code, _, _ = call(capsys, "gate", tmp_path / "h", "--junit", "j.xml", "--markdown", "m.md")
    assert code == 0
    root = ElementTree.parse("j.xml").getroot()
    said = next(p.get("value") for p in root.iter("property") if p.get("name") == "run")
    assert "<script>alert(1)</script>" in said
    assert "\x07" not in Path("j.xml").read_text()
    text = Path("m.md").read_text()
    assert r"\<script\>" in text
    assert r"\*\*b\*\*" in text
    assert "<script>" not in text


# -- export ------------------------------------------------------------------------------------


def test_export_prints_what_it_wrote(capsys, versions):
    code, out, _ = call(capsys, "export", versions[0], "--format", "csv", "--out", "tables")
    assert code == 0
    assert out.split() == ["tables/effects.csv", "tables/responses.csv"]
    assert all(Path(name).exists() for name in out.split())
    code, _, err = call(capsys, "export", versions[0], "--format", "xls", "--out", "x")
    assert (code, "invalid choice" in err) == (2, True)
    assert call(capsys, "export", "nowhere", "--format", "csv", "--out", "x")[0] == 2


@pytest.mark.parametrize("command", ["import", "gate"])
def test_what_is_no_run_is_exit_code_2(capsys, command):
    code, out, err = call(capsys, command, "nowhere")
    assert (code, out) == (2, "")
    assert "not a run folder" in err


def test_an_edited_ledger_is_exit_code_2_everywhere(capsys, versions):
    path = next(ledger.LEDGER.glob("*.json"))
    path.write_text(path.read_text().replace('"toy"', '"other"'))
    kept = path.read_bytes()
    for command in (["history"], ["gate", versions[0]], ["import", versions[0]]):
        code, out, err = call(capsys, *command)
        assert (code, out) == (2, "")
        assert "edited after it was written" in err
    assert path.read_bytes() == kept
