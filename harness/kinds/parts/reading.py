"""What the kinds share in reading a response: its status, and the shares of its options."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.nouns import Finish, Option, Reading, Response, Status

LEAST_MASS = 0.05
"""Probability that must lie on the options together; below it a response is unparsed."""
MOST_UNKNOWN = 0.005
"""How far options outside a server's returned tokens may leave the shares unknown."""


class Asked(Protocol):
    """What must be known of a question to read its answer."""

    @property
    def language(self) -> str: ...

    @property
    def options(self) -> tuple[Option, ...]: ...


@dataclass(frozen=True, slots=True)
class Shares:
    """Probabilities of the options: each one's share of their `mass`, None where not measured."""

    of: dict[str, float]
    mass: float | None

    @property
    def masses(self) -> dict[str, float]:
        """The mass under its name; nothing for a sampled answer."""
        return {} if self.mass is None else {"mass": self.mass}


def unanswered(response: Response) -> Reading | None:
    """The reading of a response that ended without an answer; None where there may be one."""
    if response.truncated:
        return Reading(Status.TRUNCATED)
    if response.finish is Finish.ERROR:
        return Reading(Status.ERROR)
    if response.finish is Finish.FILTER:
        return Reading(Status.REFUSED)
    if response.logprobs is None and not (response.text or "").strip():
        return Reading(Status.EMPTY)
    return None


def shares(prompt: Asked, response: Response) -> Shares | Reading:
    """The options' shares of their mass, or why they cannot be told."""
    found = {name: math.exp(value) for name, value in (response.logprobs or {}).items()}
    mass = sum(found.values())
    if not math.isfinite(mass):
        return Reading(Status.ERROR)
    if mass < LEAST_MASS:
        return Reading(Status.UNPARSED)
    absent = len(prompt.options) - len(found)
    if absent:
        bound = response.absent_below
        if bound is None or absent * math.exp(bound) > MOST_UNKNOWN * mass:
            return Reading(Status.UNPARSED)
    of = {option.name: found.get(option.name, 0.0) / mass for option in prompt.options}
    return Shares(of, min(mass, 1.0))


def answer(
    prompt: Asked, response: Response, said: Callable[[str, str], str | None]
) -> Shares | Reading:
    """The options' shares, from probabilities or from a sampled answer, or why there are none.

    `said` tells from a text and its language the option it names, None where it names none;
    all of a sampled answer's share is that option's.
    """
    if (ended := unanswered(response)) is not None:
        return ended
    if response.logprobs is not None:
        return shares(prompt, response)
    name = said(response.text or "", prompt.language)
    of = {option.name: float(option.name == name) for option in prompt.options}
    return Shares(of, None) if name in of else Reading(Status.UNPARSED)
