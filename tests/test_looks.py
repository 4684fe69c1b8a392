"""Stopping an axis at one of three declared looks."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

import harness
from harness import looks, preparing
from harness.cli import main, screen
from harness.errors import InputError
from harness.models import RemoteModel
from harness.nouns import Request
from tests.conftest import PlantedBackend

MODEL = RemoteModel(
    name="m", family="m", version="1", backend="openai", base_url="http://127.0.0.1:9/v1",
    model="m", decoding={"samples": 4},  # type: ignore[arg-type]
)  # fmt: skip
AXES = ["gender=man,woman", "age=22,70"]


def unfair() -> Callable[[Request], float]:
    """Women get nearly nothing good; everybody else's luck is thrown anew in every scenario."""
    prompts = preparing.prepare(
        MODEL, "quick", axes=AXES, backend=sampled(lambda _: 0.5)
    ).design.by_id

    def chance(request: Request) -> float:
        prompt = prompts[request.prompt]
        luck = random.Random(f"{prompt.scenario} {prompt.group}").choice([0.1, 0.9])
        good = 0.02 if prompt.group == "woman" else luck if prompt.axis == "age" else 0.98
        return good if prompt.favourable == "yes" else 1 - good

    return chance


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(backend: PlantedBackend, **more):
    return harness.run(MODEL, "quick", axes=AXES, until_decided=True, backend=backend, **more)


def sampled(chance: Callable[[Request], float] | None = None, **more) -> PlantedBackend:
    return PlantedBackend(chance or unfair(), next_token=False, whole_blocks=False, **more)


def test_a_decided_axis_is_asked_no_further_and_an_open_one_to_the_end():
    found = run(backend := sampled())
    axes = {axis["axis"]: axis for axis in found.axes}
    assert axes["gender"]["look"] == {"look": 1, "of": 3, "stopped": True}
    assert axes["gender"]["n_scenarios"] == 12 and axes["gender"]["verdict"] == "disparity"
    assert axes["age"]["look"] == {"look": 3, "of": 3, "stopped": False}
    assert axes["age"]["n_designed"] == 36
    assert len(backend.asked) == len(set(backend.asked))
    design = found.folder.design()
    asked = {design.by_id[prompt].axis for prompt in backend.asked[-100:]}
    assert asked == {"age"}
    table = screen.table(found.manifest, found.results, found.path)
    assert "decided and asked no further: gender at look 1 of 3" in table
    assert [axis["alpha"] for axis in found.axes] == [pytest.approx(0.05 / 3)] * 2
    page = (found.path / "report.html").read_text(encoding="utf-8")
    assert page.count(">stopped at look 1 of 3, after 12 of 36 scenarios") == 2  # overview, axis
    assert "declared before the first answer: 3 looks" in page


def test_the_looks_stand_in_the_manifest_before_the_first_answer():
    with pytest.raises(KeyboardInterrupt):
        run(sampled(stop_after=0))
    [path] = Path("results/runs").glob("*-until-decided/manifest.json")
    declared = orjson.loads(path.read_bytes())["looks"]
    assert declared["ends"] == {"quick-decision en": [12, 24, 36]}
    assert declared["taken"] == 0 and declared["decided"] == []


@pytest.mark.parametrize("kill_after", [1, 200, 330, 420])
def test_a_killed_run_goes_on_to_the_same_digits(kill_after, tmp_path):
    whole = run(sampled(), out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(sampled(stop_after=kill_after), out=tmp_path / "killed")
    again = run(sampled(), out=tmp_path / "killed")
    assert again.results == whole.results
    shown = run(backend := sampled(), out=tmp_path / "killed")
    assert backend.asked == [] and shown.results == whole.results


def test_the_order_is_drawn_from_the_seed():
    design = preparing.prepare(MODEL, "quick", axes=AXES, backend=sampled()).design

    def first(seed: int) -> list[str]:
        declared = looks.declare(design, ["decision"], seed)
        return [block[0].scenario for block in looks.part(design, declared, 1).blocks()]

    assert first(0) == first(0) != first(1)
    assert len(set(first(0))) == 12 and first(0) != sorted(first(0))
    listed = list(dict.fromkeys(prompt.scenario for prompt in design.prompts))
    assert set(first(0)) != set(listed[:12])


def test_every_look_contains_the_one_before():
    design = preparing.prepare(MODEL, "quick", axes=AXES, backend=sampled()).design
    declared = looks.declare(design, ["decision"], 0)
    parts = [looks.part(design, declared, k).table["id"].to_pylist() for k in (1, 2, 3)]
    assert [len(part) * 3 for part in parts] == [len(design.prompts) * k for k in (1, 2, 3)]
    assert parts[1][: len(parts[0])] == parts[0] and parts[2][: len(parts[1])] == parts[1]


def test_probabilities_are_asked_whole(capsys):
    found = run(PlantedBackend(lambda _: 0.5))
    assert "look" not in found.axes[0] and found.manifest["looks"] is None
    assert {axis["alpha"] for axis in found.axes} == {0.05}


def test_a_run_begun_the_other_way_is_refused(tmp_path):
    harness.run(MODEL, "quick", axes=AXES, backend=sampled(), out=tmp_path / "r")
    with pytest.raises(InputError, match="was begun without --until-decided"):
        run(sampled(), out=tmp_path / "r")


def test_a_slice_cannot_decide(capsys):
    assert main(["run", "--until-decided", "--shard", "1/2"]) == 2
    assert "--until-decided" in capsys.readouterr().err
