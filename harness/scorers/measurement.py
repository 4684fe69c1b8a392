"""Scorer by a measurement of the `evaluate` library, local or by name."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import InputError, ModelError
from harness.scorers.definitions import Measurement
from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import tokens


def scorer(definition: Measurement) -> Scorer:
    """The scorer of a definition."""
    low, high = definition.range

    @cache
    def loaded() -> Any:
        return _load(definition)

    def measure(text: str, language: str) -> float | None:
        if not tokens(text, language):
            return None
        module, name = loaded()
        try:
            found = module.compute(**{name: [text]})
        except Exception as error:  # somebody else's code
            raise ModelError(f"evaluate measurement '{definition.measurement}' failed on a text: "
                             f"{type(error).__name__}: {error}") from error  # fmt: skip
        return _number(found, definition)

    return Scorer(
        definition.version, definition.field, (low, high), high - low, measure,
        frozenset(definition.languages),
    )  # fmt: skip


def _load(definition: Measurement) -> tuple[Any, str]:
    """The measurement's module, and what it calls the texts.

    Raises
    ------
    InputError
        It is code from the Hub and the definition does not allow that, or it takes more than
        texts.
    ModelError
        It cannot be loaded.
    """
    import evaluate

    if not Path(definition.measurement).exists() and not definition.trust_remote_code:
        raise InputError(
            f"{definition.place('measurement')}: '{definition.measurement}' is no local folder; "
            "a measurement by name is code from the Hub: say 'trust_remote_code: true' to run it"
        )
    try:
        module = evaluate.load(definition.measurement, definition.config, module_type="measurement")
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(f"evaluate measurement '{definition.measurement}' cannot be loaded: "
                         f"{error}") from error  # fmt: skip
    shapes = module.features if isinstance(module.features, list) else [module.features]
    for names in map(list, shapes):
        if len(names) == 1:
            return module, names[0]
    raise InputError(f"{definition.place('measurement')}: the measurement takes "
                     f"{', '.join(shapes[0])}; a scorer is given texts alone")  # fmt: skip


def _number(found: Any, definition: Measurement) -> float | None:
    """The field of a result: a number, or a list with one."""
    if not isinstance(found, dict) or definition.field not in found:
        raise InputError(f"{definition.place('field')}: the measurement gives no "
                         f"'{definition.field}'")  # fmt: skip
    value = found[definition.field]
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if value is None or not math.isfinite(float(value)):
        return None
    low, high = definition.range
    if not low <= float(value) <= high:
        raise InputError(f"{definition.place('range')}: the measurement gave {float(value):g}, "
                         f"outside {low:g} to {high:g}")  # fmt: skip
    return float(value)
