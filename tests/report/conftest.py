"""A made-up run rendered once, and a Chromium to look at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from harness import report
from tests.report import synthetic

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
Run = tuple[dict[str, Any], dict[str, Any], pa.Table]


@pytest.fixture(scope="session")
def made() -> Run:
    """Manifest, effects and rows of the made-up run."""
    return synthetic.run()


@pytest.fixture(scope="session")
def html(made: Run) -> str:
    return report.render(*made)


@pytest.fixture(scope="session")
def file(html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; without Playwright or a Chromium the test is skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs a Chromium on the path")
    with api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield started
        started.close()
