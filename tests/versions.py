"""Runs of versions whose truth is planted, for the tests of ledger, compare and gate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import harness
from harness import probes
from harness.documents import shipped
from harness.models import RemoteModel
from harness.nouns import Request
from harness.pipeline import Run
from tests.conftest import PlantedBackend

AGES = {"22": "22", "35": "35", "52": "52", "70": "70"}
SCENARIOS = probes.library(shipped("probes")).probe("quick-decision").scenarios["en"]


def noise(words: str, size: float) -> float:
    """A repeatable number in (-size, size) for these words."""
    digest = hashlib.sha256(words.encode()).digest()
    return (int.from_bytes(digest[:8]) / 2**63 - 1) * size


def chance(
    shifts: Mapping[str, float] | None = None,
    *,
    level: float = 0.5,
    own: float = 0.0,
    salt: str = "",
    spread: float = 0.01,
) -> Callable[[Request], float]:
    """P(favourable) .5 with noise that every version shares, `shifts` for ages by the number.

    `own` is the size of noise that only the version `salt` has.
    """

    def of(request: Request) -> float:
        words = request.messages[-1].content
        scenario = next((s for s in SCENARIOS if s.question in words), None)
        sign = 1 if scenario is None or scenario.favourable == "yes" else -1
        p = level + noise(words, spread) + noise(words + salt, own)
        if scenario is not None and scenario.disqualify.by in words:
            p -= sign * 0.2
        for age, shift in (shifts or {}).items():
            if f"{age} years old" in words or f"{age}-year-old" in words:
                p += sign * shift
        return p

    return of


def model(version: str, *, family: str = "toy") -> RemoteModel:
    return RemoteModel(
        name=f"{family}-{version}", family=family, version=version, backend="openai",
        base_url="http://127.0.0.1:9/v1", model=version,
    )  # fmt: skip


def run_of(
    place: Path, version: str, answers: Callable[[Request], float] | None = None, **options
) -> Run:
    """A finished run of a version in `place`/version; `broken` says which prompts fail."""
    backend = PlantedBackend(answers or chance(), identity_={"planted": version})
    backend.broken = options.pop("broken", backend.broken)
    family = options.pop("family", "toy")
    return harness.run(
        model(version, family=family), out=place / version, backend=backend,
        **{"axes": ["age"], **options},
    )  # fmt: skip
