"""A run in MLflow: parameters, metrics with interval ends, verdict tags, the report.

Needs the extra `mlflow`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import InputError, StoreError
from harness.exports.finished import Finished
from harness.nouns import Record
from harness.report.numbers import defined
from harness.store import EFFECTS, MANIFEST, REPORT

EXPERIMENT = "bias-harness"


def mlflow(run: Finished, out: str) -> list[str]:
    """Log the run to the tracking store `out`, a folder or a URI, and return its address there.

    One experiment `bias-harness`, one MLflow run a fingerprint, design and policy: exporting
    again is refused rather than doubled. MLflow's telemetry is switched off. A folder is MLflow's
    file store, which it calls to be in maintenance mode and lets be used on demand only.

    Raises
    ------
    InputError
        MLflow is not installed, or the run is in the store already.
    StoreError
        The store cannot be reached or written.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    if "://" not in out or out.startswith("file:"):
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise InputError("mlflow is not installed: pip install 'bias-harness[mlflow]'") from error
    uri = out if "://" in out or out.startswith("file:") else Path(out).resolve().as_uri()
    try:
        return [f"{uri}#{_log(MlflowClient(tracking_uri=uri), run)}"]
    except (MlflowException, OSError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(f"{out}: MLflow cannot write there: {said}") from error


def _log(client: Any, run: Finished) -> str:
    """Log everything and end the MLflow run; a half-written one is marked as failed."""
    found = client.get_experiment_by_name(EXPERIMENT)
    experiment = found.experiment_id if found else client.create_experiment(EXPERIMENT)
    manifest = run.manifest
    key = "-".join((manifest["model"]["fingerprint"], manifest["design"]["hash"],
                    manifest["policy"]["hash"]))  # fmt: skip
    earlier = client.search_runs([experiment], f"tags.bias_harness_run = '{key}'")
    if any(r.info.status == "FINISHED" for r in earlier):
        raise InputError(f"MLflow holds this run already, as {earlier[0].info.run_id}")
    model = manifest["model"]
    began = client.create_run(
        experiment, run_name=f"{model['name']} {model['version']}", tags=_tags(run, key)
    )
    name, status = began.info.run_id, "FAILED"
    try:
        for parameter, value in _parameters(manifest).items():
            client.log_param(name, parameter, value)
        for metric, number in _metrics(run):
            client.log_metric(name, metric, number)
        for file in (REPORT, EFFECTS, MANIFEST):
            if (run.folder.path / file).exists():
                client.log_artifact(name, str(run.folder.path / file))
        status = "FINISHED"
    finally:
        client.set_terminated(name, status)
    return str(name)


def _parameters(manifest: Record) -> Record:
    model, policy = manifest["model"], manifest["policy"]
    return {
        "model": model["name"], "family": model["family"], "version": model["version"],
        "fingerprint": model["fingerprint"], "suite": manifest["suite"]["name"],
        "suite_version": manifest["suite"]["version"], "design": manifest["design"]["hash"],
        "prompts": manifest["design"]["prompts"], "policy": policy["hash"],
        "alpha": policy["alpha"], "harness_version": manifest["harness_version"],
    }  # fmt: skip


def _tags(run: Finished, key: str) -> dict[str, str]:
    """The verdict of every axis, and of the whole: the first of disparity, inconclusive."""
    verdicts = [axis["verdict"] for axis in run.results["axes"]]
    whole = next((v for v in ("disparity", "inconclusive") if v in verdicts), "equivalent")
    tags = {"bias_harness_run": key, "verdict": whole if verdicts else "inconclusive"}
    for axis in run.results["axes"]:
        tags[_name("axis_verdict", run.family(axis), axis["axis"])] = axis["verdict"]
    return tags


def _metrics(run: Finished) -> Iterator[tuple[str, float]]:
    """Effects with both ends of their interval, and what they rest on; none that is undefined."""
    for effect in run.results["effects"]:
        if not defined(effect["low"]):
            continue
        for key in ("estimate", "low", "high"):
            yield (
                _name("effect", run.family(effect), effect["axis"], effect["group"], key),
                effect[key],
            )
    for axis in run.results["axes"]:
        yield _name("coverage", run.family(axis), axis["axis"]), axis["coverage"]
        yield _name("scenarios", run.family(axis), axis["axis"]), float(axis["n_scenarios"])
        if axis["floor"]:
            yield _name("floor", run.family(axis), axis["axis"]), axis["floor"]["mean"]


def _name(*parts: str) -> str:
    """A name of letters, digits and what else MLflow allows."""
    return "/".join(re.sub(r"[^A-Za-z0-9_. -]", "_", part) for part in parts)
