"""The one exception family of bias-harness.

::

    HarnessError                exit code 2 unless a child says otherwise
    ├── InputError              what the user gave is wrong: a name, a file, a flag
    ├── StoreError              a run folder cannot be written, or belongs to another run
    ├── ModelError              a model or a server failed (exit code 4)
    └── BudgetError             the requests or the money allowed are used up (exit code 3)

Every message says what is wrong, where (``file:line`` or key), and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HarnessError(Exception):
    """Base of every error the harness raises on purpose."""

    exit_code = 2


class InputError(HarnessError):
    """What the user gave is wrong; nothing was asked."""


class StoreError(HarnessError):
    """A run folder cannot be written, or holds another design or model."""


class ModelError(HarnessError):
    """A model or a server failed; every finished record is kept."""

    exit_code = 4


class BudgetError(HarnessError):
    """The requests or the money that were allowed are used up; every answer is kept."""

    exit_code = 3


def unknown(
    noun: str, given: str, known: Iterable[str], *, where: str = "", of: str = ""
) -> InputError:
    """An `InputError` for a name that does not exist (`of` something), with the nearest ones."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    if not near:  # the beginning of a long name, mistyped
        starts = {name[: len(given)]: name for name in reversed(names)}
        near = [starts[s] for s in difflib.get_close_matches(given, starts, n=1, cutoff=0.7)]
    hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(names) or 'none'}"
    owner = f" of {of}" if of else ""
    return InputError(f"{where + ': ' if where else ''}unknown {noun} '{given}'{owner}{hint}")
