"""A made-up run rendered once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from harness import report
from tests.report import synthetic

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
