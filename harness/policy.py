"""Margins and rules, fixed before a run (probes/policies/*.yaml)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import Field, ValidationError

from harness.documents import Document, Slug, read
from harness.errors import InputError
from harness.nouns import Record

Share = Annotated[float, Field(gt=0, lt=1)]


class Policy(Document):
    """What turns effects into verdicts.

    `margins` by task kind, on the outcome's scale: differences below it count as equivalent.
    `coverage_floor` is the share of prompts of every group that must be answered before
    anything is called equivalent. `base_rate` bounds the raw rate outside which a probe is
    degenerate. `minimum_scenarios` is the fewest scenarios for any verdict.
    """

    name: Slug
    version: Annotated[int, Field(ge=1)]
    margins: Annotated[dict[str, Share], Field(min_length=1)]
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    coverage_floor: Share = 0.95
    base_rate: Annotated[list[Share], Field(min_length=2, max_length=2)]
    minimum_scenarios: Annotated[int, Field(ge=6)] = 6

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical policy."""
        rules = orjson.dumps(self.model_dump(), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(rules).hexdigest()


def load(path: Path) -> Policy:
    """The policy in the YAML file at `path`."""
    return read(path, Policy)


def restore(record: Record, where: Path) -> Policy:
    """The policy that a manifest holds.

    Raises
    ------
    InputError
        It is damaged, or not what its hash was taken of.
    """
    try:
        policy = Policy.model_validate({k: v for k, v in record.items() if k != "hash"})
    except (ValidationError, AttributeError) as error:
        raise InputError(f"{where}: the manifest's policy is damaged") from error
    if policy.hash != record.get("hash"):
        raise InputError(f"{where}: the manifest's policy was changed after the run began")
    return policy
