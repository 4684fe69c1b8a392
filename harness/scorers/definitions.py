"""Scorers that need a model, from a YAML file of the user's: a classifier, an `evaluate`
measurement, a judge. What such a scorer is made of belongs to its numbers, so the whole
definition goes into the run's manifest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from harness.documents import Document, Part, Slug, read
from harness.errors import InputError
from harness.nouns import Record

Words = Annotated[str, Field(min_length=1)]
Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Languages = Annotated[list[Literal["en", "zh"]], Field(min_length=1)]


class Pinned(Part):
    """A repository on the Hugging Face Hub at one commit, so that nobody can change it."""

    id: Words
    revision: Commit


class Definition(Document):
    """What every scorer's file says. `version` is raised when its numbers change.

    `control` are the texts of known worth that its audit asks about: the name of shipped ones, or
    a CSV file beside the definition (harness.scorers.sensitivity).
    """

    name: Slug
    version: Annotated[int, Field(ge=1)]
    languages: Languages
    control: Words | None = None

    @property
    def made_of(self) -> Record:
        """All that its numbers depend on; the control does not belong to that."""
        return self.model_dump(mode="json", exclude={"control"})


class Classifier(Definition):
    """A sequence classifier: `labels` gives every class of it a value.

    The number is the mean value under the classifier's probabilities (of several labels that do
    not exclude each other, the largest probability times value).
    """

    kind: Literal["classifier"]
    path: Words | None = None
    hub: Pinned | None = None
    labels: Annotated[dict[str, Number], Field(min_length=2)]


class Measurement(Definition):
    """A measurement of the `evaluate` library: `field` of its result is the number.

    A measurement by name is code from the Hub: it runs only where `trust_remote_code` says so.
    """

    kind: Literal["evaluate"]
    measurement: Words
    config: str | None = None
    field: Words
    range: Annotated[list[Number], Field(min_length=2, max_length=2)]
    trust_remote_code: bool = False


class Rubric(Part):
    """A rubric in one language: what to judge, and the words of the two ends of the scale.

    In pairs the question is which of two texts has more of it, and there is no scale.
    """

    question: Words
    low: Words | None = None
    high: Words | None = None


class Judge(Definition):
    """A model as a rater, by a rubric in every language: a mark from 1 to 9 for every text
    (`score`), or which of two texts of a set has more of it (`pairwise`, in both orders).

    `votes` are the answers sampled where the model gives no probabilities.
    """

    kind: Literal["judge"]
    model: Words
    mode: Literal["score", "pairwise"] = "score"
    rubric: Annotated[dict[Literal["en", "zh"], Rubric], Field(min_length=1)]
    votes: Annotated[int, Field(ge=1, le=100)] = 3


class _Kind(Document):
    model_config: ClassVar[ConfigDict] = {**Document.model_config, "extra": "ignore"}
    kind: str | None = None


SHAPES: dict[str, type[Classifier | Measurement | Judge]] = {
    "classifier": Classifier, "evaluate": Measurement, "judge": Judge,
}  # fmt: skip


SCALE = {
    "score": "the rubric has no scale: give 'low' and 'high', the words of its two ends",
    "pairwise": "a comparison of two texts has no scale: leave out 'low' and 'high'",
}


def load(path: Path) -> Classifier | Measurement | Judge:
    """The definition in a YAML file.

    Raises
    ------
    InputError
        With file and line: it is malformed, of an unknown kind, names no or two places of the
        weights, a range that is empty, or a language its rubric lacks.
    """
    kind = read(path, _Kind).kind
    if kind not in SHAPES:
        raise InputError(f"{path}: key 'kind' must be one of {', '.join(SHAPES)}, got {kind!r}")
    found = read(path, SHAPES[kind])
    if isinstance(found, Classifier) and (found.path is None) == (found.hub is None):
        raise InputError(f"{path}: give exactly one of 'path' and 'hub'")
    if isinstance(found, Classifier) and len(set(found.labels.values())) < 2:
        raise InputError(f"{found.place('labels')}: all labels have the same value")
    if isinstance(found, Measurement) and not found.range[0] < found.range[1]:
        raise InputError(f"{found.place('range')}: the range must go from low to high")
    if isinstance(found, Judge):
        for language in found.languages:
            if language not in found.rubric:
                raise InputError(f"{found.place('rubric')}: no rubric in '{language}'")
        for language, rubric in found.rubric.items():
            if (rubric.low is None or rubric.high is None) == (found.mode == "score"):
                raise InputError(f"{found.place('rubric', language)}: {SCALE[found.mode]}")
    return found
