"""The wheel works outside the checkout: probes and models travel with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The built wheel, unpacked beside the environment's own packages (torch is not copied)."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(place), str(CHECKOUT)], check=True
    )
    [wheel] = place.glob("bias_harness-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "harness/_data/probes/suites/quick.yaml" in names
    assert not [name for name in names if name.startswith(("tests/", "results/"))]
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", str(place / "site"), str(wheel)], check=True
    )
    return place / "site"


def call(installed: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys, harness; from harness.cli import main; "
        "print(harness.__file__, file=sys.stderr); sys.exit(main())"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=place, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed)}, timeout=400,
    )  # fmt: skip


def test_it_lists_and_runs_from_anywhere(installed, tmp_path, real_model):
    done = call(installed, tmp_path, "list", "suites", "--json")
    assert str(installed) in done.stderr
    assert "quick" in [suite["name"] for suite in json.loads(done.stdout)]
    done = call(installed, tmp_path, "run", "--axes", "age=22,70", "--limit", "6")
    assert done.returncode == 0, done.stderr
    [run] = (tmp_path / "results" / "runs").iterdir()
    assert (run / "report.html").stat().st_size > 1000
    assert json.loads((run / "manifest.json").read_text())["git_commit"] is None
