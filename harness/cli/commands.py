"""What every command does: call the pipeline, print what came out."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from harness import pipeline, planning, preparing, seal
from harness.cli import forecast, remote, screen
from harness.documents import shipped
from harness.errors import InputError
from harness.models import LocalModel, Model, resolve
from harness.store import REPORT, RunFolder

MOST_PROMPTS = 200_000
"""Prompts of a run that nobody asks for by accident."""


def run(given: argparse.Namespace) -> int:
    model, told = _model(given), screen.Screen()
    options = {
        "model": model,
        "backend": remote.backend(given, model, told.say),
        "suite": given.suite,
        "axes": given.axes,
        "limit": given.limit,
        "policy": given.policy,
        "until_decided": given.until_decided,
        "command": "bias-harness " + shlex.join(sys.argv[1:]),
        "listener": told,
    }
    if given.dry_run:
        plan = preparing.prepare(**options)
        counts = preparing.estimate(plan, given.shard)
        screen.put(counts, forecast.dry_run(counts), as_json=given.json)
        return 0
    found = pipeline.run(
        **options, out=given.out, shard=given.shard, fresh=given.fresh,
        most=None if given.yes else MOST_PROMPTS,
    )  # fmt: skip
    if not found.finished:
        i, n = given.shard
        screen.put(
            {"run": str(found.path), "state": "running", "shard": [i, n]},
            f"slice {i} of {n} is done: {found.path}\n"
            f"when every slice is: bias-harness merge {shlex.quote(str(found.path))}",
            as_json=given.json,
        )
        return 0
    return _shown(found, as_json=given.json)


def merge(given: argparse.Namespace) -> int:
    return _shown(pipeline.merge_runs(given.runs, screen.Screen()), as_json=given.json)


def show(given: argparse.Namespace) -> int:
    return _shown(pipeline.Run(_folder(given.run)), as_json=given.json)


def report(given: argparse.Namespace) -> int:
    folder = _folder(given.run)
    print(pipeline.write_report(folder, all_texts=given.all_texts))
    if given.figure:
        print(pipeline.write_figure(folder, Path(given.figure)))
    return 0


def plan(given: argparse.Namespace) -> int:
    found = planning.plan(given.suite, margin=given.margin, run=given.run)
    screen.put(found, forecast.plan(found), as_json=given.json)
    return 0


def selftest(given: argparse.Namespace) -> int:
    from harness.backends.planted import Plant
    from harness.selftest import DEFAULT_PLANT
    from harness.selftest import selftest as run_controls

    plant = DEFAULT_PLANT
    if given.plant:
        plant = Plant.read(dict(item.partition("=")[::2] for item in given.plant))
    with tempfile.TemporaryDirectory(prefix="bias-harness-") as folder:
        controls = run_controls(
            Path(folder),
            model=given.model or preparing.DEFAULT_MODEL,
            limit=given.limit,
            plant=plant,
            listener=screen.Screen(),
        )
    screen.put([asdict(c) for c in controls], screen.controls(controls), as_json=given.json)
    return 0 if all(control.held for control in controls) else 1


def models_pull(given: argparse.Namespace) -> int:
    from harness.backends import weights

    model = resolve(given.model, shipped("models"))
    if not isinstance(model, LocalModel):
        raise InputError(f"model '{model.name}' is behind a server: there is nothing to fetch")
    print(weights.materialise(model, screen.Screen().say))
    return 0


def _model(given: argparse.Namespace) -> Model:
    """The model that --model names, on the device and in the precision that were asked for."""
    model = resolve(given.model or preparing.DEFAULT_MODEL, shipped("models"))
    chosen = {key: getattr(given, key) for key in ("device", "dtype") if getattr(given, key)}
    if chosen and not isinstance(model, LocalModel):
        raise InputError(f"--{min(chosen)}: model '{model.name}' is behind a server")
    if chosen.get("dtype", getattr(model, "dtype", None)) != getattr(model, "dtype", None):
        chosen["version"] = f"{model.version}-{given.dtype}"  # another precision, another version
    return model.model_copy(update=chosen)


def _folder(path: str) -> RunFolder:
    folder = RunFolder(Path(path))
    if folder.manifest()["state"] == "finished":
        seal.checked(folder)  # a table or page of edited answers would look like any other
    return folder


def _shown(found: pipeline.Run, *, as_json: bool) -> int:
    page = found.path / REPORT
    screen.put(
        {**found.results, "run": str(found.path), "report": str(page)},
        screen.table(found.manifest, found.results, page),
        as_json=as_json,
    )
    return 0
