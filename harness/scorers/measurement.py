"""Scorer by a measurement of the `evaluate` library, local or by name."""

from __future__ import annotations

import math
from functools import cache
from numbers import Real
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
        return _number(_computed(loaded(), text, definition), definition)

    return Scorer(
        definition.version, definition.field, (low, high), high - low, measure,
        frozenset(definition.languages),
    )  # fmt: skip


def _load(definition: Measurement) -> Any:
    """The measurement's module.

    Raises
    ------
    InputError
        It is code from the Hub and the definition does not allow that, or it is no measurement.
    ModelError
        It cannot be loaded, for whatever reason: its code is not ours.
    """
    import evaluate

    if not Path(definition.measurement).exists() and not definition.trust_remote_code:
        raise InputError(
            f"{definition.place('measurement')}: '{definition.measurement}' is no local folder; "
            "a measurement by name is code from the Hub: say 'trust_remote_code: true' to run it"
        )
    try:
        return evaluate.load(definition.measurement, definition.config, module_type="measurement")
    except TypeError as error:  # also what `evaluate` raises for a metric or a comparison
        raise InputError(
            f"{definition.place('measurement')}: '{definition.measurement}' must be an "
            f"`evaluate.Measurement` with a `MeasurementInfo`: {_said(error)}"
        ) from error
    except Exception as error:
        raise ModelError(f"evaluate measurement '{definition.measurement}' cannot be loaded: "
                         f"{_said(error)}") from error  # fmt: skip


def _computed(module: Any, text: str, definition: Measurement) -> Any:
    """What a measurement says of one text, whatever the name of its one input.

    Raises
    ------
    InputError
        It takes more than texts.
    ModelError
        It fails, which code that is not ours may do in any way.
    """
    features = module.features[0] if isinstance(module.features, list) else module.features
    if len(features) != 1:
        raise InputError(f"{definition.place('measurement')}: it takes {', '.join(features)}; a "
                         "scorer has one text and nothing else")  # fmt: skip
    try:
        return module.compute(**{next(iter(features)): [text]})
    except Exception as error:
        raise ModelError(
            f"evaluate measurement '{definition.measurement}' failed: {_said(error)}"
        ) from error


def _said(error: Exception) -> str:
    """An error of code that is not ours, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _number(found: Any, definition: Measurement) -> float | None:
    """The field of a result: a number, or a list with one."""
    if not isinstance(found, dict) or definition.field not in found:
        raise InputError(f"{definition.place('field')}: the measurement gives no "
                         f"'{definition.field}'")  # fmt: skip
    value = found[definition.field]
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{definition.place('field')}: '{definition.field}' is no number of one "
                         f"text, but {type(value).__name__}")  # fmt: skip
    if not math.isfinite(float(value)):
        return None
    low, high = definition.range
    if not low <= float(value) <= high:
        raise InputError(f"{definition.place('range')}: the measurement gave {float(value):g}, "
                         f"outside {low:g} to {high:g}")  # fmt: skip
    return float(value)
