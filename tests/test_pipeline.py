"""One run from start to end, with answers the test plants."""

from __future__ import annotations

import hashlib
import html
import math
import re

import orjson
import pytest

import harness
from harness import exports, pipeline
from harness.cli import screen
from harness.errors import InputError, ModelError, StoreError
from harness.expansion import expand
from harness.nouns import Finish, Request, Response
from harness.store import Log, RunFolder
from tests.conftest import PlantedBackend


def text(request: Request) -> str:
    return request.messages[-1].content


def noise(words: str, size: float) -> float:
    """A repeatable number in (-size, size) for these words."""
    digest = hashlib.sha256(words.encode()).digest()
    return (int.from_bytes(digest[:8]) / 2**63 - 1) * size


def chance(shift: float = 0.0, bad: float = 0.2):
    """P(yes): .5, plus `shift` against people of 70, minus `bad` for a disqualified case."""

    facts = {scenario.question: scenario for scenario in quick_scenarios()}

    def of(request: Request) -> float:
        words = text(request)
        p = 0.5 + noise(words, 0.01)
        scenario = next((s for frame, s in facts.items() if frame in words), None)
        sign = 1 if scenario is None or scenario.favourable == "yes" else -1
        if scenario is not None and scenario.disqualify.by in words:
            p -= sign * bad
        if "70 years old" in words or "70-year-old" in words:
            p += sign * shift
        return p

    return of


def quick_scenarios():
    from harness import probes
    from harness.documents import shipped

    return probes.library(shipped("probes")).probe("quick-decision").scenarios["en"]


def effects_of(run: harness.Run, axis: str) -> dict[str, dict]:
    return {e["group"]: e for e in run.effects if e["axis"] == axis}


def run(tmp_path, **options):
    return harness.run(out=tmp_path / "run", **{"axes": ["age", "gender"], **options})


def test_a_planted_disparity_is_found_and_equal_treatment_is_called_so(tmp_path, planted):
    planted(PlantedBackend(chance(shift=-0.08)))
    found = run(tmp_path)
    age = effects_of(found, "age")
    assert age["70"]["verdict"] == "disparity"
    assert age["70"]["material"]
    assert age["70"]["low"] < -0.08 < age["70"]["high"]
    assert age["22"]["estimate"] == pytest.approx(0.08 / 3, abs=0.005)
    verdicts = {axis["axis"]: axis["verdict"] for axis in found.axes}
    assert verdicts == {"age": "disparity", "gender": "equivalent"}
    assert found.axes[1]["largest"]["group"] == "70"


def test_the_run_folder_holds_every_stage(tmp_path, planted):
    planted(PlantedBackend(chance()))
    found = run(tmp_path, limit=6)
    names = {path.name for path in found.path.iterdir()}
    assert names == {"manifest.json", "design.parquet", "responses.parquet", "scores.parquet",
                     "effects.json", "report.html"}  # fmt: skip
    manifest = found.manifest
    for key in (
        "command",
        "suite",
        "probes",
        "design",
        "model",
        "policy",
        "packages",
        "python",
        "platform",
        "git_commit",
        "created",
        "finished",
        "seed",
        "backend",
        "labels",
    ):
        assert key in manifest, key
    assert manifest["state"] == "finished"
    assert found.responses.num_rows == manifest["design"]["prompts"]
    assert set(found.responses.column_names) >= {"text", "axis", "group", "status", "y", "mass"}


def test_a_finished_run_is_shown_and_not_asked_again(tmp_path, planted):
    backend = planted(PlantedBackend(chance()))
    first = run(tmp_path, limit=6)
    asked = len(backend.asked)
    again = run(tmp_path, limit=6)
    assert len(backend.asked) == asked
    assert again.results == first.results
    run(tmp_path, limit=6, fresh=True)
    assert len(backend.asked) == 2 * asked


def test_weights_are_let_go_of_before_answers_are_scored(tmp_path, planted, monkeypatch):
    backend, seen, score = planted(PlantedBackend(chance())), [], pipeline.score
    monkeypatch.setattr(backend, "close", lambda: seen.append("closed"))
    monkeypatch.setattr(pipeline, "score", lambda *given: seen.append("scored") or score(*given))
    run(tmp_path, limit=2)
    assert seen == ["closed", "scored"]


def test_an_interrupted_run_goes_on_to_the_same_digits(tmp_path, planted):
    planted(PlantedBackend(chance(-0.05)))
    whole = harness.run(out=tmp_path / "whole", axes=["age"], limit=8)
    backend = planted(PlantedBackend(chance(-0.05), stop_after=17))
    with pytest.raises(KeyboardInterrupt):
        harness.run(out=tmp_path / "cut", axes=["age"], limit=8)
    assert not (tmp_path / "cut" / "effects.json").exists()
    backend.stop_after = None
    found = harness.run(out=tmp_path / "cut", axes=["age"], limit=8)
    assert found.results == whole.results
    per_block = len(next(found.folder.design().blocks()))
    # whole blocks are asked again, and no others
    assert len(backend.asked) == found.manifest["design"]["prompts"] + 17 % per_block


def test_slices_in_one_folder_and_in_two_give_the_run_of_one(tmp_path, planted):
    planted(PlantedBackend(chance(-0.05)))
    options = {"axes": ["age", "gender"], "limit": 7}
    whole = harness.run(out=tmp_path / "whole", **options)
    for i in (1, 2, 3):
        part = harness.run(out=tmp_path / "one", shard=(i, 3), **options)
        assert not part.finished
    assert pipeline.merge_runs([tmp_path / "one"]).results == whole.results
    for i in (1, 2):
        harness.run(out=tmp_path / f"two-{i}", shard=(i, 2), **options)
    with pytest.raises(StoreError, match="prompts have no answer yet"):
        pipeline.merge_runs([tmp_path / "two-1"])
    merged = pipeline.merge_runs([tmp_path / "two-1", tmp_path / "two-2"])
    assert merged.results == whole.results
    assert orjson.dumps(merged.results) == orjson.dumps(whole.results)


def test_more_slices_than_blocks_are_allowed(tmp_path, planted):
    planted(PlantedBackend(chance()))
    for i in range(1, 5):
        harness.run(out=tmp_path / "r", axes=["age"], limit=3, shard=(i, 4))
    assert pipeline.merge_runs([tmp_path / "r"]).finished


def test_fewer_than_six_scenarios_decide_nothing(tmp_path, planted):
    planted(PlantedBackend(chance(-0.2)))
    found = run(tmp_path, limit=5)
    assert {e["verdict"] for e in found.effects} == {"inconclusive"}
    assert all("5 of 5 scenarios complete, at least 6" in e["reason"] for e in found.effects)


def test_an_all_yes_model_does_not_look_fair(tmp_path, planted):
    planted(PlantedBackend(lambda r: 0.99 + noise(text(r), 0.001)))
    found = run(tmp_path)
    assert {axis["verdict"] for axis in found.axes} == {"inconclusive"}
    assert found.results["probes"][0]["degenerate"] is True
    assert all("degenerate" in e["reason"] for e in found.effects)


def test_a_model_deaf_to_the_case_does_not_look_fair(tmp_path, planted):
    planted(PlantedBackend(chance(bad=0.0)))
    found = run(tmp_path)
    assert {axis["verdict"] for axis in found.axes} == {"inconclusive"}
    assert found.results["probes"][0]["control"]["sensitive"] is False
    assert "insensitive" in found.axes[0]["reason"]


def test_a_deaf_model_that_discriminates_is_still_shown_to(tmp_path, planted):
    planted(PlantedBackend(chance(shift=-0.08, bad=0.0)))
    assert effects_of(run(tmp_path), "age")["70"]["verdict"] == "disparity"


def test_missing_answers_of_one_group_withhold_equivalence(tmp_path, planted):
    """Failures of one group are never scored, and never make an axis look equal."""
    backend = PlantedBackend(chance())
    backend.broken = lambda r: "70" in text(r) and noise(text(r) + "x", 1) < -0.5
    planted(backend)
    found = run(tmp_path)
    age = effects_of(found, "age")
    assert age["70"]["coverage"] < 0.95
    assert age["70"]["statuses"]["error"] > 0
    assert "error" not in age["22"]["statuses"]
    assert {e["verdict"] for e in age.values()} == {"inconclusive"}
    assert "coverage" in age["22"]["reason"]
    assert age["70"]["n_scenarios"] < age["70"]["n_designed"]
    gender = effects_of(found, "gender")
    assert {e["verdict"] for e in gender.values()} == {"equivalent"}
    secondary = [e for e in found.results["secondary"] if e["endpoint"] == "answered"]
    worst = min(secondary, key=lambda e: e["estimate"])
    assert (worst["axis"], worst["group"], worst["verdict"]) == ("age", "70", "disparity")


def test_a_few_missing_answers_still_bound_the_effect(tmp_path, planted):
    """Above the coverage floor, but what is missing could move the effect to the margin."""
    backend = PlantedBackend(chance())
    victims: set[str] = set()

    def broken(request: Request) -> bool:
        if "70" in text(request) and "woman" not in text(request) and len(victims) < 1:
            victims.add(request.prompt)
        return request.prompt in victims

    backend.broken = broken
    planted(backend)
    age = effects_of(run(tmp_path), "age")
    assert 0.95 < age["70"]["coverage"] < 1
    assert age["70"]["bounds"]["lower"] < age["70"]["estimate"] < age["70"]["bounds"]["upper"]
    assert age["70"]["verdict"] == "inconclusive"
    assert "missing could move the effect" in age["70"]["reason"]


def test_failed_prompts_are_asked_again_next_time(tmp_path, planted):
    backend = PlantedBackend(chance(), whole_blocks=False)
    backend.broken = lambda r: "70" in text(r)
    planted(backend)
    run(tmp_path, limit=6)
    backend.broken = lambda r: False
    asked = len(backend.asked)
    found = run(tmp_path, limit=6)
    assert 0 < len(backend.asked) - asked < asked
    assert all(set(e["statuses"]) == {"answered"} for e in found.effects)


def test_if_every_prompt_fails_there_is_no_score(tmp_path, planted):
    backend = PlantedBackend(chance())
    backend.broken = lambda r: True
    planted(backend)
    with pytest.raises(
        ModelError, match="every prompt failed; the first: quick-decision"
    ) as caught:
        run(tmp_path, limit=6)
    assert caught.value.exit_code == 4
    assert not (tmp_path / "run" / "effects.json").exists()
    assert len(RunFolder(tmp_path / "run").responses()) > 0


def test_unparsed_everything_is_inconclusive_not_fair(tmp_path, planted):
    planted(PlantedBackend(chance(), mass=0.01))
    found = run(tmp_path)
    assert {axis["verdict"] for axis in found.axes} == {"inconclusive"}
    assert all(axis["largest"] is None and axis["coverage"] == 0 for axis in found.axes)
    assert "(100 % of the answers unparsed)" in found.axes[0]["claim"]
    assert all(e["estimate"] is None and e["low"] is None for e in found.effects)


def test_a_group_that_never_gets_an_answer_is_named(tmp_path, planted):
    backend = PlantedBackend(chance())
    backend.broken = lambda r: "70 years old" in text(r) or "70-year-old" in text(r)
    planted(backend)
    found = run(tmp_path, axes=["age"])
    assert {e["reason"] for e in found.effects} == {
        "no answer for '70' in 36 of 36 scenarios: 0 of 36 scenarios complete, at least 6 are "
        "needed (25 % of the answers failed)"
    }
    shown = " ".join(screen.table(found.manifest, found.results, found.path).split())
    said = "no answer for '70 years old' in 36 of 36 scenarios"
    assert said in shown
    exports.export(found.folder, "model-card", str(tmp_path / "card.md"))
    card = (tmp_path / "card.md").read_text("utf-8")
    assert said in card and "'70'" not in card
    cells = re.findall(r"<td.*?</td>", (found.path / "report.html").read_text("utf-8"), re.DOTALL)
    missing = [html.unescape(cell) for cell in cells if "no answer for" in cell]
    assert missing and all(said in cell and "'70'" not in cell for cell in missing)
    assert not any("“70”" in cell for cell in missing)


def test_more_scenarios_are_promised_neither_beside_a_fault_nor_a_verdict(tmp_path, planted):
    def wide(bad, shift=0.0):
        heard = chance(shift, bad)
        return PlantedBackend(
            lambda request: min(0.99, max(0.01, heard(request) + noise(text(request), 0.18)))
        )

    planted(wide(0.3))
    hears = run(tmp_path / "hears", axes=["age"]).axes[0]
    assert hears["verdict"] == "inconclusive" and hears["scenarios_needed"] > 0
    planted(wide(0.0))
    deaf = run(tmp_path / "deaf", axes=["age"]).axes[0]
    assert (deaf["verdict"], deaf["scenarios_needed"]) == ("inconclusive", None)
    assert deaf["reason"].startswith("insensitive")
    planted(wide(0.3, shift=-0.2))
    apart = run(tmp_path / "apart", axes=["age"]).axes[0]
    assert (apart["verdict"], apart["scenarios_needed"]) == ("disparity", None)


def test_sampled_answers_have_a_repeat_arm_and_a_floor(tmp_path, planted):
    planted(PlantedBackend(chance(shift=-0.45), next_token=False))
    found = run(tmp_path, axes=["age"])
    assert found.manifest["measured"] == {"decision": {"want": "text", "samples": 8}}
    axis = found.axes[0]
    assert 0.3 < axis["repeat"]["mean"] < 0.6  # two coin flips differ half of the time
    assert effects_of(found, "age")["70"]["verdict"] == "disparity"


def test_another_model_is_never_mixed_into_a_run(tmp_path, planted):
    planted(PlantedBackend(chance(), stop_after=5))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    planted(PlantedBackend(chance(), identity_={"planted": 2}))
    with pytest.raises(StoreError, match="another model fingerprint"):
        run(tmp_path)
    with pytest.raises(StoreError, match="another design"):
        planted(PlantedBackend(chance()))
        run(tmp_path, limit=6)


def test_the_effects_do_not_depend_on_the_order_of_answers(tmp_path, planted):
    planted(PlantedBackend(chance(-0.05)))
    first = run(tmp_path, limit=8)
    shuffled = RunFolder(tmp_path / "shuffled")
    shuffled.begin({**first.manifest, "state": "running"}, first.folder.design())
    answers = list(first.folder.responses().values())
    with Log(shuffled) as log:
        for answer in sorted(answers, key=lambda r: r.prompt):
            log.append(answer)
    assert pipeline.conclude(shuffled).results == first.results


def test_numbers_in_effects_are_finite_or_null(tmp_path, planted):
    planted(PlantedBackend(chance(), mass=0.051))
    found = run(tmp_path, limit=6)

    def walk(value):
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, float):
            assert math.isfinite(value)

    walk(found.results)


def test_one_missing_sample_of_eight_moves_a_bound_by_an_eighth_of_a_cell(tmp_path, planted):
    """Cells are means of samples; only what is missing of them is open."""
    backend = PlantedBackend(chance(), next_token=False)
    victims: set[str] = set()

    def broken(request: Request) -> bool:
        if request.sample == 3 and "70" in text(request) and not victims:
            victims.add(request.prompt)
        return request.prompt in victims

    backend.broken = broken
    planted(backend)
    age = effects_of(run(tmp_path, axes=["age"]), "age")
    bounds = age["70"]["bounds"]
    assert bounds["upper"] - bounds["lower"] == pytest.approx(1 / 8 / 36)
    assert age["70"]["n_scenarios"] == 36


def test_a_small_difference_is_not_hidden_by_a_blocked_equivalence(tmp_path, planted):
    """Shown to differ, below the margin, but the model is deaf: a disparity, not a silence."""
    planted(PlantedBackend(chance(shift=-0.015, bad=0.0)))
    seventy = effects_of(run(tmp_path), "age")["70"]
    assert seventy["tost_low"] > -0.03
    assert seventy["high"] < 0
    assert seventy["verdict"] == "disparity"
    assert not seventy["material"]
    assert "not shown to be below the margin: insensitive" in seventy["reason"]


def test_empty_completions_alone_are_a_failure_and_no_result(tmp_path, planted):
    backend = PlantedBackend(chance(), next_token=False)
    backend._answer = lambda request: Response(request.prompt, Finish.STOP, text="")
    planted(backend)
    with pytest.raises(ModelError, match="not one prompt was answered") as caught:
        run(tmp_path, limit=6)
    assert caught.value.exit_code == 4
    assert not (tmp_path / "run" / "effects.json").exists()


def test_a_changed_policy_or_design_is_refused(tmp_path, planted):
    planted(PlantedBackend(chance()))
    found = run(tmp_path, limit=6)
    policy = {**found.manifest["policy"], "margins": {"decision": 0.2}}
    found.folder.update({"policy": policy})
    with pytest.raises(InputError, match="policy was changed after the run began"):
        pipeline.conclude(found.folder)


def test_fresh_keeps_the_old_run_when_the_model_cannot_be_loaded(tmp_path, planted):
    backend = planted(PlantedBackend(chance()))
    found = run(tmp_path, limit=6)

    def ready() -> None:
        raise InputError("no such device")

    backend.ready = ready
    with pytest.raises(InputError, match="no such device"):
        run(tmp_path, limit=6, fresh=True)
    assert found.folder.read_json("effects.json") == found.results
    with pytest.raises(InputError, match="no such device"):
        harness.run(out=tmp_path / "new", axes=["age"], limit=6)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("shard", [(1, 0), (0, 2), (3, 2)])
def test_a_slice_that_is_none_is_refused(tmp_path, planted, shard):
    planted(PlantedBackend(chance()))
    with pytest.raises(InputError, match="must be I of N"):
        run(tmp_path, limit=6, shard=shard)


def test_an_edit_never_touches_the_instruction(planted):
    from pathlib import Path

    from harness.probes import check, parse_probe
    from tests.test_design import GOOD, WORDS

    text = GOOD.replace("Work was done well.", "No complaint came.").replace(
        "{replace: done well, with: well done}", '{replace: "No", with: "Not one"}'
    ).replace("{replace: done well,", "{replace: complaint,")  # fmt: skip
    probe = parse_probe(text, Path("p.yaml"))
    check(probe)
    rows = expand([probe], WORDS, {"en": {"gender": ["woman", "man"]}}).prompts
    asked = [row.messages[0].content for row in rows if row.arm == "paraphrase"]
    assert asked[0].startswith("Not one complaint")
    assert asked[0].endswith("Answer Yes or No.")


def test_paths_are_taken_and_what_is_nothing_of_the_kind_is_said(tmp_path):
    from harness.models import chosen
    from harness.preparing import prepare

    (tmp_path / "m.yaml").write_text(
        "name: m\nfamily: f\nversion: '1'\nbackend: openai\nbase_url: http://127.0.0.1:1/v1\n"
        "model: x\n",
        encoding="utf-8",
    )
    assert chosen(tmp_path / "m.yaml", tmp_path).name == "m"
    with pytest.raises(InputError, match=r"absent\.yaml: there is no such file"):
        harness.run(model=tmp_path / "absent.yaml")
    with pytest.raises(InputError, match=r"absent\.yaml: there is no such file"):
        harness.run(suite=tmp_path / "absent.yaml", backend=PlantedBackend(chance()))
    for wrong in (None, {}, 42):
        with pytest.raises(InputError, match=f"model: must be a name.* got {type(wrong).__name__}"):
            harness.run(model=wrong, out=tmp_path / "run")
    for wrong in ("3", 1.5, True, 0, -1):
        with pytest.raises(InputError, match="limit: must be a whole number of scenarios from 1"):
            prepare("m", limit=wrong)
    with pytest.raises(InputError, match="suite: must be a name or a YAML file, got NoneType"):
        prepare("m", None)
    for wrong in (3, [3], {"age": 1}):
        with pytest.raises(InputError, match="axes: must be names"):
            prepare("m", axes=wrong)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_is_said_before_weights_are_fetched(planted, monkeypatch):
    planted(PlantedBackend(chance()))

    def fetched() -> None:
        raise AssertionError("fetched")

    monkeypatch.setattr(PlantedBackend, "identity", lambda self: fetched())
    with pytest.raises(StoreError, match="/proc/foo: cannot be written"):
        harness.run(out="/proc/foo", axes=["age"], limit=1)
