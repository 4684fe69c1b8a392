"""A run's results in the formats of other tools.

A format is one function of this folder and one line in `FORMATS`: it gets a finished run, checked,
and the place that was named, and returns what it wrote. Every number goes out with its interval,
its n and its verdict, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness import seal
from harness.errors import unknown
from harness.exports.cards import eval_results, model_card, model_index
from harness.exports.finished import Finished
from harness.exports.mlflow_store import mlflow
from harness.exports.tabular import csv, parquet
from harness.store import EFFECTS, RunFolder

FORMATS: Mapping[str, Callable[[Finished, str], list[str]]] = {
    "csv": csv,
    "parquet": parquet,
    "model-card": model_card,
    "eval-results": eval_results,
    "model-index": model_index,
    "mlflow": mlflow,
}


def export(folder: RunFolder, to: str, out: str, *, dataset: str | None = None) -> list[str]:
    """Write a finished run in one format and return what was written, as paths or addresses.

    Parameters
    ----------
    folder : a finished run.
    to : a name in `FORMATS`.
    out : a folder (csv, parquet), a file (model-card, eval-results, model-index), or an MLflow
        tracking URI or folder.
    dataset : OWNER/NAME of a benchmark dataset on the Hub; `eval-results` needs one.

    Raises
    ------
    InputError
        An unknown format, an unfinished or changed run, a package that is not installed, a
        dataset that is missing or no id of the Hub.
    StoreError
        The place cannot be written.
    """
    if to not in FORMATS:
        raise unknown("format", to, FORMATS)
    run = Finished(folder, seal.checked(folder), folder.read_json(EFFECTS), dataset)
    return FORMATS[to](run, out)
