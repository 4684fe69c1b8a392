"""The hashes of a finished run: what was edited, torn or swapped shows."""

from __future__ import annotations

import hashlib
import shutil

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from harness import pipeline, seal
from harness.errors import InputError
from harness.store import RunFolder
from tests.versions import run_of


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("runs"), "1", limit=6)


@pytest.fixture
def copy(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "copy")
    return RunFolder(tmp_path / "copy")


def test_the_manifest_holds_the_sha256_of_every_file_that_results_rest_on(run):
    files = run.manifest["files"]
    assert set(files) == {
        "design.parquet", "responses.parquet", "scores.parquet", "effects.json",
    }  # fmt: skip
    for name, digest in files.items():
        assert hashlib.sha256((run.path / name).read_bytes()).hexdigest() == digest
    assert seal.checked(run.folder) == run.manifest


def test_the_report_may_be_written_again(copy):
    pipeline.write_report(copy, all_texts=True)
    seal.checked(copy)


def test_one_changed_byte_is_noticed(copy):
    path = copy.path / "responses.parquet"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"responses\.parquet: changed after"):
        seal.checked(copy)
    seal.checked(copy, ["effects.json"])


def test_edited_answers_are_not_concluded_anew(copy, run):
    table = pq.read_table(copy.path / "responses.parquet")
    edited = table.set_column(
        table.schema.get_field_index("prompt_tokens"), "prompt_tokens",
        pc.add(table["prompt_tokens"], 1).cast(table.schema.field("prompt_tokens").type),
    )  # fmt: skip
    pq.write_table(edited, copy.path / "responses.parquet")
    for folders in ([copy.path], [run.path, copy.path]):
        with pytest.raises(InputError, match=r"responses\.parquet: changed after"):
            pipeline.merge_runs(folders, ledger=None)
    seal.checked(run.folder)


def test_a_run_that_was_stopped_while_it_was_concluded_is_concluded_anew(copy, monkeypatch):
    """The answers are written, their hash is not yet."""
    copy.update({"files": {**copy.manifest()["files"], "responses.parquet": "0" * 64},
                 "state": "running"})  # fmt: skip
    pipeline.merge_runs([copy.path], ledger=None)
    seal.checked(copy)
    monkeypatch.setattr(RunFolder, "compact", stopped)
    with pytest.raises(KeyboardInterrupt):
        pipeline.merge_runs([copy.path], ledger=None)
    assert copy.manifest()["state"] == "running"


def stopped(*_):
    raise KeyboardInterrupt


def test_a_run_of_before_there_were_hashes_is_told_what_to_do_and_that_helps(copy):
    manifest = copy.manifest()
    del manifest["files"]
    copy.write_json("manifest.json", manifest)
    with pytest.raises(InputError, match="conclude the run anew with `bias-harness merge"):
        seal.checked(copy)
    pipeline.merge_runs([copy.path], ledger=None)
    assert seal.checked(copy)["files"].keys() == set(seal.SEALED)


def test_a_copy_is_whole_and_replaces_no_other_run(run, copy, tmp_path):
    there = seal.copy(run.folder, tmp_path / "there")
    assert seal.checked(there) == run.manifest
    assert seal.copy(run.folder, tmp_path / "there").path == there.path
    other = run_of(tmp_path, "2", limit=6)
    with pytest.raises(InputError, match="another run of the same name lies there"):
        seal.copy(other.folder, there.path)
    assert seal.checked(there) == run.manifest
