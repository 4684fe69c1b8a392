from __future__ import annotations

import copy
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.report import figure
from tests.report.conftest import Run


def test_png_and_svg_are_written_the_same_every_time(made: Run, tmp_path: Path) -> None:
    manifest, effects, _ = made
    for name in ("a.png", "a.svg", "b.svg"):
        figure(effects, manifest, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_undefined_effects_and_one_axis_are_drawn(made: Run, tmp_path: Path) -> None:
    manifest, effects, _ = made
    few = copy.deepcopy(effects)
    few["axes"] = few["axes"][:1]
    few["effects"] = few["effects"][:4]
    for name in ("estimate", "low", "high", "tost_low", "tost_high"):
        few["effects"][0][name] = None
    figure(few, manifest, tmp_path / "few.svg")
    assert "not measured" in (tmp_path / "few.svg").read_text(encoding="utf-8")


def test_an_unknown_suffix_and_an_empty_run_are_refused(made: Run, tmp_path: Path) -> None:
    manifest, effects, _ = made
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        figure(effects, manifest, tmp_path / "a.pdf")
    empty = {**effects, "effects": [], "axes": [], "probes": []}
    with pytest.raises(InputError, match="nothing to draw"):
        figure(empty, manifest, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
