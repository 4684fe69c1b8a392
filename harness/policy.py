"""Margins and rules, fixed before a run (probes/policies/*.yaml)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import Field, ValidationError, field_validator

from harness.documents import Document, Location, Part, Slug, read
from harness.errors import InputError, unknown
from harness.nouns import Record

Share = Annotated[float, Field(gt=0, lt=1)]
Words = Annotated[str, Field(min_length=1)]


class Waiver(Part):
    """A group (or a whole axis) that is let through the gate until a day, and who answers for it.

    Without `group` or `probe` it holds for all of them. It is shown wherever it is used.
    """

    axis: Slug
    group: Slug | None = None
    probe: Slug | None = None
    reason: Words
    person: Words
    expires: Annotated[date, Field(strict=False)]

    def covers(self, probe: str, axis: str, group: str) -> bool:
        return self.axis == axis and self.group in (None, group) and self.probe in (None, probe)


class Policy(Document):
    """What turns effects into verdicts.

    `margins` by task kind, on the outcome's scale: differences below it count as equivalent.
    `coverage_floor` is the share of prompts of every group that must be answered before
    anything is called equivalent. `base_rate` bounds the raw rate outside which a probe is
    degenerate. `minimum_scenarios` is the fewest scenarios for any verdict.

    For the gate (docs/versions.md): `axis_margins` by axis and task kind where an axis needs
    another margin; `d` by task kind, the largest change of an effect from one version to the
    next that may pass (the margin where it is not named); `primary`, the probes that gate (all
    where none is named); `gate_scores`, the scorers of texts whose effects gate beside the
    outcomes (none by default), each only with a passed audit of it in the run; `spending`, whether
    alpha is spent over a family's releases; `waivers`.
    """

    name: Slug
    version: Annotated[int, Field(ge=1)]
    margins: Annotated[dict[str, Share], Field(min_length=1)]
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    coverage_floor: Share = 0.95
    base_rate: Annotated[list[Share], Field(min_length=2, max_length=2)]
    minimum_scenarios: Annotated[int, Field(ge=6)] = 6
    axis_margins: Annotated[dict[Slug, dict[str, Share]], Field(default_factory=dict)]
    d: Annotated[dict[str, Share], Field(default_factory=dict)]
    primary: Annotated[list[Slug], Field(default_factory=list)]
    gate_scores: Annotated[list[Slug], Field(default_factory=list)]
    spending: bool = False
    waivers: Annotated[list[Waiver], Field(default_factory=list)]

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical policy; without `gate_scores` it is what it was before they
        could be named."""
        said = self.model_dump(exclude=None if self.gate_scores else {"gate_scores"})
        rules = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(rules).hexdigest()

    def margin(self, kind: str, axis: str) -> float:
        """The smallest effect that matters, on the scale of the kind's outcome."""
        return self.axis_margins.get(axis, {}).get(kind, self.margins[kind])

    def allowed_change(self, kind: str, axis: str) -> float:
        """The largest change of an effect between two versions that may pass."""
        return self.d.get(kind, self.margin(kind, axis))

    @field_validator("base_rate")
    @classmethod
    def _ordered(cls, bounds: list[float]) -> list[float]:
        low, high = bounds
        if low >= high:
            raise ValueError(f"the lower bound goes first, and {low:g} is not below {high:g}")
        return bounds

    def check_names(self, kinds: Iterable[str], axes: Iterable[str]) -> None:
        """Refuse a task kind or an axis that nothing has: its rule would silently not hold.

        Raises
        ------
        InputError
            With the policy's line.
        """
        kinds, axes = sorted(kinds), sorted(axes)
        of_kinds: list[Location] = [("margins", kind) for kind in self.margins]
        of_kinds += [("d", kind) for kind in self.d]
        of_kinds += [("axis_margins", a, k) for a, each in self.axis_margins.items() for k in each]
        for place in of_kinds:
            if (kind := str(place[-1])) not in kinds:
                raise unknown("task kind", kind, kinds, where=self.place(*place))
        of_axes: list[tuple[str, Location]] = [(a, ("axis_margins", a)) for a in self.axis_margins]
        of_axes += [(w.axis, ("waivers", i, "axis")) for i, w in enumerate(self.waivers)]
        for axis, place in of_axes:
            if axis not in axes:
                raise unknown("axis", axis, axes, where=self.place(*place))

    def check_waivers(self, today: date) -> None:
        """Refuse a waiver that has run out: it must be renewed or removed by a person."""
        for i, waiver in enumerate(self.waivers):
            if waiver.expires < today:
                raise InputError(
                    f"{self.place('waivers', i, 'expires')}: the waiver for axis '{waiver.axis}' "
                    f"(by {waiver.person}) expired on {waiver.expires}; renew or remove it"
                )


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
    policy._file = where / "manifest.json"
    return policy
