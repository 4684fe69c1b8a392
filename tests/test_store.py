"""The run folder loses nothing, doubles nothing, and never mixes runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from harness import lexicon, probes
from harness.design import Design
from harness.documents import shipped
from harness.errors import InputError, StoreError
from harness.expansion import expand
from harness.nouns import Finish, Response
from harness.responses import Responses, read_log
from harness.store import Log, RunFolder, merge, pending

DESIGN = expand(
    [probes.library(shipped("probes")).probe("quick-decision")],
    lexicon.load(shipped("probes") / "lexicon"),
    {"en": {"age": ["22", "70"]}},
    limit=3,
)
MANIFEST = {
    "schema": 1, "state": "running", "design": {"hash": DESIGN.hash},
    "model": {"fingerprint": "f" * 64}, "policy": {"hash": "p" * 64},
    "suite": {}, "axes": [], "labels": {}, "seed": 0, "seconds": 0.0,
}  # fmt: skip


def response(i: int, **changes) -> Response:
    return Response(
        **{"prompt": DESIGN.prompts[i].id, "finish": Finish.STOP,
           "logprobs": {"yes": -0.1 * (i + 1), "no": -2.0}, **changes}
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.begin(MANIFEST, DESIGN)
    return folder


def test_a_design_comes_back_as_it_was(folder):
    assert folder.design().prompts == DESIGN.prompts
    assert folder.design().hash == DESIGN.hash


def test_the_last_line_of_a_prompt_counts(folder):
    with Log(folder) as log:
        log.append(response(0, text="first"))
        log.append(response(1))
        log.append(response(0, text="second"))
    found = folder.responses()
    assert len(found) == 2
    assert found[DESIGN.prompts[0].id].text == "second"


def test_a_torn_line_is_passed_over_and_the_next_one_stands(folder):
    with Log(folder) as log:
        log.append(response(0))
    path = folder.path / "responses.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    with Log(folder) as log:
        log.append(response(1))
    assert read_log(path)["prompt"].to_pylist() == [p.id for p in DESIGN.prompts[:2]]


def test_every_cut_of_a_log_keeps_all_whole_lines(folder):
    with Log(folder) as log:
        for i in range(3):
            log.append(response(i, text='quotes " and \n lines'))
    path = folder.path / "responses.jsonl"
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        expected = whole[:cut].count(b"\n")
        # a line cut just before its line end is whole too
        assert read_log(path).num_rows in (expected, expected + 1)


def test_compaction_keeps_every_digit(folder):
    answers = [response(i, text=None if i % 2 else "t\ud800x", absent_below=-3.3) for i in range(4)]
    with Log(folder) as log:
        for answer in answers:
            log.append(answer)
    before = folder.responses()
    folder.compact(DESIGN, before, folder.logs())
    assert not folder.logs()
    assert folder.responses() == before
    with Log(folder) as log:  # a retry after compaction
        log.append(response(2, text="again"))
    assert folder.responses()[DESIGN.prompts[2].id].text == "again"


def test_an_unfinished_block_is_pending_whole_or_in_part():
    ids = [prompt.id for prompt in DESIGN.prompts]

    def still(done: Iterable[Response], *, whole: bool = False) -> list[str]:
        return pending(DESIGN, Responses.of(done), whole=whole).table["id"].to_pylist()

    each = [response(i) for i in range(len(ids))]
    assert still(each[:3], whole=True) == ids
    assert still(each[:3]) == ids[3:]
    first = len(next(DESIGN.blocks()))
    assert still(each[: first + 1], whole=True) == ids[first:]
    assert still(each, whole=True) == []
    failed = Response(ids[0], Finish.ERROR, detail="server")
    assert still([*each, failed]) == ids[:1]
    assert still([*each, failed], whole=True) == ids[:first]
    assert still([*each, replace(failed, truncated=True)]) == []  # would be the same again


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"design": {"hash": "0" * 64}}, "another design"),
        ({"model": {"fingerprint": "0" * 64}}, "another model fingerprint"),
        ({"policy": {"hash": "0" * 64}}, "another policy"),
    ],
)
def test_another_run_is_refused(folder, change, said):
    with pytest.raises(StoreError, match=said):
        folder.begin({**MANIFEST, **change}, DESIGN)
    assert folder.manifest() == MANIFEST


def test_a_second_writer_is_refused(folder):
    with Log(folder), pytest.raises(StoreError, match="another process"):
        Log(folder)
    with Log(folder, (1, 2)), Log(folder, (2, 2)):
        pass  # slices have logs of their own


def test_slices_merge_and_conflicts_are_refused(folder, tmp_path):
    other = RunFolder(tmp_path / "other")
    other.begin(MANIFEST, DESIGN)
    with Log(folder, (1, 2)) as log:
        log.append(response(0))
    with Log(other, (2, 2)) as log:
        log.append(response(1))
    merge(folder, [other, folder])
    assert len(folder.responses()) == 2
    merge(folder, [other])  # again: nothing is doubled
    assert sum(read_log(log).num_rows for log in folder.logs()) == 2
    with Log(other, (1, 2)) as log:
        log.append(response(0, text="different"))
    with pytest.raises(StoreError, match=r"answers prompt .* otherwise"):
        merge(folder, [other])
    stranger = RunFolder(tmp_path / "stranger")
    stranger.begin({**MANIFEST, "model": {"fingerprint": "0" * 64}}, DESIGN)
    with pytest.raises(StoreError, match="another model"):
        merge(folder, [stranger])
    with pytest.raises(StoreError, match="another model"):  # and leaves no empty log behind
        merge(other, [folder, stranger])
    assert [log.name for log in other.logs()] == [
        "responses-1-of-2.jsonl", "responses-2-of-2.jsonl",
    ]  # fmt: skip


def test_places_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a file stands where"):
        RunFolder(tmp_path / "file" / "run").begin(MANIFEST, DESIGN)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("precious")
    with pytest.raises(StoreError, match="not empty and not a run folder"):
        RunFolder(tmp_path / "mine").begin(MANIFEST, DESIGN)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.doc"]


def test_a_log_that_another_process_writes_is_not_dropped(folder):
    with Log(folder, (1, 2)) as log:
        log.append(response(0))
        with pytest.raises(StoreError, match="another process is writing"), folder.settled():
            pass
    with folder.settled() as logs, Log(folder, (2, 2)) as late:
        late.append(response(1))  # a slice that began while the others were concluded
        folder.compact(DESIGN, Responses.of([response(0)]), logs)
    assert [path.name for path in folder.logs()] == ["responses-2-of-2.jsonl"]
    assert set(dict(folder.responses())) == {response(0).prompt, response(1).prompt}


def test_the_half_written_design_of_another_slice_is_not_in_the_way(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".design.parquet.17").write_bytes(b"PAR1")
    RunFolder(tmp_path / "run").begin(MANIFEST, DESIGN)
    assert RunFolder(tmp_path / "run").design().hash == DESIGN.hash


def test_a_read_only_folder_is_refused(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="not writable"):
        RunFolder(tmp_path / "run").begin(MANIFEST, DESIGN)


def test_a_full_disk_is_said_and_keeps_what_was_written(folder):
    """A file-size limit stands in for a full disk: the write is cut in the middle of a line."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from harness.responses import Responses, read_log
from harness.store import RunFolder, Log
from harness.nouns import Finish, Response
from harness.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = RunFolder(Path({str(folder.path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with Log(folder) as log:
        for i in range(100):
            log.append(Response(str(i), Finish.STOP, text="x" * 50))
except StoreError as error:
    print(error)
    sys.exit(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "responses.jsonl" in done.stdout
    kept = list(Responses(read_log(folder.path / "responses.jsonl")).values())
    assert [r.prompt for r in kept] == [str(i) for i in range(len(kept))]
    assert kept


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": 99}'])
def test_a_damaged_manifest_is_refused(folder, damage):
    (folder.path / "manifest.json").write_text(damage)
    with pytest.raises(InputError, match="manifest"):
        folder.manifest()


def test_fresh_removes_the_run_and_nothing_else(folder):
    (folder.path / "notes.txt").write_text("mine")
    for i in (1, 2):
        with Log(folder, (i, 2)) as log:
            log.append(response(i))
    folder.discard((2, 2))
    assert [path.name for path in folder.logs()] == ["responses-1-of-2.jsonl"]
    folder.discard()
    assert [p.name for p in folder.path.iterdir()] == ["notes.txt"]


def test_fresh_touches_neither_strangers_nor_a_run_that_is_written(folder, tmp_path):
    site = tmp_path / "webapp"
    site.mkdir()
    for name in ("manifest.json", "report.html"):
        (site / name).write_text("{}")
    with pytest.raises(InputError, match="not a manifest"):
        RunFolder(site).discard()
    assert len(list(site.iterdir())) == 2
    with Log(folder) as log:
        log.append(response(0))
        with pytest.raises(StoreError, match="another process"):
            folder.discard()
    assert len(folder.responses()) == 1


def test_merging_takes_finished_folders_and_growing_ones(folder, tmp_path):
    other = RunFolder(tmp_path / "other")
    other.begin(MANIFEST, DESIGN)
    with Log(other, (2, 2)) as log:
        log.append(response(1))
    merge(folder, [other])
    with Log(other, (2, 2)) as log:
        log.append(response(2))
    merge(folder, [other])
    assert len(folder.responses()) == 2
    other.compact(DESIGN, Responses.of(response(i) for i in range(len(DESIGN))), [])
    merge(folder, [other])
    assert len(folder.responses()) == len(DESIGN.prompts)


def test_a_failed_answer_is_replaced_in_a_merge_and_never_replaces(folder, tmp_path):
    other = RunFolder(tmp_path / "other")
    other.begin(MANIFEST, DESIGN)
    failed = Response(DESIGN.prompts[0].id, Finish.ERROR, detail="server")
    with Log(folder) as log:
        log.append(failed)
    with Log(other) as log:
        log.append(response(0))
    merge(folder, [other])
    assert folder.responses()[DESIGN.prompts[0].id] == response(0)
    merge(other, [folder])
    assert other.responses()[DESIGN.prompts[0].id] == response(0)


def test_a_changed_design_is_found_out(folder):
    prompts = [replace(p, favourable="yes") for p in DESIGN.prompts]
    folder.write_table("design.parquet", Design.of(prompts).written())
    with pytest.raises(InputError, match="changed since the run began"):
        folder.design()
    folder.write_table("design.parquet", pa.table({"x": [1]}))
    with pytest.raises(InputError, match="cannot be read"):
        folder.design()


@pytest.mark.parametrize(
    "line",
    [b"null", b"[]", b"3", b'{"prompt": 3, "finish": "stop"}', b'{"prompt": "a"}',
     b'{"prompt": "a", "finish": "weird"}', b'{"prompt": "a", "finish": "stop", "logprobs": 3}'],
)  # fmt: skip
def test_a_line_that_is_no_answer_is_passed_over(folder, line):
    (folder.path / "responses.jsonl").write_bytes(line + b"\n")
    assert folder.responses() == {}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/proc/foo", "/proc/foo: cannot be written: No such file"),
        ("file/run", "file/run: a file stands where a folder is needed"),
        ("file", "file: a file stands where a folder is needed"),
        ("other", "other: not empty and not a run folder; give another --out"),
    ],
)
def test_a_place_that_cannot_hold_a_run_is_refused_and_left_as_it_was(
    tmp_path, monkeypatch, place, said
):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("x")
    Path("other").mkdir()
    (Path("other") / "mine.txt").write_text("x")
    with pytest.raises(StoreError) as caught:
        RunFolder(Path(place)).check_place()
    assert str(caught.value).startswith(said)
    Path("empty").mkdir()
    for good in ("new/run", "other/run", "empty", str(tmp_path / "run")):
        RunFolder(Path(good)).check_place()
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "empty", "file", "mine.txt", "other",
    ]  # fmt: skip
