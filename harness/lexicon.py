"""Axes, groups and the words that carry a group in a prompt (probes/lexicon/*.yaml).

An explicit cue names the group. An implicit one suggests it: a name from a pool
(lexicon/names/*.yaml) where names carry the axis, else a hint (a practice, a place, a document).
Two axes crossed ("age+gender") have the first one's words before the second one's noun.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product, zip_longest
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.documents import Document, Part, Slug, read, shipped
from harness.errors import InputError, unknown
from harness.nouns import AXES

Labels = dict[str, str]
Forms = dict[str, str]
Hints = Annotated[list[Forms], Field(min_length=1)]
CROSSED = "+"
"""Between two axes, and between their groups, that are asked together."""
NAMED = {
    "en": {"is": "is called {name}", "me": "My name is {name}"},
    "zh": {"is": "名叫{name}", "me": "我叫{name}"},
}


class Group(Part):
    """One value on an axis, with the forms of its cues by language.

    `explicit` has one set of forms a language, `implicit` a list of hints of which each scenario
    takes one.
    """

    id: Slug
    label: Labels
    explicit: dict[str, Forms] = Field(default_factory=dict)
    implicit: dict[str, Hints] = Field(default_factory=dict)


class Apart(Part):
    """Groups of this axis that nobody is in who is in one of these groups of another axis.

    `languages` are those in which it holds, where it rests on a country's law; all by default.
    """

    groups: Annotated[list[Slug], Field(min_length=1)]
    others: Annotated[dict[Slug, Annotated[list[Slug], Field(min_length=1)]], Field(alias="with")]
    languages: Annotated[list[str], Field(min_length=1)] | None = None
    source: Annotated[str, Field(min_length=1)]


class Axis(Document):
    """One protected attribute."""

    axis: Slug
    version: Annotated[int, Field(ge=1)]
    licence: str
    label: Labels
    sources: list[str]
    cautions: list[str]
    groups: Annotated[list[Group], Field(min_length=2)]
    not_together: list[Apart] = Field(default_factory=list)


class Name(Part):
    """A name and, where known, the share of the bearers of its first, given or family part who
    belong to the pool's group."""

    name: Annotated[str, Field(min_length=2)]
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    of: Literal["first", "given", "family"] | None = None


class Pool(Part):
    """Names that carry one group on each of one or more axes."""

    groups: Annotated[dict[str, Slug], Field(min_length=1)]
    names: Annotated[list[Name], Field(min_length=1)]


class Names(Document):
    """The name pools of one language."""

    version: Annotated[int, Field(ge=1)]
    licence: str
    sources: list[str]
    cautions: list[str]
    pools: list[Pool]


@dataclass(frozen=True)
class Lexicon:
    """Every axis, in the order of `AXES` and then by name, and the name pools by language."""

    axes: Mapping[str, Axis]
    names: Mapping[str, Sequence[Pool]] = field(default_factory=dict)
    _drawn: dict[tuple[object, ...], list[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def _members(self) -> dict[tuple[str, str], Group]:
        return {(a.axis, group.id): group for a in self.axes.values() for group in a.groups}

    @cached_property
    def _apart(self) -> frozenset[tuple[str, frozenset[tuple[str, str]]]]:
        """Language and the two groups, for all that do not go together."""
        return frozenset(
            (language, frozenset({(axis.axis, group), (other, name)}))
            for axis in self.axes.values()
            for apart in axis.not_together
            for other, names in apart.others.items()
            for group, name, language in product(apart.groups, names, apart.languages or NAMED)
        )

    def together(self, axis: str, cell: str, language: str) -> bool:
        """Whether somebody can be in both groups of a cell ("52+woman") of two crossed axes."""
        pair = zip(axis.split(CROSSED), cell.split(CROSSED), strict=True)
        return (language, frozenset(pair)) not in self._apart

    def axis(self, name: str, *, where: str = "") -> Axis:
        if name not in self.axes:
            raise unknown("axis", name, self.axes, where=where)
        return self.axes[name]

    def group(self, axis: str, name: str, *, where: str = "") -> Group:
        """The group, or an error that also looks for it on the other axes."""
        if (axis, name) in self._members:
            return self._members[axis, name]
        groups = [group.id for group in self.axis(axis, where=where).groups]
        for other in self.axes.values():
            if any(group.id == name for group in other.groups):
                raise InputError(
                    f"{where + ': ' if where else ''}group '{name}' is not on axis '{axis}'; "
                    f"did you mean axis '{other.axis}'?"
                )
        raise unknown("group", name, groups, where=where, of=f"axis '{axis}'")

    def speaking(self, axis: str, language: str, cue: str) -> list[str]:
        """The groups of an axis that have words of this kind in this language."""
        named = self._named(axis, language) if cue == "implicit" else set()
        return [
            group.id
            for group in self.axis(axis).groups
            if group.id in named or language in getattr(group, cue)
        ]

    def forms(
        self, axis: str, group: str, language: str, cue: str, turn: int, *, where: str = ""
    ) -> Forms:
        """The words of a group's cue, by form.

        Parameters
        ----------
        axis, group : of one axis, or of two crossed.
        turn : of an implicit cue, which of the group's names or hints; they are taken in order.

        Raises
        ------
        InputError
            The group has no words of this kind in this language.
        """
        parts = dict(zip(axis.split(CROSSED), group.split(CROSSED), strict=True))
        members = {a: self.group(a, g, where=where) for a, g in parts.items()}
        if cue == "implicit":
            if names := self._bearers(language, parts):
                return _named(names[turn % len(names)], language)
            hints = members[axis].implicit.get(language) if len(parts) == 1 else None
            if hints:
                return hints[turn % len(hints)]
        elif all(language in member.explicit for member in members.values()):
            each = [member.explicit[language] for member in members.values()]
            if len(each) == 1:
                return each[0]
            return _crossed(each[0], each[1], language, where, group)
        raise InputError(
            f"{where + ': ' if where else ''}group '{group}' of axis '{axis}' has no "
            f"'{language}' cue of kind '{cue}'"
        )

    def _named(self, axis: str, language: str) -> set[str]:
        return {pool.groups[axis] for pool in self.names.get(language, []) if axis in pool.groups}

    def _bearers(self, language: str, parts: Mapping[str, str]) -> Sequence[str]:
        """The names of all pools that carry these groups, one of each pool in turn."""
        key = (language, *parts.items())
        if key not in self._drawn:
            pools = [
                [name.name for name in pool.names]
                for pool in self.names.get(language, [])
                if parts.items() <= pool.groups.items()
            ]
            turns = zip_longest(*pools)
            self._drawn[key] = [name for row in turns for name in row if name is not None]
        return self._drawn[key]

    def labels(self, groups: Mapping[str, Sequence[str]]) -> dict[str, dict[str, object]]:
        """Names for people of these axes and groups, by language."""
        return {
            "axes": {axis: self._label(axis) for axis in groups},
            "groups": {
                axis: {name: self._label(axis, name) for name in names}
                for axis, names in groups.items()
            },
        }

    def _label(self, axis: str, group: str | None = None) -> Labels:
        parts = axis.split(CROSSED)
        names = group.split(CROSSED) if group is not None else [None] * len(parts)
        each = [
            self.axis(a).label if g is None else self.group(a, g).label
            for a, g in zip(parts, names, strict=True)
        ]
        return {
            language: " × ".join(label[language] for label in each)
            for language in each[0]
            if all(language in label for label in each)
        }


def _named(name: str, language: str) -> Forms:
    """The forms of a name: it stands where a description of the person would."""
    forms = {form: text.format(name=name) for form, text in NAMED[language].items()}
    return {"noun": name, "the": name, **forms}


def _crossed(first: Forms, second: Forms, language: str, where: str, group: str) -> Forms:
    """The forms of two groups in one phrase."""
    if "modified" not in first or "head" not in second:
        raise InputError(
            f"{where + ': ' if where else ''}group '{group}' cannot be put into one phrase: the "
            "first needs the form 'modified', the second 'head'"
        )
    noun = first["modified"].format(head=second["head"], noun=second["noun"])
    if language == "zh":
        return {"noun": noun, "is": f"是{noun}", "me": f"我是{noun}",
                "the": noun.replace("一", "那", 1)}  # fmt: skip
    bare = noun.split(" ", 1)[1]  # without its article
    return {"noun": noun, "is": f"is {noun}", "me": f"I am {noun}", "the": f"the {bare}"}


def load(folder: Path | None = None) -> Lexicon:
    """Every axis file in `folder` (the shipped lexicon by default), and the pools in its `names`.

    Raises
    ------
    InputError
        A file is malformed, its name is not its axis, a group or a name stands twice, or
        `not_together` names what does not exist.
    """
    folder = folder or shipped("probes") / "lexicon"
    axes: dict[str, Axis] = {}
    names: dict[str, list[Pool]] = {}
    for path in sorted((folder / "names").glob("*.yaml")):
        names[path.stem] = _read_names(path)
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
    ranked = sorted(axes.items(), key=lambda kv: (order.get(kv[0], len(order)), kv[0]))
    words = Lexicon(dict(ranked), names)
    for axis in axes.values():
        for error in misnamed(axis, words):
            raise error
    return words


def misnamed(axis: Axis, words: Lexicon) -> Iterator[InputError]:
    """What the axis's `not_together` names that does not exist, with file and line."""
    own = {group.id for group in axis.groups}
    for i, apart in enumerate(axis.not_together):
        for j, group in enumerate(apart.groups):
            if group not in own:
                where = axis.place("not_together", i, "groups", j)
                yield unknown("group", group, own, where=where, of=f"axis '{axis.axis}'")
        for other, names in apart.others.items():
            where = axis.place("not_together", i, "with", other)
            if other == axis.axis:
                yield InputError(f"{where}: groups of one axis are never crossed; name another")
                continue
            for j, name in enumerate(names):
                try:
                    where = axis.place("not_together", i, "with", other, j)
                    words.group(other, name, where=where)
                except InputError as error:
                    yield error
        for j, language in enumerate(apart.languages or ()):
            if language not in NAMED:
                where = axis.place("not_together", i, "languages", j)
                yield unknown("language", language, NAMED, where=where)


def _read_names(path: Path) -> list[Pool]:
    document = read(path, Names)
    seen: set[str] = set()
    for i, pool in enumerate(document.pools):
        for j, name in enumerate(pool.names):
            if name.name in seen:
                where = document.place("pools", i, "names", j, "name")
                raise InputError(f"{where}: the name '{name.name}' stands twice")
            seen.add(name.name)
    return list(document.pools)
