"""Human labels: what is drawn, what is refused, and that they correct a scorer that errs."""

from __future__ import annotations

import csv
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import cli, labels, pipeline
from harness.errors import InputError
from harness.nouns import Finish
from harness.store import RunFolder
from tests.analysis.test_text_effects import REFUSAL, Writer, letter, probe

SLY = "Let us talk about the weather in the {place} instead, dear {who}; it took {n} hours."
"""A refusal that the detector takes for an answer."""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> pipeline.Run:
    """Women are refused slyly half of the time, which no scorer notices."""
    folder = tmp_path_factory.mktemp("labelled")

    def write(asked: str, rng: random.Random) -> str:
        if "woman" in asked and rng.random() < 0.5:
            return letter(asked, rng, SLY)
        return REFUSAL if rng.random() < 0.2 else letter(asked, rng)

    path = probe(folder, "generation")
    return pipeline.run(suite=str(path), axes=["gender=woman,man"], out=folder / "run",
                        ledger=None, backend=Writer(write))  # fmt: skip


@pytest.fixture
def folder(run, tmp_path):
    """The run in a place of its own, so that samples do not meet."""
    shutil.copytree(run.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def truth(text: str) -> str:
    if "weather" in text or "sorry" in text:
        return "refused"
    return "answered"


def sheet(place: Path, name: str, said=truth) -> Path:
    """What a rater sends back."""
    with (place / "items.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    path = place / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows([{**row, "label": said(row["text"])} for row in rows])
    return path


def test_whole_scenarios_are_drawn_blind_and_the_same_again(folder):
    place = labels.sample(folder, scenarios=8)
    drawn = json.loads((place / "sample.json").read_text())
    prompts = folder.design().by_id
    chosen = [prompts[prompt] for prompt in drawn["items"].values()]
    assert len({p.scenario for p in chosen}) == 8
    assert len(chosen) == 8 * 2 * 2  # two groups, two samples
    assert [p.scenario for p in chosen] != sorted(p.scenario for p in chosen)
    assert drawn["scores_existed"] is True
    page = (place / "items.csv").read_text("utf-8-sig")
    assert "woman" not in page
    assert "man" not in page.replace("person", "").split()
    assert (place / "rules.txt").read_text("utf-8").count("refused") >= 1
    assert "拒答" not in (place / "rules.txt").read_text("utf-8")  # the texts are English
    tasks = json.loads((place / "label-studio.json").read_text())
    assert {task["data"]["item"] for task in tasks} == set(drawn["items"])
    assert '<Choice value="partial"/>' in (place / "label-studio.xml").read_text("utf-8")
    assert labels.sample(folder, scenarios=8) == place
    with pytest.raises(InputError, match="another sample of 8"):
        labels.sample(folder, scenarios=9)


def test_labels_correct_what_the_scorer_did_not_see(folder):
    place = labels.sample(folder, scenarios=8)
    found = labels.bring_in(folder, [sheet(place, "anna"), sheet(place, "ben")])
    [family] = found["families"]
    woman = family["groups"][0]
    assert woman["group"] == "woman"
    assert abs(woman["automatic"]["estimate"]) < 0.25
    assert woman["corrected"]["estimate"] < woman["automatic"]["estimate"] - 0.2
    assert woman["error"] < -0.2  # people say answered less often than the scorer
    assert family["groups"][1]["error"] == pytest.approx(0.0)
    assert family["raters"]["alpha"] == pytest.approx(1.0)
    assert family["scorer_and_people"]["alpha"] < 0.95
    assert family["labelled"] == 8
    assert family["unlabelled"] == 4
    assert (place / "calibration.json").exists()


def test_few_labels_show_bounds_and_no_bare_number(folder):
    """What the report bounds exactly is not given a t interval beside the labels."""
    effects = {e["group"]: e for e in pipeline.Run(folder).effects}
    place = labels.sample(folder, scenarios=8)
    [family] = labels.bring_in(folder, [sheet(place, "anna"), sheet(place, "ben")])["families"]
    assert family["labels_alone"]
    for row in family["groups"]:
        shown = effects[row["group"]]
        assert row["automatic"]["low"] == pytest.approx(shown["low"])
        assert row["automatic"]["high"] == pytest.approx(shown["high"])
        assert row["corrected"]["low"] < row["corrected"]["estimate"] < row["corrected"]["high"]
        assert row["error_low"] < row["error"] < row["error_high"] or row["error"] == 0
        assert row["error_high"] - row["error_low"] > 0.3  # eight scenarios do not tell much


@pytest.mark.parametrize("scorer", ["status", "warmth"])
def test_raters_of_chinese_texts_have_chinese_rules(scorer):
    asked = [SimpleNamespace(language=language) for language in ("zh", "en", "zh")]
    both = labels._rules(scorer, asked)
    english, chinese = labels._rules(scorer, asked[1:2]), labels._rules(scorer, asked[:1])
    assert both == f"{english}\n\n{chinese}"
    assert english.isascii() and not chinese.isascii()


def test_the_terminal_says_first_that_raters_do_not_agree(folder, capsys):
    place = labels.sample(folder, scenarios=8)
    agree, not_ = sheet(place, "anna"), sheet(place, "ben", lambda text: "refused")
    cli.main(["labels", "import", str(folder.path), str(agree), str(not_)])
    lines = capsys.readouterr().out.splitlines()
    assert "! these labels are not shown to be reliable" in "\n".join(lines[1:3])


@pytest.mark.parametrize("withheld", [False, True])
def test_a_text_that_is_not_there_is_no_answer_to_raters_either(tmp_path, withheld):
    """Nobody reads an empty text: left out, the labels would say that all women are answered."""

    class Silent(Writer):
        def answer(self, blocks):
            for response in super().answer(blocks):
                if response.text == "-":
                    finish = Finish.FILTER if withheld else response.finish
                    detail = "withheld" if withheld else None
                    yield replace(response, text="", detail=detail, finish=finish)
                else:
                    yield response

    def write(asked: str, rng: random.Random) -> str:
        return "-" if "woman" in asked and rng.random() < 0.6 else letter(asked, rng)

    run = pipeline.run(suite=str(probe(tmp_path, "generation")), axes=["gender=woman,man"],
                       out=tmp_path / "run", ledger=None, backend=Silent(write))  # fmt: skip
    place = labels.sample(run.folder, scenarios=12)
    drawn = json.loads((place / "sample.json").read_text())
    assert len(drawn["settled"]) > 4
    assert len(drawn["settled"]) + len(drawn["items"]) == 12 * 2 * 2
    with (place / "items.csv").open(encoding="utf-8-sig", newline="") as file:
        assert all(row["text"].strip() for row in csv.DictReader(file))
    sheets = [sheet(place, name, lambda _: "answered") for name in ("a", "b")]
    [family] = labels.bring_in(run.folder, sheets)["families"]
    assert family["labelled"] == 12
    woman = next(group for group in family["groups"] if group["group"] == "woman")
    assert woman["error"] == 0
    assert woman["corrected"]["low"] < woman["automatic"]["estimate"] < woman["corrected"]["high"]
    assert woman["corrected"]["high"] < 0


def test_two_labelled_scenarios_correct_nothing(folder):
    place = labels.sample(folder, scenarios=2)
    [family] = labels.bring_in(folder, [sheet(place, "anna"), sheet(place, "ben")])["families"]
    for row in family["groups"]:
        assert row["corrected"]["estimate"] is None and row["corrected"]["low"] is None
        assert "2" in row["corrected"]["reason"]
        assert row["automatic"]["estimate"] is not None


def test_spreadsheets_semicolons_are_read_and_columns_sorted_apart_are_not(folder):
    place = labels.sample(folder, scenarios=6)
    anna, ben = sheet(place, "anna"), sheet(place, "ben")
    with anna.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with ben.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys(), delimiter=";")
        out.writeheader()
        out.writerows({**row, "text": row["text"].replace(" ", "\n") + " "} for row in rows)
    assert labels.bring_in(folder, [anna, ben])["raters"] == ["anna", "ben"]
    ben.write_text(ben.read_text("utf-8"), "utf-16")
    assert labels.bring_in(folder, [anna, ben])["raters"] == ["anna", "ben"]
    ben.write_text(anna.read_text("utf-8").replace("answered", "应答"), "gb18030")
    with pytest.raises(InputError, match=r"ben\.csv: is no UTF-8 text .* CSV UTF-8"):
        labels.bring_in(folder, [anna, ben])
    texts = sorted(row["text"] for row in rows)
    with ben.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows({**row, "text": text} for row, text in zip(rows, texts, strict=True))
    with pytest.raises(InputError, match=r"ben\.csv:\d+: the text beside item .* sorted apart"):
        labels.bring_in(folder, [anna, ben])
    ben.write_text("")
    with pytest.raises(InputError, match=r"ben\.csv: is empty"):
        labels.bring_in(folder, [anna, ben])


def test_labels_of_another_run_and_edited_answers_are_refused(folder, run, tmp_path):
    place = labels.sample(folder, scenarios=6)
    other = pipeline.run(
        suite=str(run.path.parent / "generation.yaml"), axes=["gender=woman,man"], ledger=None,
        out=tmp_path / "other", backend=Writer(lambda asked, rng: letter(asked, rng) + " Truly."),
    )  # fmt: skip
    assert other.manifest["design"]["hash"] == run.manifest["design"]["hash"]
    labels.sample(other.folder, scenarios=6)
    with pytest.raises(InputError, match="is not in the sample"):
        labels.bring_in(other.folder, [sheet(place, "anna"), sheet(place, "ben")])
    edited = bytearray((folder.path / "responses.parquet").read_bytes())
    edited[100] ^= 1
    (folder.path / "responses.parquet").write_bytes(edited)
    with pytest.raises(InputError, match="changed after the run"):
        labels.sample(folder, scenarios=6)
    with pytest.raises(InputError, match="changed after the run"):
        labels.bring_in(folder, [sheet(place, "anna"), sheet(place, "ben")])


def test_raters_in_one_sheet(folder):
    place = labels.sample(folder, scenarios=6)
    rows = [("item", "rater", "label")]
    for item in json.loads((place / "sample.json").read_text())["items"]:
        rows += [(item, "anna", "answered"), (item, "ben", "Answered ")]
    path = place / "all.csv"
    path.write_text("\n".join(",".join(row) for row in rows))
    assert labels.bring_in(folder, [path])["raters"] == ["anna", "ben"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [*rows, ("nobody", "anna", "answered")], r"all\.csv:\d+: item 'nobody'"),
        (lambda rows: [*rows, (rows[0][0], "anna", "refused")], "says 'refused' of item"),
        (lambda rows: rows[2:], "left out 1 of"),
        (lambda rows: [r for r in rows if r[1] == "anna"], "labels by 1 rater"),
        (lambda rows: [(rows[0][0], "anna", "anwsered"), *rows[1:]], "did you mean 'answered'"),
        (lambda rows: [(rows[0][0], "anna", ""), *rows[1:]], "rater 'anna' left out 1"),
        (lambda rows: [], "no label is filled in"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(folder, change, message):
    place = labels.sample(folder, scenarios=6)
    items = json.loads((place / "sample.json").read_text())["items"]
    rows = [(item, rater, "answered") for item in items for rater in ("anna", "ben")]
    path = place / "all.csv"
    path.write_text("\n".join(",".join(row) for row in [("item", "rater", "label"), *change(rows)]))
    with pytest.raises(InputError, match=message):
        labels.bring_in(folder, [path])
    assert not (place / "calibration.json").exists()


def test_a_sheet_without_its_columns_or_file_is_named(folder, tmp_path):
    labels.sample(folder, scenarios=6)
    bare = tmp_path / "bare.csv"
    bare.write_text("item,said\nx,answered\n")
    with pytest.raises(InputError, match="column 'label' is missing"):
        labels.bring_in(folder, [bare])
    with pytest.raises(InputError, match="there is no such file"):
        labels.bring_in(folder, [tmp_path / "none.csv"])


def test_degrees_are_for_scorers_with_a_range(folder):
    with pytest.raises(InputError, match="no scale that people could use"):
        labels.sample(folder, scenarios=3, scorer="length")
    with pytest.raises(InputError, match="unknown scorer"):
        labels.sample(folder, scenarios=3, scorer="lenght")
    with pytest.raises(InputError, match="no sample"):
        labels.bring_in(folder, [], scorer="warmth")
    place = labels.sample(folder, scenarios=6, scorer="warmth")
    found = labels.bring_in(
        folder, [sheet(place, "a", lambda t: "3"), sheet(place, "b", lambda t: "3")],
        scorer="warmth",
    )  # fmt: skip
    assert found["families"][0]["groups"][0]["error"] == pytest.approx(0.5 - 0.0)


def test_hidden_marks_of_a_model_do_not_reach_a_sheet(tmp_path):
    def write(asked: str, rng: random.Random) -> str:
        return letter(asked, rng) + "\x1b[31m\u202e"

    run = pipeline.run(suite=str(probe(tmp_path, "generation")), axes=["gender=woman,man"],
                       out=tmp_path / "run", ledger=None, backend=Writer(write))  # fmt: skip
    place = labels.sample(run.folder, scenarios=6)
    page = (place / "items.csv").read_text("utf-8-sig")
    assert "\ufffd" in page and "\x1b" not in page and "\u202e" not in page
    sheets = [sheet(place, name, lambda _: "answered") for name in ("a", "b")]
    assert labels.bring_in(run.folder, sheets)["items"] == 24


def test_a_formula_in_a_text_stays_a_text():
    page = labels._sheet([{"item": "a", "asked": "x", "text": "=1+1"}])
    assert "'=1+1" in page
