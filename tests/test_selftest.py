"""The self-test finds what is planted, and fails when the arithmetic is spoiled."""

from __future__ import annotations

import numpy as np
import pytest

from harness import cli, stats
from harness.backends.planted import Plant
from harness.errors import InputError
from harness.selftest import selftest
from tests.conftest import PlantedBackend
from tests.test_pipeline import chance


@pytest.fixture(autouse=True)
def model(planted):
    return planted(PlantedBackend(chance()))


@pytest.mark.parametrize("shift", [0.05, -0.05, 0.2])
def test_every_control_holds(tmp_path, shift):
    controls = selftest(tmp_path, plant=Plant("age", "52", shift))
    assert [c for c in controls if not c.held] == []
    assert len(controls) == 7


def test_a_flipped_sign_in_analysis_is_caught(tmp_path, monkeypatch):
    whole = stats.group_effects
    monkeypatch.setattr(stats, "group_effects", lambda y, **k: whole(1 - np.asarray(y), **k))
    held = {c.name: c.held for c in selftest(tmp_path)}
    assert not held["planted disparity is found"]
    assert not held["the effect moves by the plant"]


def test_groups_in_the_wrong_order_are_caught(tmp_path, monkeypatch):
    whole = stats.group_effects
    monkeypatch.setattr(
        stats, "group_effects", lambda y, **k: whole(np.roll(np.asarray(y), 1, axis=1), **k)
    )
    held = {c.name: c.held for c in selftest(tmp_path)}
    assert not held["in the right group"]


def test_too_small_an_interval_is_caught(tmp_path, monkeypatch):
    """Repeating every scenario ten times is what treating records as independent does."""
    whole = stats.group_effects
    monkeypatch.setattr(
        stats, "group_effects", lambda y, **k: whole(np.repeat(np.asarray(y), 40, axis=0), **k)
    )
    held = {c.name: c.held for c in selftest(tmp_path)}
    assert not held["no difference without groups"]


def test_the_command_says_what_held(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["selftest"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert out.count(" held") == 7
    assert not (tmp_path / "results").exists()
    whole = stats.group_effects
    monkeypatch.setattr(stats, "group_effects", lambda y, **k: whole(1 - np.asarray(y), **k))
    assert cli.main(["selftest"]) == 1
    assert " FAILED" in capsys.readouterr().out
    assert cli.main(["selftest", "--plant", "axis=gender", "group=man", "shift=-0.04"]) == 1
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["axis=age", "group=53", "shift=0.05"], "unknown group"),
        (["axis=age", "group=52"], "give axis=NAME group=NAME shift=NUMBER"),
        (["axis=age", "group=52", "shift=lots"], "not a number"),
        (["axis=age", "group=52", "shift=0"], "not be 0"),
        (["axis=age", "group=52", "shift=0.6"], "does not fit"),
        (["axis", "group=52", "shift=0.6"], "give axis=NAME"),
    ],
)
def test_a_bad_plant_is_refused(capsys, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["selftest", "--plant", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_plant_is_never_clipped(tmp_path):
    with pytest.raises(InputError, match="plant a smaller one"):
        selftest(tmp_path, plant=Plant("age", "52", -0.7))
