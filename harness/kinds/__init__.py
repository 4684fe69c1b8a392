"""Task kinds: how a scenario is put, what is asked of a backend, and which numbers come out.

A kind is one file of this folder (a module with the members of `Kind`) and one line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from harness.kinds import decision
from harness.nouns import Option, Prompt, Reading, Request, Response, Score, Want
from harness.probes import Scenario


class Kind(Protocol):
    """The members every module of this folder has."""

    LANGUAGES: frozenset[str]
    """The languages it has words for."""
    OUTCOME: str
    """Name of the number that effects are estimated on."""
    UNIT: str
    RANGE: tuple[float, float]
    """The outcome's smallest and largest value, for bounds where answers are missing."""
    WANT: Want
    """What is asked of a backend that offers it; `Want.TEXT` in several samples otherwise."""

    def put(self, scenario: Scenario, language: str) -> str:
        """The words of the prompt, the cue slot still open."""
        ...

    def options(self, language: str) -> tuple[Option, ...]: ...

    def ask(self, prompt: Prompt, want: Want, seed: int) -> Request: ...

    def read(self, prompt: Prompt, response: Response) -> Reading: ...


KINDS: Mapping[str, Kind] = {
    "decision": decision,
}


SCORING = 1
"""Version of the numbers that come out; raised when the definition of one changes."""


def score(prompts: Sequence[Prompt], responses: Mapping[str, Response]) -> list[Score]:
    """Every response through its kind's parser, in the order of the prompts.

    A response that is not answered gives one score without a value, under the outcome's name.
    """
    scores: list[Score] = []
    for prompt in prompts:
        if prompt.id not in responses:
            continue
        kind = KINDS[prompt.kind]
        reading = kind.read(prompt, responses[prompt.id])
        values: Mapping[str, float | None] = reading.values or {kind.OUTCOME: None}
        scores.extend(
            Score(prompt.id, reading.status, name, value) for name, value in values.items()
        )
    return scores
