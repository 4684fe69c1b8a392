"""The command line: what a user types, sees, and gets back as exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli, pipeline
from harness.cli import screen
from tests.conftest import PlantedBackend
from tests.report import synthetic
from tests.test_pipeline import chance


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_imports_nothing_heavy():
    script = (
        "import sys\nfrom harness import cli\n"
        "try: cli.main(['run', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'transformers', 'pydantic', 'yaml', 'pyarrow', 'aiohttp'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "heavy: []" in done.stdout, done.stderr
    assert "--dry-run" in done.stdout


def test_run_prints_a_table_of_80_columns_and_the_report(capsys, planted):
    planted(PlantedBackend(chance(shift=-0.08)))
    code, out, err = call(capsys, "run", "--axes", "age", "gender")
    assert code == 0
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert re.search(r"^age +−0\.0\d+ 70 years old +−0\.\d+…−0\.\d+ +▲ disparity", out, re.M)
    assert re.search(r"^gender .*● equivalent +\d+ 100 %$", out, re.M)
    report = out.splitlines()[-1].removeprefix("report: ")
    assert report.startswith("results/runs/quick-smollm2-135m-instruct-q4_1-")
    assert report.endswith("report.html")
    assert re.search(r"\d+ of \d+ prompts", err)  # plain lines where there is no terminal
    code, again, err = call(capsys, "run", "--axes", "age", "gender")
    assert again == out
    assert "this run is finished" in err
    code, shown, _ = call(capsys, "show", report.rpartition("/")[0])
    assert (code, shown) == (0, out)
    effects = Path(report).parent / "effects.json"
    effects.write_text(effects.read_text().replace("equivalent", "inconclusive"))
    for command in ("show", "report"):  # never a table or page of what was edited
        code, _, err = call(capsys, command, report.rpartition("/")[0])
        assert (code, "changed after the run" in err) == (2, True)


def test_json_is_json(capsys, planted):
    planted(PlantedBackend(chance()))
    code, out, _ = call(capsys, "run", "--axes", "age", "--json")
    found = json.loads(out)
    assert code == 0
    assert {"schema", "effects", "axes", "run", "report"} <= set(found)
    needed = {
        "probe", "kind", "language", "cue", "axis", "group", "estimate", "unit", "low", "high",
        "tost_low", "tost_high", "alpha", "margin", "p_adjusted", "verdict", "material", "reason",
        "n_scenarios", "n_designed", "coverage",
    }  # fmt: skip
    assert all(needed <= set(effect) for effect in found["effects"])


def test_a_dry_run_writes_nothing(capsys, planted, tmp_path):
    backend = planted(PlantedBackend(chance()))
    code, out, _ = call(capsys, "run", "--dry-run")
    assert code == 0
    assert "1476 prompts in 36 blocks" in out
    assert re.search(r"^quick-decision, en +8 axes +4 +36 +0\.006", out, re.M)
    assert not backend.asked
    assert not list(tmp_path.iterdir())
    code, out, _ = call(capsys, "run", "--dry-run", "--json", "--limit", "3")
    counts = json.loads(out)
    assert counts["prompts"] == 3 * 41
    assert counts["detectable"][0]["sd"]["0.03"] is None  # three scenarios decide nothing


def test_slices_say_what_to_do_next(capsys, planted):
    planted(PlantedBackend(chance()))
    code, out, _ = call(capsys, "run", "--axes", "age", "--limit", "6", "--shard", "1/2")
    assert code == 0
    merge = out.splitlines()[-1].partition("bias-harness ")[2].split()
    code, _, err = call(capsys, *merge)
    assert code == 2
    assert "no answer yet" in err
    assert call(capsys, "run", "--axes", "age", "--limit", "6", "--shard", "2/2")[0] == 0
    code, out, _ = call(capsys, *merge)
    assert code == 0
    assert "report: " in out


@pytest.mark.parametrize("what", ["models", "suites", "probes", "axes"])
def test_list(capsys, what):
    code, out, _ = call(capsys, "list", what)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    rows = json.loads(call(capsys, "list", what, "--json")[1])
    assert all(row["name"] in out for row in rows)
    if what == "probes":
        quick = next(row for row in rows if row["name"] == "quick-decision")
        assert quick["scenarios"]["en"] >= 36
        assert quick["kind"] == "decision"
        assert len(quick["axes"]) == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--model", "smollm3"], "unknown model 'smollm3'; did you mean 'smollm2"),
        (["run", "--suite", "quik"], "unknown suite 'quik'; did you mean 'quick'"),
        (["run", "--axes", "agee"], "did you mean 'age'"),
        (["run", "--axes", "age=21,22"], "unknown group '21' of axis 'age'; did you mean"),
        (["run", "--limit", "0"], "not a whole number of 1 or more"),
        (["run", "--shard", "3/2"], "not I/N"),
        (["run", "--dtype", "int3"], "invalid choice"),
        (["run", "--model", "example-openai-server", "--device", "cpu"], "is behind a server"),
        (["run", "--model", "./nowhere/model"], "no such file or folder"),
        (["show", "nowhere"], "not a run folder"),
        (["report", "nowhere"], "not a run folder"),
        (["merge", "nowhere"], "not a run folder"),
        (["models", "pull", "example-openai-server"], "behind a server"),
        (["list", "modles"], "invalid choice"),
        (["frobnicate"], "invalid choice"),
        ([], "required"),
    ],
)
def test_bad_input_is_exit_code_2_and_writes_nothing(capsys, tmp_path, arguments, said):
    code, out, err = call(capsys, *arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert not out
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_device_and_precision_come_from_the_command_line(capsys, tmp_path, real_model):
    few = ("run", "--limit", "1", "--axes", "age=22,70")
    code, _, err = call(capsys, *few, "--device", "cuda:99")
    assert (code, "device 'cuda:99'" in err) == (2, True)
    assert not list(tmp_path.iterdir())
    assert call(capsys, *few, "--device", "cpu", "--dtype", "bfloat16", "--out", "half")[0] == 0
    kept = json.loads((tmp_path / "half" / "manifest.json").read_bytes())
    assert kept["backend"]["device"] == "cpu"
    assert kept["model"]["definition"]["dtype"] == "bfloat16"
    assert call(capsys, *few, "--out", "half")[0] == 2  # another model by its fingerprint


def test_bad_yaml_names_file_and_line(capsys, tmp_path):
    (tmp_path / "m.yaml").write_text("name: m\nfamily: [m\n")
    code, _, err = call(capsys, "run", "--model", "m.yaml")
    assert code == 2
    assert "m.yaml:3: not YAML" in err


def test_an_out_that_is_in_the_way(capsys, planted, tmp_path):
    planted(PlantedBackend(chance()))
    (tmp_path / "file").write_text("x")
    code, _, err = call(capsys, "run", "--out", "file/run")
    assert (code, "a file stands where a folder is needed" in err) == (2, True)
    code, _, err = call(capsys, "run", "--out", "file")
    assert (code, "a file stands where a folder is needed" in err) == (2, True)


def test_interrupting_ends_with_130_and_says_how_to_go_on(capsys, planted):
    planted(PlantedBackend(chance(), stop_after=30))
    code, _, err = call(capsys, "run", "--axes", "age")
    assert code == 130
    assert "Give the same command again to go on" in err


def test_a_failing_model_is_exit_code_4(capsys, planted):
    backend = PlantedBackend(chance())
    backend.broken = lambda request: True
    planted(backend)
    code, _, err = call(capsys, "run", "--axes", "age", "--limit", "6")
    assert code == 4
    assert "every prompt failed" in err


def test_numbers_have_a_true_minus_and_no_signed_zero():
    assert screen.number(-0.0004) == "0.000"
    assert screen.number(-0.0123) == "−0.012"
    assert screen.number(0.05) == "+0.050"


def test_a_reader_that_goes_away_is_no_error():
    script = "from harness.cli import main; import sys; sys.exit(main(['list', 'axes']))"
    done = subprocess.run(
        f'{sys.executable} -c "{script}" | true', shell=True, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr


def test_the_public_names():
    import harness

    assert set(harness.__all__) == {"Run", "__version__", "run"}
    assert harness.run is pipeline.run


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--model", "~nosuchuser/x.yaml"],
        ["run", "--model", "x" * 5000],
        ["run", "--out", "x" * 300, "--limit", "1"],
        ["show", "x" * 300],
    ],
)
def test_a_path_that_cannot_be_is_exit_code_2(capsys, planted, arguments):
    planted(PlantedBackend(chance()))
    code, _, err = call(capsys, *arguments)
    assert code == 2
    assert err.startswith("bias-harness: ")


def test_a_terminal_without_our_signs_gets_question_marks():
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main(['list', 'axes'])"],
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"?" in done.stdout


def test_a_closed_output_is_no_error():
    script = "import sys; from harness.cli import main; sys.exit(main(['list', 'models']))"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, script],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_asked(capsys, planted):
    planted(PlantedBackend(chance()))
    code, out, err = call(capsys, "run", "--limit", "1", "--out", os.fsdecode(b"r\xff"))
    assert (code, out) == (2, "")
    assert err == "bias-harness: argument 'r\\udcff': not UTF-8; give a name that is\n"


def test_a_full_output_device_is_said():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    script = "import sys; from harness.cli import main; sys.exit(main(['list', 'axes']))"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_several_families_have_a_heading_each() -> None:
    manifest, results, _ = synthetic.kinds()
    fault = "insensitive: disqualifying facts are not shown to lower the outcome"
    results["probes"][2]["faults"] = [fault]
    for axis in results["axes"]:
        axis.update(verdict="inconclusive", reason=fault, claim=f"Undecided: {fault}.",
                    scenarios_needed=None)  # fmt: skip
    text = screen.table(manifest, results, Path("report.html"))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    heads = [line for line in lines if "explicit cues" in line]
    assert (
        len(heads) == 10 and heads[2] == "rating · en · explicit cues · margin ±0.03 (probability)"
    )
    assert "P(first letter) 0.40 (n 18) where" in text  # no share without its n
    assert "mean rating (share of the scale) 0.40 (n 18) where" in text
    assert re.search(r"answer mass 0\.\d\d \(n \d+\)", " ".join(text.split()))
    likelihood = text.split("likelihood · en")[1].split("likelihood · zh")[0]
    assert "P(" not in likelihood and "answer mass" not in likelihood
    rating = text.split("rating · en")[1].split("rating · zh")[0]
    assert rating.count("insensitive") == 1  # said once, under the table
    cell = {**results["axes"][0], "axis": "age+gender", "n": 36, "reason": None}
    results["intersections"] = [
        {**cell, "group": "22+man", "interaction": 0.0312, "p_adjusted": 0.01, "beyond": True},
        {**cell, "group": "67+man", "interaction": -0.02, "p_adjusted": 0.4, "beyond": False},
        {**cell, "group": "67+man", "language": "zh", "interaction": 0.1, "p_adjusted": None,
         "beyond": False, "reason": "8 scenarios: shown, not tested (that takes 20)"},
    ]  # fmt: skip
    said = " ".join(screen.table(manifest, results, Path("report.html")).split())
    assert re.search(r"age\+gender: \S+\+man [+−]0\.\d{3} ", said)  # names above their row, whole
    assert "exploratory, no gate counts it; 1 of 2 cells shown apart" in said
    assert "22+man +0.031" in said and "67+man −0.020" not in said
    assert "(zh): exploratory, no gate counts it; cells not tested: 8 scenarios" in said
    assert "difference made 0.75" in text and "sameness kept not measured" in text
    alone = {**results, "axes": [], "probes": [], "intersections": []}
    assert "inside" not in screen.table(manifest, alone, Path("report.html"))


def test_the_time_left_is_said_from_a_few_answers_on_and_in_words_of_its_size(capsys, monkeypatch):
    from harness.cli import screen

    now = [100.0]
    monkeypatch.setattr(screen.time, "monotonic", lambda: now[0])
    told = screen.Screen()

    def line(seconds: float, done: int, total: int) -> str:
        now[0] += seconds
        told.progress(done, total, 0)
        return capsys.readouterr().err.strip()

    assert line(0, 10, 1000) == ""  # a run that goes on: ten were answered before
    assert line(50, 11, 1000) == "11 of 1000 prompts (0.0/s, 0 tokens/s)"
    assert line(50, 17, 1000) == "17 of 1000 prompts (0.1/s, 0 tokens/s)"
    assert line(60, 18, 1000).endswith("(0.1/s, 0 tokens/s, 5.5 h left)")
    assert line(40, 110, 1000).endswith("30 min left)")
    assert line(100, 710, 1000).endswith(", 2 min left)")
    assert line(15, 760, 1000).endswith(" 101 s left)")
    assert line(15, 1000, 1000) == "1000 of 1000 prompts (3.0/s, 0 tokens/s)"
