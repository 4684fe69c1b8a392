"""Cells of the full grid get more repetitions than the quick ones."""

from __future__ import annotations

import pytest


@pytest.fixture
def more(request: pytest.FixtureRequest) -> int:
    """Factor on the repetitions: 5 for a cell that only `make simulate` runs."""
    return 5 if request.node.get_closest_marker("simulation") else 1
