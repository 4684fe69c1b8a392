"""The scorers of texts as an `evaluate` measurement.

>>> scorer = evaluate.load("<harness>/evaluate_modules/text_scorer", "hedging")
>>> scorer.compute(predictions=["It might rain."], language="en")
{'hedging': [1.0], 'mean': 1.0, 'n': 1, 'n_undefined': 0}
"""

from __future__ import annotations

from typing import Any

import datasets
import evaluate

from harness.errors import InputError, check_texts, unknown
from harness.nouns import Status
from harness.scorers import DRIFT, FIRST, SCORERS, clean, foreign
from harness.scorers.status import status


class TextScorer(evaluate.Measurement):  # type: ignore[misc]
    """`config_name` is the scorer's name; a text it says nothing of is None, not 0."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description="One number a text, by a scorer of bias-harness.",
            citation="",
            inputs_description="predictions: texts; language: 'en' or 'zh'",
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **more: Any) -> None:
        """As in `evaluate`, which takes what it computes by here too; Arrow refuses half pairs."""
        check_texts("predictions", predictions)
        super().add_batch(predictions=predictions, references=references, **more)

    def add(self, *, prediction: Any = None, reference: Any = None, **more: Any) -> None:
        """As in `evaluate`: one text."""
        check_texts("prediction", [prediction])
        super().add(prediction=prediction, reference=reference, **more)

    def _compute(self, predictions: list[str], language: str = "en") -> dict[str, Any]:
        name = self.config_name
        if name == "default":
            raise InputError("name a scorer: evaluate.load(..., 'hedging')")
        if name not in SCORERS:
            raise unknown("scorer", name, SCORERS)
        scorer = SCORERS[name]
        if language not in scorer.languages:
            raise InputError(f"scorer '{name}' is not defined for '{language}'")
        if (missing := scorer.needs(language)) is not None:
            raise InputError(f"scorer '{name}': {missing}")
        texts = [clean(text) for text in predictions]
        values = [
            None if (status(text, language) is Status.EMPTY if name == FIRST
                     else name != DRIFT and foreign(text, language))
            else scorer.measure(text, language) for text in texts
        ]  # fmt: skip
        known = [value for value in values if value is not None]
        return {
            name: values, "mean": sum(known) / len(known) if known else None,
            "n": len(known), "n_undefined": len(values) - len(known),
        }  # fmt: skip
