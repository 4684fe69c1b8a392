"""A run's results in other tools' formats, read back by those tools."""

from __future__ import annotations

import csv
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml

from harness import exports
from harness.cli.versions import FORMATS
from harness.errors import InputError, StoreError
from harness.nouns import Finish, Response
from tests.conftest import PlantedBackend
from tests.versions import chance, model, run_of


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run(place):
    return run_of(place, "1", chance({"70": -0.08}), axes=["age", "gender"])


def test_the_table_of_formats_is_that_of_the_command_line():
    assert tuple(exports.FORMATS) == FORMATS


def test_parquet_holds_every_effect_and_response_exactly(tmp_path, run):
    written = exports.export(run.folder, "parquet", str(tmp_path))
    assert [name.rsplit("/")[-1] for name in written] == ["effects.parquet", "responses.parquet"]
    effects = pq.read_table(tmp_path / "effects.parquet").to_pylist()
    assert len(effects) == len(run.effects) == 8
    for row, effect in zip(effects, run.effects, strict=True):
        for key in ("axis", "group", "estimate", "low", "high", "verdict", "n_scenarios", "unit"):
            assert row[key] == effect[key]
        assert row["statuses_answered"] == 36
    responses = pq.read_table(tmp_path / "responses.parquet")
    assert responses.num_rows == run.manifest["design"]["prompts"]


def test_csv_reads_back_to_the_same_numbers(tmp_path, run):
    exports.export(run.folder, "csv", str(tmp_path))
    with (tmp_path / "effects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, effect in zip(rows, run.effects, strict=True):
        assert float(row["estimate"]) == effect["estimate"]
        assert float(row["high"]) == effect["high"]
        assert row["verdict"] == effect["verdict"]
    with (tmp_path / "responses.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == run.manifest["design"]["prompts"]


HOSTILE = '=HYPERLINK("http://x","y"),"quote\nline | <script>\x00\x1b[2J\u202e'


LOST = "\ufffd"


def test_a_hostile_answer_is_text_in_csv_and_itself_in_parquet(tmp_path, place):
    class Hostile(PlantedBackend):
        def _answer(self, request):
            return Response(request.prompt, Finish.STOP, text=HOSTILE,
                            logprobs=super()._answer(request).logprobs)  # fmt: skip

    import harness

    backend = Hostile(chance(), identity_={"planted": "hostile"})
    run = harness.run(
        model("hostile"), out=place / "hostile", axes=["age"], limit=6, backend=backend
    )
    exports.export(run.folder, "csv", str(tmp_path))
    exports.export(run.folder, "parquet", str(tmp_path))
    with (tmp_path / "responses.csv").open(newline="") as file:
        assert {row["answer"] for row in csv.DictReader(file)} == {
            "'" + HOSTILE.replace("\x00", LOST).replace("\x1b", LOST).replace("\u202e", LOST)
        }
    assert set(pq.read_table(tmp_path / "responses.parquet")["answer"].to_pylist()) == {HOSTILE}


def test_the_model_card_says_verdict_number_interval_and_n(tmp_path, run):
    exports.export(run.folder, "model-card", str(tmp_path / "card.md"))
    text = (tmp_path / "card.md").read_text()
    age = next(line for line in text.splitlines() if line.startswith("| age"))
    assert "▲ disparity" in age
    assert "70 years old" in age
    assert "−0.0" in age
    assert "36 of 36" in age
    assert "No group differs from the mean of the others by 0.03 or more (5 % error)." in text
    assert run.manifest["policy"]["hash"] in text
    assert " fair" not in text
    assert "equivalent: the 90 % interval of every group lies inside" in text


def test_the_hub_reads_its_eval_results_back(tmp_path, run):
    from huggingface_hub import parse_eval_result_entries

    place = str(tmp_path / "bias.yaml")
    exports.export(run.folder, "eval-results", place, dataset="someone/bias-quick")
    entries = parse_eval_result_entries(yaml.safe_load((tmp_path / "bias.yaml").read_text()))
    assert {e.dataset_id for e in entries} == {"someone/bias-quick"}
    assert [e.task_id for e in entries] == [
        "quick-decision-en-explicit-gender", "quick-decision-en-explicit-age",
    ]  # fmt: skip
    largest = next(a for a in run.axes if a["axis"] == "age")["largest"]
    assert entries[1].value == pytest.approx(largest["estimate"], abs=1e-6)
    assert "verdict disparity" in entries[1].notes
    assert "36 scenarios" in entries[1].notes


@pytest.mark.parametrize("dataset", [None, "", "quick", "a/b/c", "a b/c", "https://x/a/b"])
def test_the_hubs_results_are_of_a_dataset_that_the_user_names(tmp_path, run, dataset):
    with pytest.raises(InputError, match="needs OWNER/NAME of a dataset on the Hub"):
        exports.export(run.folder, "eval-results", str(tmp_path / "e.yaml"), dataset=dataset)
    assert not (tmp_path / "e.yaml").exists()


def test_the_hub_reads_its_model_index_back(tmp_path, run):
    from huggingface_hub import ModelCard

    exports.export(run.folder, "model-index", str(tmp_path / "index.yaml"))
    front = (tmp_path / "index.yaml").read_text()
    card = ModelCard(f"---\n{front}---\n# toy\n")
    found = card.data.eval_results
    assert [r.dataset_config for r in found] == [
        "quick-decision-en-explicit-gender", "quick-decision-en-explicit-age",
    ]  # fmt: skip
    largest = next(a for a in run.axes if a["axis"] == "age")["largest"]
    assert found[1].metric_value == pytest.approx(largest["estimate"], abs=1e-6)
    assert found[1].metric_args["low"] == pytest.approx(largest["low"], abs=1e-6)
    assert found[1].metric_args["verdict"] == "disparity"


def test_nothing_that_is_not_the_same_export_is_overwritten(tmp_path, run):
    card = tmp_path / "README.md"
    card.write_text("# my model\n")
    with pytest.raises(InputError, match="exists and is something else"):
        exports.export(run.folder, "model-card", str(card))
    assert card.read_text() == "# my model\n"
    for _ in range(2):
        exports.export(run.folder, "parquet", str(tmp_path / "again"))
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        exports.export(run.folder, "csv", str(card / "inside"))


def test_unknown_formats_and_unfinished_runs_are_refused(tmp_path, place, run):
    with pytest.raises(InputError, match="did you mean 'parquet'"):
        exports.export(run.folder, "parket", str(tmp_path))
    torn = run_of(place, "torn")
    (torn.path / "responses.parquet").unlink()
    with pytest.raises(InputError, match=r"responses\.parquet: missing"):
        exports.export(torn.folder, "csv", str(tmp_path))
    assert not list(tmp_path.iterdir())


# -- MLflow ------------------------------------------------------------------------------------


def test_mlflow_holds_params_metrics_verdicts_and_the_report(tmp_path, run):
    pytest.importorskip("mlflow")
    [address] = exports.export(run.folder, "mlflow", str(tmp_path / "mlruns"))
    from mlflow import MlflowClient

    uri, _, name = address.partition("#")
    client = MlflowClient(tracking_uri=uri)
    found = client.get_run(name)
    assert found.info.status == "FINISHED"
    assert found.data.params["fingerprint"] == run.manifest["model"]["fingerprint"]
    assert found.data.params["design"] == run.manifest["design"]["hash"]
    assert found.data.tags["verdict"] == "disparity"
    assert found.data.tags["axis_verdict/quick-decision-en-explicit/gender"] == "equivalent"
    for effect in run.effects:
        base = f"effect/quick-decision-en-explicit/{effect['axis']}/{effect['group']}"
        for key in ("estimate", "low", "high"):
            assert found.data.metrics[f"{base}/{key}"] == effect[key]
    assert found.data.metrics["coverage/quick-decision-en-explicit/age"] == 1.0
    names = {file.path for file in client.list_artifacts(name)}
    assert names == {"report.html", "effects.json", "manifest.json"}
    with pytest.raises(InputError, match="holds this run already"):
        exports.export(run.folder, "mlflow", str(tmp_path / "mlruns"))
    experiment = client.get_experiment_by_name("bias-harness")
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_a_place_that_mlflow_cannot_write_is_said(tmp_path, run):
    pytest.importorskip("mlflow")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="MLflow cannot write there"):
        exports.export(run.folder, "mlflow", str(tmp_path / "file"))


def test_without_mlflow_the_message_says_what_to_install(tmp_path, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(InputError, match=r"pip install 'bias-harness\[mlflow\]'"):
        exports.export(run.folder, "mlflow", str(tmp_path / "mlruns"))


def test_importing_exports_loads_no_mlflow_and_no_hub():
    script = (
        "import sys, harness.exports\nprint(sorted({'mlflow', 'huggingface_hub'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.fixture(scope="module")
def few(place):
    """Three scenarios: nothing has an interval."""
    return run_of(place, "few", limit=3)


@pytest.mark.parametrize("form", ["model-index", "eval-results"])
def test_where_nothing_has_an_interval_nothing_is_written_and_the_reason_is_said(
    tmp_path, few, form
):
    with pytest.raises(InputError, match=r"nothing to export \(3 of 3 scenarios complete"):
        exports.export(few.folder, form, str(tmp_path / "out"), dataset="a/b")
    assert not (tmp_path / "out").exists()


def test_a_model_card_has_no_number_without_its_interval(tmp_path, few):
    exports.export(few.folder, "model-card", str(tmp_path / "card.md"))
    row = next(line for line in (tmp_path / "card.md").read_text().splitlines()
               if line.startswith("| age"))  # fmt: skip
    assert "| not measured | not measured |" in row
    assert few.axes[0]["largest"]["estimate"] is not None  # there is a number to be kept back
