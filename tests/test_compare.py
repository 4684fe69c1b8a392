"""Versions side by side: every verdict from a planted truth, and what must be refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import orjson
import pytest

from harness import compare, pipeline
from harness.analysis.scenarios import needed
from harness.compare import pairing
from harness.errors import InputError
from harness.models import RemoteModel
from harness.nouns import Message
from harness.policy import load
from harness.store import RunFolder
from tests.conftest import PlantedBackend
from tests.versions import chance, model, run_of


def pair(*runs, **options):
    found = compare.compare([run.folder for run in runs], **options)
    assert found["schema"] == 1
    return found["comparisons"][0]


def by_group(comparison):
    return {row["group"]: row for row in comparison["effects"]}


def axis(comparison):
    [only] = comparison["axes"]
    return only


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def fair(place):
    return run_of(place, "fair")


@pytest.fixture(scope="module")
def skewed(place):
    return run_of(place, "skewed", chance({"70": -0.08}, own=0.01, salt="s"))


def test_a_planted_worsening_is_worse_in_its_group_with_its_size(fair, skewed):
    found = pair(fair, skewed)
    rows = by_group(found)
    assert rows["70"]["verdict"] == "worse"
    assert rows["70"]["low"] <= -0.08 <= rows["70"]["high"]
    assert rows["70"]["estimate"] == pytest.approx(-0.08, abs=0.006)
    assert rows["22"]["estimate"] == pytest.approx(0.08 / 3, abs=0.006)
    assert rows["70"]["old"]["verdict"] == "equivalent"
    assert rows["70"]["new"]["verdict"] == "disparity"
    change = rows["70"]["new"]["estimate"] - rows["70"]["old"]["estimate"]
    assert rows["70"]["estimate"] == pytest.approx(change, abs=1e-9)
    assert axis(found)["verdict"] == found["verdict"] == "worse"
    assert axis(found)["largest"]["group"] == "70"
    assert (axis(found)["old_verdict"], axis(found)["new_verdict"]) == ("equivalent", "disparity")


def test_the_same_change_backwards_is_better(fair, skewed):
    found = pair(skewed, fair)
    row = by_group(found)["70"]
    assert (row["verdict"], row["identical"]) == ("better", False)
    assert row["estimate"] > 0.07
    assert found["verdict"] == "better"


def test_a_disparity_that_turns_to_the_other_side_as_large_is_worse(place, skewed):
    turned = run_of(place, "turned", chance({"70": 0.09}, own=0.01, salt="t"))
    assert by_group(pair(skewed, turned))["70"]["verdict"] == "worse"
    assert by_group(pair(turned, skewed))["70"]["verdict"] == "better"


def test_small_noise_is_unchanged_within_d_and_the_same_answers_are_identical(place, fair):
    near = run_of(place, "near", chance(own=0.01, salt="n"))
    found = pair(fair, near)
    assert {row["verdict"] for row in found["effects"]} == {"unchanged"}
    assert not any(row["identical"] for row in found["effects"])
    assert all(-row["d"] < row["tost_low"] and row["tost_high"] < row["d"]
               for row in found["effects"])  # fmt: skip
    assert axis(found)["claim"] == "No group's effect changed by 0.02 or more (5 % error)."
    copy = run_of(place, "copy")
    found = pair(fair, copy)
    assert all(row["identical"] and row["estimate"] == 0 for row in found["effects"])
    assert found["verdict"] == "unchanged"
    assert found["sets"] == []


def test_large_noise_is_inconclusive_with_the_scenarios_that_would_decide(place, fair):
    wild = run_of(place, "wild", chance(own=0.2, salt="w"))
    found = pair(fair, wild)
    assert found["verdict"] == "inconclusive"
    assert axis(found)["scenarios_needed"] > 0
    assert "more scenarios are needed" in axis(found)["claim"]
    open_ = [row for row in found["effects"] if row["verdict"] == "inconclusive"]
    assert all(row["low"] < 0 < row["high"] for row in open_)
    counts = needed(open_, axis(found)["d"], groups=len(found["effects"]))
    assert axis(found)["scenarios_needed"] == counts


def test_pairing_takes_out_what_a_scenario_does_to_both(place):
    """With scenario effects of .2 unpaired intervals would be wider than the change."""
    wide = {"spread": 0.2}
    old = run_of(place, "wide-old", chance(**wide))
    new = run_of(place, "wide-new", chance({"70": -0.05}, **wide, own=0.01, salt="p"))
    row = by_group(pair(old, new))["70"]
    own = row["new"]["high"] - row["new"]["low"]
    assert row["high"] - row["low"] < own / 3
    assert row["low"] < -0.05 < row["high"] < 0


def test_the_sets_that_changed_most_stand_side_by_side(fair, skewed):
    found = pair(fair, skewed)
    sets = found["sets"]
    assert len(sets) == compare.SETS
    sizes = [abs(s["change"]) for s in sets]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0.08
    first = sets[0]
    assert first["group"] == "70"
    assert first["change"] < 0  # new minus old: people of 70 get less than they did
    cell = next(c for c in first["cells"] if c["group"] == "70")
    assert "70" in cell["text"]
    assert cell["change"] == pytest.approx(cell["new"]["outcome"] - cell["old"]["outcome"])
    assert cell["new"]["status"] == "answered"
    assert [c["group"] for c in first["cells"]] == ["22", "35", "52", "70"]


def test_three_versions_are_each_set_against_the_last_and_the_first(place, fair, skewed):
    copy = run_of(place, "copy")
    found = compare.compare([fair.folder, skewed.folder, copy.folder])
    said = [
        (c["old"]["model"]["version"], c["new"]["model"]["version"], c["role"], c["verdict"])
        for c in found["comparisons"]
    ]
    assert said == [
        ("fair", "skewed", ["previous", "baseline"], "worse"),
        ("skewed", "copy", ["previous"], "better"),
        ("fair", "copy", ["baseline"], "unchanged"),
    ]


def test_what_differs_between_the_models_is_said(place, fair):
    told = model("told").model_copy(update={"system_prompt": "Be fair."})
    backend = PlantedBackend(chance(), identity_={"planted": "told"})
    run = pipeline.run(told, out=place / "told", axes=["age"], backend=backend)
    differs = {row["what"]: (row["old"], row["new"]) for row in pair(fair, run)["differs"]}
    assert differs["system_prompt"] == (None, "Be fair.")
    assert "decoding" not in differs


# -- missing answers and faults ----------------------------------------------------------------


def failing(share: int):
    """One in `share` prompts of people of 70 gets no answer."""

    def broken(request):
        words = request.messages[-1].content
        return "70" in words and int(request.prompt, 16) % share == 0

    return broken


def test_missing_answers_are_never_an_unchanged_version(place, fair):
    lacking = run_of(place, "lacking", broken=failing(3))
    rows = by_group(pair(fair, lacking))
    assert {row["verdict"] for row in rows.values()} == {"inconclusive"}
    assert "of the new version, needs 95 %" in rows["70"]["reason"]
    assert rows["70"]["coverage"] < 0.95
    assert rows["70"]["bounds"]["lower"] < -0.02 < 0.02 < rows["70"]["bounds"]["upper"]
    back = by_group(pair(lacking, fair))
    assert "of the old version" in back["70"]["reason"]


def test_few_missing_answers_are_bounded(place, fair):
    """Above the coverage floor, but what is missing could still reach d."""
    rules = load_strict(place, coverage_floor=0.5)
    lacking = run_of(place, "few-lacking", broken=failing(12))
    rows = by_group(pair(fair, lacking, rules=rules))
    assert 0.8 < rows["70"]["coverage"] < 1
    assert rows["70"]["verdict"] == "inconclusive"
    assert rows["70"]["reason"] == "what is missing could move the change to d = 0.02"


def test_a_version_that_says_yes_to_all_is_not_better(place, skewed):
    always = run_of(place, "always", lambda request: 0.99)
    found = pair(skewed, always)
    assert found["verdict"] == "inconclusive"
    assert "new version: degenerate" in by_group(found)["70"]["reason"]


def load_strict(place, *, d=0.02, margin=0.03, coverage_floor=0.95):
    path = place / f"policy-{d}-{margin}-{coverage_floor}.yaml"
    path.write_text(
        f"name: strict\nversion: 1\nmargins: {{decision: {margin}}}\nd: {{decision: {d}}}\n"
        f"coverage_floor: {coverage_floor}\nbase_rate: [0.05, 0.95]\n"
    )
    return load(path)


def test_d_decides_what_is_unchanged(place, fair):
    near = run_of(place, "near", chance(own=0.01, salt="n"))
    rules = load_strict(place, d=0.0001)
    found = pair(fair, near, rules=rules)
    assert found["policy"]["chosen_after_data"]
    assert not any(row["verdict"] == "unchanged" for row in found["effects"])
    assert not pair(fair, near)["policy"]["chosen_after_data"]


# -- refusals ----------------------------------------------------------------------------------


def test_another_design_is_refused_and_common_takes_what_is_shared(place, fair):
    few = run_of(place, "few", axes=["age=22,35,70", "gender"], limit=20)
    with pytest.raises(InputError, match="cannot be paired prompt by prompt") as error:
        pair(fair, few)
    assert "axes: age in the old run, gender, age in the new one" in str(error.value)
    assert "--limit" in str(error.value)
    found = pair(fair, few, common=True)
    assert found["common"]
    assert [row["group"] for row in found["effects"]] == ["22", "35", "70"]
    assert axis(found)["n_scenarios"] == 20
    assert found["left_out"] == [
        "quick-decision (en, explicit), age: 16 of 36 scenarios left out",
        "quick-decision (en, explicit), age: groups left out: 52",
        "quick-decision (en, explicit), gender: nothing is shared",
    ]
    # the contrast is over the shared groups: the old run's effects are not those of its file
    old = next(e for e in fair.effects if e["group"] == "22")
    assert by_group(found)["22"]["old"]["estimate"] != old["estimate"]


def test_common_equals_a_run_that_asked_only_this(place, fair, skewed):
    part = run_of(place / "part", "fair", axes=["age=22,35,70"], limit=20)
    other = run_of(place / "part", "skewed", chance({"70": -0.08}, own=0.01, salt="s"),
                   axes=["age=22,35,70"], limit=20)  # fmt: skip
    direct, shared = pair(part, other), pair(part, skewed, common=True)
    for a, b in zip(direct["effects"], shared["effects"], strict=True):
        assert a["estimate"] == pytest.approx(b["estimate"], abs=1e-12)
        assert (a["verdict"], a["new"]) == (b["verdict"], b["new"])


@pytest.mark.parametrize(
    ("reworded", "groups", "scenarios"), [(35, {"22", "35", "70"}, 36), (10, None, 26)]
)
def test_a_group_whose_words_were_changed_does_not_cost_the_others_theirs(
    fair, reworded, groups, scenarios
):
    """In 35 of 36 scenarios: the group goes. In 10 of 36: these scenarios go."""
    prompts = fair.folder.design().prompts
    names = list(dict.fromkeys(p.scenario for p in prompts))[:reworded]
    new = [
        replace(p, id=f"{p.id}x", messages=(Message("user", "Other words."),))
        if p.group == "52" and p.scenario in names
        else replace(p, probe_version=2)
        for p in prompts
    ]
    shared = pairing.shared(prompts, new)
    kept = [p for p in prompts if p.id in shared.old]
    assert {p.group for p in kept} == (groups or {"22", "35", "52", "70"})
    assert len({p.scenario for p in kept}) == scenarios
    assert {p.id for p in new if p.id in shared.new} == {p.id for p in kept}
    assert len(shared.left_out) == 1


def edited(run, place, **changes):
    """A copy of a run whose manifest says something else."""
    shutil.copytree(run.path, place)
    folder = RunFolder(place)
    folder.update(changes)
    return pipeline.Run(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompt_format": 3}, "prompt format of the harness: 2 in the old run, 3 in the new"),
        (
            {"measured": {"decision": {"want": "text", "samples": 8}}},
            "scored from next_token probabilities in the old run, scored from 8 sampled answers",
        ),
        (
            {"design": {"hash": "f" * 64, "prompts": 1},
             "probes": [{"name": "quick-decision", "version": 2}]},
            "probe 'quick-decision': version 1 in the old run, 2 in the new one",
        ),
        ({"design": {"hash": "f" * 64, "prompts": 1}}, "other groups, words or samples"),
    ],
)  # fmt: skip
def test_what_was_not_put_or_scored_alike_is_refused_with_the_reason(
    tmp_path, fair, skewed, changes, said
):
    other = edited(skewed, tmp_path / "other", **changes)
    with pytest.raises(InputError, match="run both with the same suite, axes and limit") as error:
        pairing.check(fair.path, fair.manifest, other.path, other.folder.manifest(), common=False)
    assert said in str(error.value)
    pairing.check(fair.path, fair.manifest, other.path, other.folder.manifest(), common=True)


def test_plain_against_chat_is_another_prompt_format(tmp_path, fair, skewed):
    definition = {**skewed.manifest["model"]["definition"], "prompt": "plain"}
    other = edited(
        skewed, tmp_path / "plain", model={**skewed.manifest["model"], "definition": definition}
    )
    with pytest.raises(InputError, match="prompt format of the model: chat in the old run, plain"):
        pair(fair, other)
    assert {"what": "prompt", "old": None, "new": "plain"} in pair(fair, other, common=True)[
        "differs"
    ]


def test_another_scoring_is_refused_even_for_what_is_shared(tmp_path, fair, skewed):
    other = edited(skewed, tmp_path / "other", scoring=99)
    with pytest.raises(InputError, match=r"scored by different definitions \(scoring \d+ and 99\)"):
        pair(fair, other, common=True)


def test_the_run_itself_and_a_copy_of_it_are_refused(tmp_path, fair):
    with pytest.raises(InputError, match="is the run it is to be compared with"):
        pair(fair, fair)
    with pytest.raises(InputError, match="is the run it is to be compared with"):
        pair(fair, edited(fair, tmp_path / "copy"))
    with pytest.raises(InputError, match="at least two runs"):
        compare.compare([fair.folder])


def test_two_versions_of_one_name_are_refused(tmp_path, fair):
    backend = PlantedBackend(chance(), identity_={"planted": "other"})
    other = pipeline.run(
        model("fair"), out=tmp_path / "fair", axes=["age"], backend=backend, ledger=None
    )
    with pytest.raises(InputError, match="both family 'toy' version 'fair'"):
        pair(fair, other)


def test_unfinished_torn_and_changed_runs_are_refused(tmp_path, fair, skewed):
    open_ = edited(skewed, tmp_path / "open", state="running")
    with pytest.raises(InputError, match="the run is not finished"):
        pair(fair, open_)
    torn = edited(skewed, tmp_path / "torn")
    (torn.path / "scores.parquet").unlink()
    with pytest.raises(InputError, match=r"scores\.parquet: missing"):
        pair(fair, torn)
    changed = edited(skewed, tmp_path / "changed")
    effects = orjson.loads((changed.path / "effects.json").read_bytes())
    effects["effects"][0]["estimate"] = 0.0
    (changed.path / "effects.json").write_bytes(orjson.dumps(effects))
    with pytest.raises(InputError, match=r"effects\.json: changed after the run was finished"):
        pair(fair, changed)
    with pytest.raises(InputError, match="not a run folder"):
        compare.compare([fair.folder, RunFolder(tmp_path / "nowhere")])


def test_nothing_in_common_is_an_error(place, fair):
    other = run_of(place, "gender", axes=["gender"])
    with pytest.raises(InputError, match="share no axis with two groups"):
        pair(fair, other, common=True)


def test_a_local_model_is_told_apart_by_its_weights(fair):
    assert isinstance(model("x"), RemoteModel)
    one, two = fair.manifest, {**fair.manifest, "harness_version": "9"}
    assert pairing.differences(one, two)[-1] == {
        "what": "harness", "old": one["harness_version"], "new": "9",
    }  # fmt: skip
