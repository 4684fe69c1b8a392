"""Whom a suite asks about: in every language the axes, their groups, and pairs of axes crossed.

Cells of two crossed axes that no person is in (structural zeros, as the theory of contingency
tables calls them; the lexicon's `not_together`) are never asked.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import product

from harness.errors import InputError, unknown
from harness.lexicon import CROSSED, Lexicon
from harness.probes import Suite

Crossing = dict[str, list[str]]
"""Axis -> ids of its groups; "age+gender" -> cells, "52+woman"."""
MOST_CELLS = 24
"""Cells of two crossed axes that are asked at most."""
DRAWS = 100
"""Rectangles of cells that are drawn to find one without a cell that cannot be."""


def choose_groups(
    suite: Suite, lexicon: Lexicon, axes: Sequence[str] | None
) -> dict[str, Crossing]:
    """For every language of a suite the axes and groups to cross, in the lexicon's order of axes.

    Pairs of axes to be crossed follow the axes, without the cells that cannot be; where they have
    more than `MOST_CELLS`, some are taken (see `rectangle`).

    Parameters
    ----------
    axes : only these, in every language that has them; "gender=woman,man" keeps only these
        groups, "age+gender" is a pair of the suite's `cross`, "age+gender=18+woman,35+man" keeps
        only these cells, all of them.

    Raises
    ------
    InputError
        A group or axis is not there, a pair cannot be put into one phrase, or fewer than two
        cells of a pair are left.
    """
    named = {item.partition("=")[0] for item in axes or () if "=" in item}
    chosen = _wanted(suite, lexicon, axes)
    for language, found in chosen.items():
        for axis in (a for a in found if CROSSED in a):

            def together(cell: str, axis: str = axis, language: str = language) -> bool:
                return lexicon.together(axis, cell, language)

            cells = found[axis]
            found[axis] = list(
                filter(together, cells if axis in named else rectangle(cells, together))
            )
            if len(found[axis]) < 2:
                where = "--axes" if axis in named else suite.place("cross")
                raise InputError(f"{where}: fewer than two cells of '{axis}' go together in "
                                 f"'{language}' (not_together in the lexicon)")  # fmt: skip
    return chosen


def choose_fewer(
    suite: Suite, lexicon: Lexicon, axes: Sequence[str] | None
) -> dict[str, dict[str, Crossing]]:
    """What `choose_groups` gives, for every probe that the suite's `fewer_groups` names.

    Groups that `axes` names hold for these probes too.

    Raises
    ------
    InputError
        A language, axis or group is not among those of the suite, or stands twice.
    """
    whole = {language: _given(suite, lexicon, language) for language in suite.languages}
    chosen: dict[str, dict[str, Crossing]] = {}
    for i, part in enumerate(suite.fewer_groups):
        for language, found in part.groups.items():
            at: tuple[str | int, ...] = ("fewer_groups", i, "groups", language)
            if language not in suite.groups:
                raise unknown("language", language, suite.groups, where=suite.place(*at),
                              of=_name(suite))  # fmt: skip
            if language not in whole:  # not asked in this time
                continue
            for axis, names in found.items():
                known = suite.groups[language]
                if axis not in known:
                    raise unknown("axis", axis, known, where=suite.place(*at, axis),
                                  of=_name(suite))  # fmt: skip
                for j, name in enumerate(names):
                    where = suite.place(*at, axis, j)
                    if name not in whole[language][axis]:
                        raise unknown("group", name, whole[language][axis], where=where,
                                      of=f"axis '{axis}' in {_name(suite)}")  # fmt: skip
                    if name in names[:j]:
                        raise InputError(f"{where}: '{name}' stands twice")
        groups = {language: {**found, **part.groups.get(language, {})}
                  for language, found in suite.groups.items()}  # fmt: skip
        smaller = choose_groups(suite.model_copy(update={"groups": groups}), lexicon, axes)
        chosen |= dict.fromkeys(part.probes, smaller)
    return chosen


def left_out(
    suite: Suite, lexicon: Lexicon, axes: Sequence[str] | None
) -> dict[str, dict[str, list[str]]]:
    """The cells that cannot be, by language and pair of axes: what `choose_groups` leaves out."""
    found = {
        language: {
            axis: [cell for cell in names if not lexicon.together(axis, cell, language)]
            for axis, names in crossing.items()
            if CROSSED in axis
        }
        for language, crossing in _wanted(suite, lexicon, axes).items()
    }
    return {language: {a: cells for a, cells in pairs.items() if cells}
            for language, pairs in found.items() if any(pairs.values())}  # fmt: skip


def possible(
    suite: Suite, lexicon: Lexicon, axes: Sequence[str] | None
) -> dict[str, dict[str, int]]:
    """How many cells of every pair of axes can be, by language: more than are asked of many."""
    return {
        language: {
            axis: sum(lexicon.together(axis, cell, language) for cell in names)
            for axis, names in crossing.items()
            if CROSSED in axis
        }
        for language, crossing in _wanted(suite, lexicon, axes).items()
    }


def rectangle(cells: Sequence[str], together: Callable[[str], bool]) -> list[str]:
    """All cells of a full crossing, or a smaller rectangle of at most `MOST_CELLS`.

    The rectangle's groups are drawn by a fixed seed; each stands with every one of the other
    axis, so the cells stay balanced and their interaction can be told from the parts. Of `DRAWS`
    it is the first with the fewest cells that are not `together`: mostly none.
    """
    first, second = (list(dict.fromkeys(names)) for names in zip(*_split(cells), strict=True))
    if len(cells) <= MOST_CELLS:
        return list(cells)
    rng = random.Random(" ".join([*first, *second]))
    columns = min(len(second), max(MOST_CELLS // len(first), math.isqrt(MOST_CELLS)))
    rows = min(len(first), MOST_CELLS // columns)

    def draw() -> list[str]:
        across = sorted(rng.sample(second, columns), key=second.index)
        down = sorted(rng.sample(first, rows), key=first.index)
        return _joined(down, across)

    return min(
        (draw() for _ in range(DRAWS)), key=lambda drawn: sum(not together(c) for c in drawn)
    )


def _name(suite: Suite) -> str:
    return f"suite '{suite.name}'"


def _joined(first: Sequence[str], second: Sequence[str]) -> list[str]:
    return [f"{a}{CROSSED}{b}" for a, b in product(first, second)]


def _split(cells: Sequence[str]) -> list[list[str]]:
    return [cell.split(CROSSED) for cell in cells]


def _wanted(suite: Suite, lexicon: Lexicon, axes: Sequence[str] | None) -> dict[str, Crossing]:
    """What is asked for, with every cell of the pairs, whether or not it can be."""
    chosen = {language: _given(suite, lexicon, language) for language in suite.languages}
    return chosen if axes is None else _narrow(chosen, lexicon, suite.name, axes)


def _given(suite: Suite, lexicon: Lexicon, language: str) -> Crossing:
    given = suite.groups[language]
    found: Crossing = {}
    for axis, names in given.items():
        lexicon.axis(axis, where=suite.place("groups", language, axis))
        if isinstance(names, str):
            found[axis] = lexicon.speaking(axis, language, "explicit")
            continue
        speaking = {name for cue in ("explicit", "implicit")
                    for name in lexicon.speaking(axis, language, cue)}  # fmt: skip
        for i, name in enumerate(names):
            where = suite.place("groups", language, axis, i)
            lexicon.group(axis, name, where=where)
            if name not in speaking:
                raise InputError(f"{where}: group '{name}' of axis '{axis}' has no words in "
                                 f"'{language}'; take it out, or write all")  # fmt: skip
        found[axis] = list(names)
    ordered = {axis: found[axis] for axis in lexicon.axes if axis in found}
    for i, (first, second) in enumerate(suite.cross):
        for axis in (first, second):
            lexicon.axis(axis, where=suite.place("cross", i))
        if first == second:
            raise InputError(f"{suite.place('cross', i)}: axis '{first}' is crossed with itself; "
                             "name two axes")  # fmt: skip
        if first in ordered and second in ordered:
            bodies, heads = (
                [g for g in ordered[axis]
                 if form in lexicon.group(axis, g).explicit.get(language, {})]
                for axis, form in ((first, "modified"), (second, "head"))
            )  # fmt: skip
            if len(bodies) < 2 or len(heads) < 2:
                raise InputError(
                    f"{suite.place('cross', i)}: '{first}' and '{second}' cannot be put into one "
                    f"phrase in '{language}': {len(bodies)} groups of '{first}' have the form "
                    f"'modified', {len(heads)} of '{second}' the form 'head', and both need two; "
                    "gender and occupation have heads, and stand second"
                )
            ordered[f"{first}{CROSSED}{second}"] = _joined(bodies, heads)
    return ordered


def _narrow(
    chosen: Mapping[str, Crossing], lexicon: Lexicon, suite: str, axes: Sequence[str]
) -> dict[str, Crossing]:
    kept: dict[str, dict[str, list[str] | None]] = {language: {} for language in chosen}
    for item in axes:
        axis, given, names = item.partition("=")
        for part in axis.split(CROSSED):
            lexicon.axis(part, where="--axes")
        if any(axis in found for found in kept.values()):
            raise InputError(f"--axes {item}: axis '{axis}' is named twice")
        if not any(axis in found for found in chosen.values()):
            raise InputError(f"--axes {axis}: suite '{suite}' does not ask about this axis")
        groups = names.split(",") if given else None
        if groups is not None:
            _check_narrowed(item, axis, groups, lexicon)
        for language, found in chosen.items():
            if axis in found:
                kept[language][axis] = groups
    if not any(kept.values()):
        raise InputError("--axes: name at least one axis")
    return {
        language: {axis: kept[language][axis] or groups
                   for axis, groups in found.items() if axis in kept[language]}
        for language, found in chosen.items() if kept[language]
    }  # fmt: skip


def _check_narrowed(item: str, axis: str, groups: Sequence[str], lexicon: Lexicon) -> None:
    parts = axis.split(CROSSED)
    for name in groups:
        names = name.split(CROSSED)
        if len(names) != len(parts):
            raise InputError(f"--axes {item}: '{name}' must name one group of each of "
                             f"{', '.join(parts)}, joined by {CROSSED}")  # fmt: skip
        for part, group in zip(parts, names, strict=True):
            lexicon.group(part, group, where="--axes")
    if len(set(groups)) < 2 or len(set(groups)) != len(groups):
        raise InputError(f"--axes {item}: needs at least two different groups to compare")
