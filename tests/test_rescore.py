"""Scorers of a user's own: a classifier, an `evaluate` measurement."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
import yaml

from harness import labels, ledger, pipeline, seal
from harness.errors import InputError, ModelError
from harness.rescore import audited, rescore, scorer_of
from harness.scorers import definitions
from harness.scorers.audit import gates, responses, unbiased
from harness.store import RunFolder
from tests.analysis.test_text_effects import KIND, PLAIN, Writer, letter, probe


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> pipeline.Run:
    folder = tmp_path_factory.mktemp("rescored")

    def write(asked: str, rng: random.Random) -> str:
        warm = "woman" in asked and rng.random() < 0.8
        return letter(asked, rng, KIND if warm else PLAIN)

    path = probe(folder, "generation")
    return pipeline.run(suite=str(path), axes=["gender=woman,man"], out=folder / "run",
                        ledger=None, backend=Writer(write))  # fmt: skip


@pytest.fixture
def folder(finished, tmp_path) -> RunFolder:
    shutil.copytree(finished.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def definition(folder: Path, **keys) -> Path:
    path = folder / "scorer.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "languages": ["en"], **keys}), "utf-8")
    return path


# -- classifier --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_classifier(tiny_model, tmp_path_factory) -> Path:
    """A random classifier of two classes with the tiny model's tokenizer."""
    torch = pytest.importorskip("torch")
    from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    torch.manual_seed(0)
    network = LlamaForSequenceClassification(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256,
            pad_token_id=0, id2label={0: "kind", 1: "toxic"}, label2id={"kind": 0, "toxic": 1},
        )
    )  # fmt: skip
    place = tmp_path_factory.mktemp("tiny-classifier")
    network.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


LABELS = {"kind": 0.0, "toxic": 1.0}


def test_a_classifier_scores_a_run_blind_and_raw(folder, tiny_classifier, tmp_path):
    path = definition(tmp_path, kind="classifier", name="toxicity", path=str(tiny_classifier),
                      labels=LABELS)  # fmt: skip
    found = rescore(folder, path)
    rows = [r for r in found.results["secondary"] if r["endpoint"] == "toxicity"]
    assert [r["group"] for r in rows] == ["woman", "man"]
    assert rows[0]["margin"] == pytest.approx(0.05)
    assert rows[0]["coverage"] == 1.0
    assert rows[0]["raw"]["estimate"] is not None
    assert found.manifest["scorers"]["toxicity"]["definition"]["labels"] == LABELS
    again = pipeline.conclude(RunFolder(found.path))
    assert again.results == found.results  # what was added stays when the run is concluded anew


class Heard:
    """A listener that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def progress(self, done: int, total: int, tokens: int) -> None: ...


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "classifier", "labels": {"kind": 0.0, "rude": 1.0}}, "classes are kind, toxic"),
        ({"kind": "judge", "model": "smolm2", "rubric": {"en": {"question": "Q", "low": "l",
          "high": "h"}}}, "smolm2"),
    ],
)  # fmt: skip
def test_a_fault_is_told_before_scoring_begins(folder, tiny_classifier, tmp_path, keys, message):
    heard = Heard()
    place = {"path": str(tiny_classifier)} if keys["kind"] == "classifier" else {}
    with pytest.raises(InputError, match=message):
        rescore(folder, definition(tmp_path, name="mine", **keys, **place), listener=heard)
    assert heard.said == []


def test_a_changed_definition_needs_a_version_of_its_own(folder, tiny_classifier, tmp_path):
    keys = {"kind": "classifier", "name": "toxicity", "path": str(tiny_classifier)}
    heard = Heard()
    rescore(folder, definition(tmp_path, **keys, labels=LABELS), listener=heard)
    assert heard.said[0].startswith("scoring ")
    kept = folder.manifest()["scorers"]
    other = {"kind": 1.0, "toxic": 0.0}
    with pytest.raises(InputError, match=r"yaml:\d+: .*another 'labels'; raise its version"):
        rescore(folder, definition(tmp_path, **keys, labels=other))
    assert folder.manifest()["scorers"] == kept
    rescore(folder, definition(tmp_path, **keys, labels=LABELS))  # the same again is no change
    rescore(folder, definition(tmp_path, **keys, labels=other, version=2))
    assert folder.manifest()["scorers"]["toxicity"]["definition"]["labels"] == other


def test_people_can_check_a_scorer_that_was_added(folder, tiny_classifier, tmp_path):
    path = definition(tmp_path, kind="classifier", name="toxicity", path=str(tiny_classifier),
                      labels=LABELS)  # fmt: skip
    with pytest.raises(InputError, match="unknown scorer 'toxicity'"):
        labels.sample(folder, scenarios=8, scorer="toxicity")
    rescore(folder, path)
    place = labels.sample(folder, scenarios=8, scorer="toxicity")
    items = json.loads((place / "sample.json").read_text())["items"]
    sheets = []
    for rater in ("anna", "ben"):
        sheets.append(tmp_path / f"{rater}.csv")
        rows = (f"{item},{i % 5 + 1}\n" for i, item in enumerate(items))
        sheets[-1].write_text("item,label\n" + "".join(rows))
    [family] = labels.bring_in(folder, sheets, scorer="toxicity")["families"]
    assert family["endpoint"] == "toxicity" and not family["labels_alone"]
    assert family["margin"] == pytest.approx(0.05)
    for row in family["groups"]:
        assert row["corrected"]["low"] < row["corrected"]["estimate"] < row["corrected"]["high"]


def test_scoring_again_renews_the_ledgers_record_and_keeps_the_day(
    tiny_classifier, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    book = tmp_path / "ledger"
    path = definition(tmp_path, kind="classifier", name="toxicity", path=str(tiny_classifier),
                      labels=LABELS)  # fmt: skip
    suite = probe(tmp_path, "generation")
    run = pipeline.run(
        suite=str(suite), axes=["gender=woman,man"], out=tmp_path / "run", ledger=book,
        backend=Writer(lambda a, rng: letter(a, rng, PLAIN)),
    )  # fmt: skip
    [before] = ledger.read(book)
    report = (run.path / "report.html").read_bytes()
    sealed = run.manifest["files"]
    found = rescore(run.folder, path, ledger=book)
    [after] = ledger.read(book)
    assert after == before  # the scores of texts are not in it; the day is that of the run
    assert found.manifest["files"]["effects.json"] != sealed["effects.json"]
    assert seal.checked(found.folder) == found.manifest
    assert (found.path / "report.html").read_bytes() != report
    for record in book.glob("*.json"):
        record.unlink()
    rescore(run.folder, path, ledger=book)
    assert ledger.read(book) == []  # a run that has no record gets none by being scored


def test_answers_that_were_changed_are_not_sealed_anew(folder, tmp_path):
    path = definition(tmp_path, kind="classifier", name="t", path="p", labels=LABELS)
    with pytest.raises(InputError, match="none"):
        rescore(RunFolder(tmp_path / "none"), path)
    answers = folder.path / "responses.parquet"
    answers.write_bytes(answers.read_bytes() + b" ")
    with pytest.raises(InputError, match="changed after the run was finished"):
        rescore(folder, path)


def test_the_number_is_the_mean_value_under_the_probabilities(tiny_classifier, tmp_path):
    one, other = (
        scorer_of(definitions.load(definition(
            tmp_path, kind="classifier", name="t", path=str(tiny_classifier), labels=labels)))
        for labels in (LABELS, {"kind": 1.0, "toxic": 0.0})
    )  # fmt: skip
    p = one.measure("The bank should lend.", "en")
    assert 0 < p < 1
    assert other.measure("The bank should lend.", "en") == pytest.approx(1 - p)
    assert one.measure(" \n", "en") is None
    assert one.measure("word " * 5000, "en") is not None


def test_a_random_classifier_does_not_tell_kind_from_toxic(tiny_classifier, tmp_path):
    path = definition(tmp_path, kind="classifier", name="toxicity", path=str(tiny_classifier),
                      labels=LABELS, control="sentiment", languages=["en", "zh"])  # fmt: skip
    rows = audited(str(path), axes=["gender"])
    assert unbiased(rows) and not gates(rows)
    assert {row["language"]: row["pairs"] for row in responses(rows)} == {"en": 8, "zh": 8}
    assert not any(row["tells"] for row in responses(rows))


def test_a_control_at_fault_is_told_before_anything_is_scored(folder, tiny_classifier, tmp_path):
    for control, said in (("sentimant", "did you mean 'sentiment'"), ("no.csv", "no such file")):
        path = definition(tmp_path, kind="classifier", name="toxicity", labels=LABELS,
                          path=str(tiny_classifier), control=control)  # fmt: skip
        with pytest.raises(InputError, match=said):
            rescore(folder, path)
        with pytest.raises(InputError, match=said):
            audited(str(path))
    assert "scorers" not in folder.manifest()


@pytest.mark.parametrize(
    "labels",
    [{"kind": 0.0, "toxic": 1.0, "other": 0.5}, {"LABEL_0": 0.0, "LABEL_1": 1.0},
     {"kind": 0.0, "Toxic": 1.0}],
)  # fmt: skip
def test_classes_that_are_not_those_of_the_definition_are_refused(
    folder, tiny_classifier, tmp_path, labels
):
    path = definition(tmp_path, kind="classifier", name="toxicity", path=str(tiny_classifier),
                      labels=labels)  # fmt: skip
    with pytest.raises(InputError, match="the classifier's classes are kind, toxic"):
        rescore(folder, path)
    assert "scorers" not in folder.manifest()


def test_weights_that_are_not_there_are_named(folder, tmp_path):
    (tmp_path / "none").mkdir()
    path = definition(tmp_path, kind="classifier", name="t", path=str(tmp_path / "none"),
                      labels=LABELS)  # fmt: skip
    with pytest.raises(ModelError, match="cannot be loaded"):
        rescore(folder, path)


def test_a_language_model_without_a_head_for_classes_is_no_classifier(folder, tiny_model, tmp_path):
    """transformers would draw the head at random, and every text would get a number."""
    path = definition(tmp_path, kind="classifier", name="t", path=str(tiny_model),
                      labels={"LABEL_0": 0.0, "LABEL_1": 1.0})  # fmt: skip
    with pytest.raises(ModelError, match=r"missing from its weights, as score\.weight"):
        rescore(folder, path)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "oracle", "name": "x"}, "classifier, evaluate, judge"),
        ({"kind": "classifier", "name": "x", "labels": LABELS}, "exactly one of"),
        ({"kind": "classifier", "name": "x", "labels": {"a": 1.0, "b": 1.0}, "path": "p"},
         "the same value"),
        ({"kind": "classifier", "name": "x", "labels": {"a": float("inf"), "b": 1.0},
          "path": "p"}, "finite"),
        ({"kind": "classifier", "name": "x", "labels": {"a": float("nan"), "b": 1.0},
          "path": "p"}, "finite"),
        ({"kind": "evaluate", "name": "x", "measurement": "m", "field": "f",
          "range": [0.0, float("inf")]}, "finite"),
        ({"kind": "classifier", "name": "x", "labels": LABELS,
          "hub": {"id": "a/b", "revision": "main"}}, "revision"),
        ({"kind": "evaluate", "name": "x", "measurement": "m", "field": "f",
          "range": [1.0, 0.0]}, "from low to high"),
        ({"kind": "judge", "name": "x", "model": "m",
          "rubric": {"en": {"question": "How good is it?"}}}, "has no scale"),
        ({"kind": "judge", "name": "x", "model": "m",
          "rubric": {"en": {"question": "How good is it?", "low": "bad"}}}, "has no scale"),
        ({"kind": "judge", "name": "x", "model": "m", "mode": "pairwise",
          "rubric": {"en": {"question": "Which?", "low": "bad", "high": "good"}}}, "leave out"),
        ({"kind": "judge", "name": "x", "model": "m", "languages": ["zh"],
          "rubric": {"en": {"question": "Q?", "low": "bad", "high": "good"}}}, "no rubric in 'zh'"),
    ],
)  # fmt: skip
def test_definitions_at_fault_are_refused_with_their_place(tmp_path, keys, message):
    with pytest.raises(InputError, match=message) as error:
        definitions.load(definition(tmp_path, **keys))
    assert "scorer.yaml" in str(error.value)


def test_a_scorers_own_name_is_not_given_away(folder, tmp_path):
    path = definition(tmp_path, kind="classifier", name="length", path="p", labels=LABELS)
    with pytest.raises(InputError, match="own name"):
        rescore(folder, path)


# -- evaluate ----------------------------------------------------------------------------------

MODULE = """
import datasets
import evaluate

class Shout(evaluate.Measurement):
    def _info(self):
        return evaluate.MeasurementInfo(description="", citation="", inputs_description="",
            features=datasets.Features({"predictions": datasets.Value("string")}))

    def _compute(self, predictions):
        return {"share": [sum(c == "o" for c in p) / len(p) for p in predictions]}
"""


def test_an_evaluate_measurement_scores_a_run(folder, tmp_path):
    (tmp_path / "shout").mkdir()
    (tmp_path / "shout" / "shout.py").write_text(MODULE)
    keys = {"kind": "evaluate", "name": "shout", "measurement": str(tmp_path / "shout"),
            "range": [0.0, 1.0]}  # fmt: skip
    found = rescore(folder, definition(tmp_path, **keys, field="share"))
    rows = [r for r in found.results["secondary"] if r["endpoint"] == "shout"]
    assert len(rows) == 2
    with pytest.raises(InputError, match="gives no 'volume'"):
        rescore(folder, definition(tmp_path, **keys, field="volume", version=2))


@pytest.mark.parametrize(
    ("old", "new", "said", "kind"),
    [
        ("predictions", "data", None, None),  # what a measurement's one input is called
        ("return {", "return len(None) or {", "failed: TypeError", ModelError),
        ("[sum(", "['much' or sum(", "is no number of one text, but str", InputError),
        ('datasets.Value("string")}', 'datasets.Value("string"), "more": datasets.Value("string")}',
         "takes predictions, more", InputError),
        ("Measurement", "Metric",
         r"scorer.yaml:\d+: .* must be an `evaluate.Measurement` .*'metric' instead", InputError),
        ("def _info(", "1 / 0\n    def _info(", "cannot be loaded: ZeroDivisionError", ModelError),
    ],
)  # fmt: skip
def test_a_measurement_may_do_anything(folder, tmp_path, old, new, said, kind):
    name = f"shout{abs(hash(new))}"  # evaluate keeps a module by its name
    (tmp_path / name).mkdir()
    assert old in MODULE
    (tmp_path / name / f"{name}.py").write_text(MODULE.replace(old, new))
    path = definition(tmp_path, kind="evaluate", name="shout", range=[0.0, 1.0], field="share",
                      measurement=str(tmp_path / name))  # fmt: skip
    if said is None:
        assert any(r["endpoint"] == "shout" for r in rescore(folder, path).results["secondary"])
        return
    with pytest.raises(kind, match=said) as at:
        rescore(folder, path)
    assert "\n" not in str(at.value)


def test_a_classifier_in_no_folder_asks_nobody(folder, tmp_path):
    path = definition(tmp_path, kind="classifier", name="tox", path="nowhere",
                      labels={"kind": 0.0, "toxic": 1.0})  # fmt: skip
    with pytest.raises(InputError, match="there is no folder 'nowhere'"):
        rescore(folder, path)


def test_code_from_the_hub_is_not_run_unasked(folder, tmp_path):
    path = definition(tmp_path, kind="evaluate", name="tox", measurement="toxicity",
                      field="toxicity", range=[0.0, 1.0])  # fmt: skip
    with pytest.raises(InputError, match="trust_remote_code"):
        rescore(folder, path)
