"""Runs made elsewhere, on another machine or a cluster, taken in after their hashes are checked."""

from __future__ import annotations

from pathlib import Path

from harness import ledger, pipeline, policy, preparing, seal
from harness.store import EFFECTS, RunFolder


def import_run(source: Path, records: Path = ledger.LEDGER) -> tuple[pipeline.Run, Path]:
    """Take in a finished run made elsewhere: check its hashes, copy it here, record it.

    It is copied to its usual place in `results/runs` unless it lies there already; its report is
    written anew. Returns the run and its ledger record.

    Raises
    ------
    InputError
        It is unfinished, lacks a file, was changed or planted, or its place or name is taken.
    """
    folder = RunFolder(source)
    manifest = seal.checked(folder)
    folder.design()  # is what the design hash was taken of
    policy.restore(manifest["policy"], source)
    seal.check_model(folder.path, manifest)
    ledger.check_name(manifest["model"], manifest.get("prompt_format"), records)
    name = ledger.folder_of(ledger.entry(manifest, folder.read_json(EFFECTS), str(source)))
    here = seal.copy(folder, preparing.RUNS / name)
    pipeline.write_report(here)
    return pipeline.Run(here), pipeline.record(here, records)
