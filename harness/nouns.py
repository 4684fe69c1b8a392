"""The nouns of the program as small frozen types (docs/architecture.md says how they fit)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

AXES = ("ethnicity", "belief", "country", "region", "gender", "age", "occupation", "health")
"""The attributes of Article 4 of the Interim Measures, in its order; `other` may follow."""


TOGETHER = " / "
"""Between the groups of a prompt that is about several."""


HIDDEN = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")
"""Control characters, and marks that turn the direction of what follows: a terminal obeys them, a
model reads them, and no reader of a probe sees them."""


def visible(text: str) -> str:
    """The text with a replacement character (U+FFFD) for every hidden mark."""
    return HIDDEN.sub("\ufffd", text)


ONE = re.compile(
    r"(?<![\d.,])1((?: of 1)?(?: more)?(?: such)?) (axes|blocks|cells|groups|pages|pairs|prompts|"
    r"raters|samples|scenarios|sets|tests|texts|versions)\b( are\b)?"
)


def counted(text: str) -> str:
    """English prose whose nouns follow their numbers: "1 scenarios" is "1 scenario"."""
    return ONE.sub(_one, text)


def _one(found: re.Match[str]) -> str:
    noun = "axis" if found[2] == "axes" else found[2].removesuffix("s")
    return f"1{found[1]} {noun}{' is' if found[3] else ''}"


class Arm(StrEnum):
    """Why a prompt is asked."""

    COUNTERFACTUAL = "counterfactual"  # the cue of one group in the scenario's own words
    REPEAT = "repeat"  # the same prompt again: sample 1 and later of a sampled answer
    PARAPHRASE = "paraphrase"  # the same group under a neutral edit: the noise floor
    CONTROL = "control"  # the same group under the disqualifying edit: does content matter?
    CONTRAST = "contrast"  # the same people under the opposite question (kind `choice`)


class Finish(StrEnum):
    """How a backend's answer ended."""

    STOP = "stop"
    LENGTH = "length"
    FILTER = "filter"
    ERROR = "error"


class Status(StrEnum):
    """What the kind's parser made of a response; only the content of `ANSWERED` is scored."""

    ANSWERED = "answered"
    REFUSED = "refused"
    PARTIAL = "partial"
    EMPTY = "empty"
    UNPARSED = "unparsed"
    TRUNCATED = "truncated"
    ERROR = "error"


class Verdict(StrEnum):
    """What may be said of a group or an axis."""

    EQUIVALENT = "equivalent"
    DISPARITY = "disparity"
    INCONCLUSIVE = "inconclusive"


class Want(StrEnum):
    """What a request asks of a backend."""

    NEXT_TOKEN = "next_token"  # noqa: S105 - probability of each option at the next token
    SEQUENCE = "sequence"  # log-likelihood of each option as a whole continuation
    TEXT = "text"  # generated text
    FORM = "form"  # generated text that the server holds to {"answer": one of the options}


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str  # "system", "user" or "assistant"
    content: str


@dataclass(frozen=True, slots=True)
class Option:
    """One answer a kind knows: its name and the ways it may be spelled."""

    name: str
    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One row of the design."""

    id: str
    block: int
    probe: str
    probe_version: int
    kind: str
    scenario: str
    variant: str
    language: str
    axis: str
    group: str
    cue: str  # "explicit" or "implicit"
    role: str  # "subject" or "user"
    arm: Arm
    sample: int
    domain: str
    favourable: str  # name of the option that is good for the person
    cue_position: str  # "early" or "late"
    relevance: str  # "irrelevant" or "lawful_difference"
    messages: tuple[Message, ...]
    options: tuple[Option, ...]
    cue_words: tuple[str, ...]
    members: tuple[str, ...] = ()  # the group that each option names, "" for none

    @property
    def groups(self) -> tuple[str, ...]:
        """Whom a response says something of, in the order of `group`."""
        return about(self.group, self.members)


def about(group: str, members: tuple[str, ...]) -> tuple[str, ...]:
    """Whom a prompt of this `group` and these `members` is about."""
    if not members:
        return (group,)
    return tuple(name for name in group.split(TOGETHER) if name in members)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a backend for one prompt and one sample."""

    prompt: str  # id of the prompt
    messages: tuple[Message, ...]
    want: Want
    options: tuple[Option, ...] = ()
    max_tokens: int = 16
    sample: int = 0
    seed: int = 0
    stop: tuple[str, ...] = ()  # words that end a generated text, and are left out of it


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for one prompt and one sample.

    `logprobs` maps option names to natural-log probabilities, summed over the spellings, for
    `Want.NEXT_TOKEN` and `Want.SEQUENCE` alike.
    """

    prompt: str
    finish: Finish
    text: str | None = None
    logprobs: Mapping[str, float] | None = None
    absent_below: float | None = None  # log p that an option missing in `logprobs` stays under
    detail: str | None = None  # an error's words, a filter's reason
    prompt_tokens: int = 0
    completion_tokens: int = 0
    truncated: bool = False  # the prompt did not fit the context and was not asked
    reasoning: str | None = None  # what a model thought before it answered, never scored


@dataclass(frozen=True, slots=True)
class Score:
    """One number a scorer gave one response about one group.

    `value` is None where it could not be measured: for most kinds, unless the status is
    `answered`; in kinds of text, how a response ended is itself a number.
    """

    prompt: str
    group: str
    status: Status
    scorer: str
    value: float | None


Record = dict[str, Any]
"""A JSON object: a manifest, an effect or an axis as written to disk."""


def largest_shown(axis: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The largest effect (or change) of an axis record where it has an interval: no number is
    shown without one. `group` is None where the effect is 0: all are level, and none leads."""
    largest: Mapping[str, Any] | None = axis["largest"]
    if not largest or largest["low"] is None:
        return None
    return {**largest, "group": None} if largest["estimate"] == 0 else largest
