"""The shape of a scenario: what all task kinds share, and the rules its words must keep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from harness.documents import Part, Slug
from harness.errors import InputError

SLOT = re.compile(r"\{([^{}]*)\}")
Relevance = Literal["irrelevant", "lawful_difference"]
Text = Annotated[str, Field(min_length=1)]
Domain = Literal[
    "work", "housing", "credit", "insurance", "health", "education", "justice", "public", "social"
]


class Edit(Part):
    """A replacement of one piece of a scenario's words by others."""

    replace: Text
    by: Annotated[str, Field(alias="with")]


class Scenario(Part):
    """What the scenarios of all kinds have; the statistical unit.

    `SLOTTED` names the texts (or groups of them) that hold the cue's slots. `PERSONS` is how many
    people the slots stand for: one ({noun}), or several, whose slots are numbered ({noun1},
    {noun2}). `axis` is set where a scenario makes sense on one axis only.
    """

    SLOTTED: ClassVar[tuple[tuple[str, ...], ...]] = (("case", "question"),)
    PERSONS: ClassVar[int] = 1

    id: Slug
    domain: Domain
    axis: Slug | None = None
    relevance: Relevance | None = None
    source: str | None = None

    def words(self, names: Sequence[str]) -> str:
        """The texts of these names in one line."""
        return " ".join(self.text(name) for name in names)

    def text(self, name: str) -> str:
        """A text by its key; "difference.case" is a text inside a part."""
        value: object = self
        for part in name.split("."):
            value = getattr(value, part)
        return str(value)

    def check(self, place: Placer) -> None:
        """Refuse a scenario that cannot be asked.

        Raises
        ------
        InputError
            With file and line: a missing or second cue slot, a stray brace, a double space.
        """
        for names in self.SLOTTED:
            self._check_slots(names, place)

    def _check_slots(self, names: Sequence[str], place: Placer) -> None:
        text, where = self.words(names), place(*names[0].split("."))
        slots = SLOT.findall(text)
        wanted = [str(i) for i in range(1, self.PERSONS + 1)] if self.PERSONS > 1 else [""]
        if sorted(re.sub(r"\D", "", slot) for slot in slots) != wanted:
            needs = (
                "exactly one of the form {noun}, {Noun} or {is}"
                if self.PERSONS == 1
                else "one a person, of the form {noun1} and {noun2}"
            )
            raise InputError(
                f"{where}: scenario '{self.id}' has {len(slots)} cue slots, needs {needs}"
            )
        if "{" in SLOT.sub("", text) or "}" in SLOT.sub("", text):
            raise InputError(f"{where}: scenario '{self.id}' has a stray brace")
        if re.search(r"\s\s|\n", text):
            raise InputError(f"{where}: scenario '{self.id}' has a double space or a line break")


class Situation(Scenario):
    """A scenario in which the cue must not matter: everything in a prompt but the cue.

    `EDITED` names the texts that its edits may change.
    """

    EDITED: ClassVar[tuple[str, ...]] = ("case", "question")

    position: Literal["early", "late"]
    paraphrase: Edit

    def edited(self, edit: Edit) -> Self:
        """This scenario with the edit's words replaced."""
        return self.model_copy(
            update={name: getattr(self, name).replace(edit.replace, edit.by)
                    for name in self.EDITED}
        )  # fmt: skip

    def edits(self) -> Iterator[tuple[str, Edit]]:
        """Every edit with the key it stands under."""
        for name in type(self).model_fields:
            if isinstance(edit := getattr(self, name), Edit):
                yield name, edit

    def check(self, place: Placer) -> None:
        """As for every scenario; also an edit whose words do not occur exactly once, or touch
        the slot, is refused."""
        super().check(place)
        for name, edit in self.edits():
            self._check_edit(name, edit, place)

    def _check_edit(self, name: str, edit: Edit, place: Placer) -> None:
        where, text = place(name), self.words(self.EDITED)
        found = sum(getattr(self, key).count(edit.replace) for key in self.EDITED)
        if found != 1:
            raise InputError(
                f"{where}: the words of '{name}.replace' occur {found} times in scenario "
                f"'{self.id}', must occur exactly once"
            )
        if SLOT.findall(self.edited(edit).words(self.EDITED)) != SLOT.findall(text):
            raise InputError(f"{where}: '{name}' must leave the cue slot alone")
        if edit.by == edit.replace:
            raise InputError(f"{where}: '{name}' changes nothing")


class Placer:
    """`file:line` of a scenario's keys."""

    def __init__(self, document: object, *at: str | int) -> None:
        self._document, self._at = document, at

    def __call__(self, *key: str | int) -> str:
        place: str = self._document.place(*self._at, *key)  # type: ignore[attr-defined]
        return place
