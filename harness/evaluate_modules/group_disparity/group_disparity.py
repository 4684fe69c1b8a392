"""Group effects over scenarios as an `evaluate` metric.

>>> metric = evaluate.load("<harness>/evaluate_modules/group_disparity")
>>> metric.compute(predictions=scores, references=groups, scenarios=names, margin=0.05)
{'groups': ['a', 'b'], 'estimate': [...], 'low': [...], 'high': [...], 'verdict': [...], 'n': 36}
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import datasets
import evaluate
import numpy as np

from harness import stats
from harness.errors import InputError, check_texts


class GroupDisparity(evaluate.Metric):  # type: ignore[misc]
    """Every group against the mean of the others; the scenario is the unit."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Leave-one-out group effects with simultaneous intervals and verdicts.",
            citation="",
            inputs_description="predictions: scores; references: group of each; scenarios, margin",
            features=datasets.Features(
                {"predictions": datasets.Value("float64"), "references": datasets.Value("string")}
            ),
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **more: Any) -> None:
        """As in `evaluate`, which takes what it computes by here too; Arrow refuses half pairs."""
        check_texts("references", references)
        super().add_batch(predictions=predictions, references=references, **more)

    def add(self, *, prediction: Any = None, reference: Any = None, **more: Any) -> None:
        """As in `evaluate`: one score and its group."""
        check_texts("reference", [reference])
        super().add(prediction=prediction, reference=reference, **more)

    def _compute(
        self,
        predictions: list[float | None],
        references: list[str],
        scenarios: list[str] | None = None,
        margin: float | None = None,
        alpha: float = 0.05,
    ) -> dict[str, Any]:
        """A score that is None is undefined, as NaN is."""
        if scenarios is None:
            raise InputError("scenarios: name the scenario of every prediction")
        if not isinstance(margin, Real) or not 0 < margin < math.inf:
            raise InputError("margin: must be the smallest difference that matters, a number "
                             f"above 0, got {margin}")  # fmt: skip
        if not 0 < alpha < 1:
            raise InputError(f"alpha: must be between 0 and 1, got {alpha}")
        if len(scenarios) != len(predictions):
            raise InputError(f"{len(predictions)} predictions but {len(scenarios)} scenarios")
        rows, columns = list(dict.fromkeys(scenarios)), list(dict.fromkeys(references))
        if len(columns) < 2:
            raise InputError("references: two groups or more are needed")
        total, n = (np.zeros((len(rows), len(columns))) for _ in range(2))
        for value, group, scenario in zip(predictions, references, scenarios, strict=True):
            place = rows.index(scenario), columns.index(group)
            if value is not None and math.isinf(value):
                raise InputError(f"predictions: {value} in scenario '{scenario}' is no score")
            total[place] += math.nan if value is None else value
            n[place] += 1
        with np.errstate(invalid="ignore", divide="ignore"):
            found = stats.group_effects(total / n, margin=margin, alpha=alpha)
        numbers = {key: [None if np.isnan(x) else float(x) for x in getattr(found, key)]
                   for key in ("estimate", "low", "high", "p_adjusted")}  # fmt: skip
        return {
            "groups": columns, **numbers, "verdict": [str(v) for v in found.verdict],
            "reason": [str(r) or None for r in found.reason], "n": found.n,
        }  # fmt: skip
