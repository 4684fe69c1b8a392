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
import re
from collections.abc import Iterable

HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: JSON can name it, but it is no character and no file takes it."""


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


def check_texts(where: str, texts: Iterable[object]) -> None:
    """Refuse texts that hold half of a surrogate pair, with the number of the first, from 1.

    Raises
    ------
    InputError
        With the place and what to do.
    """
    for i, text in enumerate(texts, 1):
        if isinstance(text, str) and (found := HALF.search(text)):
            raise InputError(
                f"{where}: text {i} holds U+{ord(found[0]):04X}, half of a character: replace it "
                "(`text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')`) or leave "
                "the text out"
            )
