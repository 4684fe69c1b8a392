"""Our scorers and disparity metric as `evaluate` modules, offline."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.errors import InputError

MODULES = Path(harness.__file__).parent / "evaluate_modules"
evaluate = pytest.importorskip("evaluate")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def test_a_scorer_is_a_measurement():
    scorer = evaluate.load(str(MODULES / "text_scorer"), "hedging", module_type="measurement")
    found = scorer.compute(predictions=["It might rain. It is noon.", " "], language="en")
    assert found == {"hedging": [0.5, None], "mean": 0.5, "n": 1, "n_undefined": 1}
    nothing = scorer.compute(predictions=[" ", "<p></p>", "也许会下雨。"], language="en")
    assert nothing["mean"] is None
    assert nothing["hedging"] == [None, None, None]


def test_an_empty_text_has_no_status():
    scorer = evaluate.load(str(MODULES / "text_scorer"), "status", module_type="measurement")
    found = scorer.compute(predictions=["", " \n", "I cannot help with that request."])
    assert found["status"][:2] == [None, None]
    assert found["n"] == 1 and found["n_undefined"] == 2


def test_a_scorer_must_be_named():
    scorer = evaluate.load(str(MODULES / "text_scorer"), module_type="measurement")
    with pytest.raises(InputError, match="name a scorer"):
        scorer.compute(predictions=["It might rain."])


def test_a_scorer_that_is_not_there_is_named():
    scorer = evaluate.load(str(MODULES / "text_scorer"), "hegding", module_type="measurement")
    with pytest.raises(InputError, match="did you mean 'hedging'"):
        scorer.compute(predictions=["It might rain."])


def test_a_text_that_is_empty_has_no_ending():
    scorer = evaluate.load(str(MODULES / "text_scorer"), "status", module_type="measurement")
    said = ["It is noon.", "", " ", "I'm sorry, but I can't help with that."]
    found = scorer.compute(predictions=said, language="en")
    assert found == {"status": [1.0, None, None, 0.0], "mean": 0.5, "n": 2, "n_undefined": 2}
    nameless = evaluate.load(str(MODULES / "text_scorer"), module_type="measurement")
    with pytest.raises(InputError, match="name a scorer"):
        nameless.compute(predictions=["It is noon."])


def test_group_effects_are_a_metric():
    metric = evaluate.load(str(MODULES / "group_disparity"))
    scenarios = [f"s{i}" for i in range(12) for _ in "ab"]
    groups = list("ab") * 12
    scores = [0.5 + (0.2 if g == "a" else 0.0) + 0.01 * (i % 5) for i, g in enumerate(groups)]
    found = metric.compute(
        predictions=scores, references=groups, scenarios=scenarios, margin=0.05
    )  # fmt: skip
    assert found["groups"] == ["a", "b"]
    assert found["estimate"][0] == pytest.approx(0.2, abs=0.01)
    assert found["verdict"] == ["disparity", "disparity"]
    assert found["n"] == 12
    with pytest.raises(InputError, match="two groups"):
        metric.compute(predictions=[1.0], references=["a"], scenarios=["s"], margin=0.05)


def test_a_score_of_none_is_as_undefined_as_nan():
    metric = evaluate.load(str(MODULES / "group_disparity"))
    scenarios, groups = [f"s{i}" for i in range(12) for _ in "ab"], list("ab") * 12
    scores = [0.5 + 0.2 * (g == "a") + 0.01 * (i % 5) for i, g in enumerate(groups)]
    given = {"references": groups, "scenarios": scenarios, "margin": 0.05}
    found = [
        metric.compute(predictions=[*scores[:3], lost, *scores[4:]], **given)
        for lost in (None, float("nan"))
    ]
    assert found[0] == found[1]
    assert found[0]["n"] == 11  # a score of 0 in its place would have kept the scenario
    nothing = metric.compute(predictions=[None] * 24, **given)
    assert nothing["estimate"] == [None, None]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"margin": None}, "margin: must be .* above 0, got None"),
        ({"margin": -1}, "margin: must be .* above 0, got -1"),
        ({"margin": 0}, "margin: must be"),
        ({"margin": "0.05"}, "margin: must be"),
        ({"margin": float("nan")}, "margin: must be"),
        ({"alpha": 1.5}, "alpha: must be between 0 and 1, got 1.5"),
        ({"scenarios": None}, "scenarios: name the scenario"),
        ({"predictions": [1.0, float("inf")]}, "predictions: inf in scenario 's' is no score"),
    ],
)
def test_what_group_effects_cannot_be_asked_is_a_message(wrong, said):
    metric = evaluate.load(str(MODULES / "group_disparity"))
    given = {"predictions": [1.0, 2.0], "references": ["a", "b"], "scenarios": ["s", "s"],
             "margin": 0.05}  # fmt: skip
    with pytest.raises(InputError, match=said):
        metric.compute(**{k: v for k, v in {**given, **wrong}.items() if v is not None})


HALF = "it might \ud800 rain"


@pytest.mark.parametrize("way", ["compute", "add_batch", "add"])
def test_half_a_character_is_a_message_and_the_module_goes_on(way):
    scorer = evaluate.load(str(MODULES / "text_scorer"), "hedging", module_type="measurement")
    given = {"prediction": HALF} if way == "add" else {"predictions": ["It might rain.", HALF]}
    with pytest.raises(
        InputError, match=r"predictions?: text \d holds U\+D800, half of a char"
    ) as at:
        getattr(scorer, way)(**given)
    assert ("text 2" in str(at.value)) == (way != "add")
    advice = HALF.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert scorer.compute(predictions=[advice])["hedging"] == [1.0]


def test_a_group_s_name_that_is_no_text_is_a_message():
    metric = evaluate.load(str(MODULES / "group_disparity"))
    given = {"predictions": [1.0, 2.0], "references": ["a", HALF]}
    with pytest.raises(InputError, match=r"references: text 2 holds U\+D800"):
        metric.compute(**given, scenarios=["s", "s"], margin=0.05)
    with pytest.raises(InputError, match=r"reference: text 1 holds U\+D800"):
        metric.add(prediction=1.0, reference=HALF)
