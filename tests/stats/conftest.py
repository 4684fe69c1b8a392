"""The statistics are silent: any warning, NumPy's among them, fails the test."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240229)


@pytest.fixture
def y(rng: np.random.Generator) -> np.ndarray:
    """30 scenarios x 5 groups; group 2 scores .1 higher."""
    scores = rng.normal(0.5, 0.1, (30, 1)) + rng.normal(0, 0.03, (30, 5))
    scores[:, 2] += 0.1
    return np.clip(scores, 0, 1)
