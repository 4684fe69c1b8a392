"""bias-harness: does a generative model treat counterfactual persons differently?

>>> import harness
>>> run = harness.run(model="smollm2-135m-instruct-q4_1", suite="quick")  # doctest: +SKIP
>>> run.effects, run.responses  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.pipeline import Run, run

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "run"]


def __getattr__(name: str) -> Any:
    """`run` and `Run` come from the pipeline when first asked for: importing stays instant."""
    if name in ("run", "Run"):
        from harness import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
