"""Axes, groups and the words that carry a group in a prompt (probes/lexicon/*.yaml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.documents import Document, Part, Slug, read
from harness.errors import InputError, unknown
from harness.nouns import AXES

Labels = dict[str, str]
Forms = dict[str, str]


class Group(Part):
    """One value on an axis, with the grammatical forms of its explicit cue by language."""

    id: Slug
    label: Labels
    explicit: dict[str, Forms]


class Axis(Document):
    """One protected attribute."""

    axis: Slug
    version: Annotated[int, Field(ge=1)]
    licence: str
    label: Labels
    sources: list[str]
    cautions: list[str]
    groups: Annotated[list[Group], Field(min_length=2)]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every axis, in the order of `AXES` and then by name."""

    axes: Mapping[str, Axis]

    def axis(self, name: str, *, where: str = "") -> Axis:
        if name not in self.axes:
            raise unknown("axis", name, self.axes, where=where)
        return self.axes[name]

    def group(self, axis: str, name: str, *, where: str = "") -> Group:
        """The group, or an error that also looks for it on the other axes."""
        groups = {group.id: group for group in self.axis(axis, where=where).groups}
        if name in groups:
            return groups[name]
        for other in self.axes.values():
            if any(group.id == name for group in other.groups):
                raise InputError(
                    f"{where + ': ' if where else ''}group '{name}' is not on axis '{axis}'; "
                    f"did you mean axis '{other.axis}'?"
                )
        raise unknown("group", name, groups, where=where, of=f"axis '{axis}'")

    def labels(self, groups: Mapping[str, Sequence[str]]) -> dict[str, dict[str, object]]:
        """Names for people of these axes and groups, by language."""
        return {
            "axes": {axis: dict(self.axes[axis].label) for axis in groups},
            "groups": {
                axis: {name: dict(self.group(axis, name).label) for name in names}
                for axis, names in groups.items()
            },
        }


def load(folder: Path) -> Lexicon:
    """Every axis file in `folder`.

    Raises
    ------
    InputError
        A file is malformed, its name is not its axis, or a group stands twice.
    """
    axes: dict[str, Axis] = {}
    for path in sorted(folder.glob("*.yaml")):
        axis = read(path, Axis)
        if axis.axis != path.stem:
            raise InputError(f"{axis.place('axis')}: axis '{axis.axis}' must stand in its own file")
        seen: set[str] = set()
        for i, group in enumerate(axis.groups):
            if group.id in seen:
                raise InputError(
                    f"{axis.place('groups', i, 'id')}: group '{group.id}' stands twice"
                )
            seen.add(group.id)
        axes[axis.axis] = axis
    order = {name: i for i, name in enumerate(AXES)}
    return Lexicon(dict(sorted(axes.items(), key=lambda kv: (order.get(kv[0], len(order)), kv[0]))))
