"""The ledger: a record for every finished run, whose edits are noticed."""

from __future__ import annotations

import orjson
import pytest

from harness import ledger, pipeline, preparing
from harness.backends.planted import Plant
from harness.errors import InputError
from tests.conftest import PlantedBackend
from tests.versions import chance, model, run_of


def records(path=ledger.LEDGER):
    return ledger.read(path)


def test_a_finished_run_adds_one_record_with_its_results(tmp_path):
    run = run_of(tmp_path, "1", chance({"70": -0.08}))
    [record] = records()
    manifest = run.manifest
    assert record["model"] == {"name": "toy-1", "family": "toy", "version": "1", "licence": ""}
    assert record["fingerprint"] == manifest["model"]["fingerprint"]
    assert record["design"] == manifest["design"]["hash"]
    assert record["policy"]["hash"] == manifest["policy"]["hash"]
    assert record["date"] == manifest["finished"]
    [axis] = record["axes"]
    assert (axis["verdict"], axis["largest"]["group"]) == ("disparity", "70")
    assert axis["floor"] == pytest.approx(run.axes[0]["floor"]["mean"], abs=1e-6)
    assert axis["coverage"] == 1.0
    by_group = {row["group"]: row for row in record["effects"]}
    for effect in run.effects:
        kept = by_group[effect["group"]]
        for key in ("estimate", "low", "high"):
            assert kept[key] == pytest.approx(effect[key], abs=1e-6)
        assert kept["verdict"] == effect["verdict"]


def test_a_record_is_text_with_one_line_a_fact(tmp_path):
    run_of(tmp_path, "1")
    [path] = ledger.LEDGER.glob("*.json")
    lines = path.read_text().splitlines()
    assert sum('"group":"70"' in line and '"estimate"' in line for line in lines) == 1
    assert sum(line.startswith('  "date":') for line in lines) == 1
    assert path.stat().st_size < 5000
    assert orjson.loads(path.read_bytes()) == records()[0]


def test_showing_or_concluding_a_run_again_adds_no_second_record(tmp_path):
    run = run_of(tmp_path, "1")
    before = records()
    run_of(tmp_path, "1")
    pipeline.record(run.folder)
    assert records() == before


def test_records_come_in_the_order_of_time(tmp_path):
    for version in ("2", "1"):
        run_of(tmp_path, version)
    dated = [
        {**r, "date": date} for r, date in zip(records(), ("2026-02-01", "2026-01-01"), strict=True)
    ]
    for old, new in zip(records(), dated, strict=True):
        new["hash"] = ledger.content_hash(new)
        (ledger.LEDGER / ledger.name_of(old)).write_bytes(ledger.dumps(new))
    assert [r["date"] for r in records()] == ["2026-01-01", "2026-02-01"]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"disparity"', '"equivalent"'), ('"limit": null', '"limit": 6')],
)
def test_an_edited_record_is_noticed_and_not_overwritten(tmp_path, old, new):
    run = run_of(tmp_path, "1", chance({"70": -0.08}))
    [path] = ledger.LEDGER.glob("*.json")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    edited = path.read_bytes()
    with pytest.raises(InputError, match=r"edited after it was written: its hash does not fit"):
        records()
    with pytest.raises(InputError, match="edited"):
        pipeline.record(run.folder)
    with pytest.raises(InputError, match="edited"):
        run_of(tmp_path, "2")
    assert not (tmp_path / "2").exists()
    assert path.read_bytes() == edited


def test_a_torn_record_or_one_with_conflict_marks_is_named(tmp_path):
    run_of(tmp_path, "1")
    [path] = ledger.LEDGER.glob("*.json")
    for broken in (b"<<<<<<< ours\n" + path.read_bytes(), path.read_bytes()[:-200], b"[]", b"{}"):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"\.json: not a ledger record"):
            records()


def test_two_versions_of_one_name_are_refused_before_anything_is_asked(tmp_path):
    run_of(tmp_path, "1")
    before = records()
    other = PlantedBackend(chance(), identity_={"planted": "something else"})
    with pytest.raises(InputError, match="two versions of one name"):
        pipeline.run(model("1"), out=tmp_path / "other", axes=["age"], backend=other)
    assert not other.asked
    assert not (tmp_path / "other").exists()
    assert records() == before


def test_another_prompt_format_makes_no_other_version_of_a_name(tmp_path, monkeypatch):
    run_of(tmp_path, "1")
    monkeypatch.setattr("harness.models.PROMPT_FORMAT", 3)
    monkeypatch.setattr("harness.preparing.PROMPT_FORMAT", 3)
    run_of(tmp_path / "later", "1")
    assert [record["prompt_format"] for record in records()] == [2, 3]
    assert len({record["fingerprint"] for record in records()}) == 2


def test_unversioned_weights_are_told_apart_by_their_fingerprint(tmp_path):
    for mark in ("a", "b"):
        backend = PlantedBackend(chance(), identity_={"planted": mark})
        pipeline.run(model("unversioned"), out=tmp_path / mark, axes=["age"], backend=backend)
    first, second = (ledger.version_of(record) for record in records())
    assert first != second
    assert first.startswith("unversioned (")


def test_a_planted_control_leaves_no_record(tmp_path):
    run = pipeline.run(
        model("1"), out=tmp_path / "run", axes=["age"], backend=PlantedBackend(chance()),
        plant=Plant("age", "52", 0.05),
    )  # fmt: skip
    assert run.finished
    assert not records()


def test_a_ledger_that_cannot_be_written_costs_no_run(tmp_path):
    said = []

    class Listener(preparing.Silent):
        def say(self, text):
            said.append(text)

    ledger.LEDGER.parent.write_text("a file in the way")
    run = run_of(tmp_path, "1", limit=6, listener=Listener())
    assert run.finished
    assert any("the ledger has no record of it" in text for text in said)
    ledger.LEDGER.parent.unlink()
    pipeline.record(run.folder)
    assert len(records()) == 1


def test_another_policy_or_design_is_another_record(tmp_path):
    run_of(tmp_path / "a", "1")
    run_of(tmp_path / "b", "1", limit=8)
    policy = tmp_path / "strict.yaml"
    policy.write_text(
        "name: strict\nversion: 1\nmargins: {decision: 0.01}\nbase_rate: [0.05, 0.95]\n"
    )
    run_of(tmp_path / "c", "1", policy=policy)
    assert len(records()) == 3
    assert len({(r["design"], r["policy"]["hash"]) for r in records()}) == 3


def test_select_keeps_a_family_and_an_axis_and_names_what_there_is(tmp_path):
    run_of(tmp_path, "1", axes=["age", "gender"])
    run_of(tmp_path, "2", family="other")
    assert [r["model"]["family"] for r in ledger.select(records(), family="other")] == ["other"]
    [only] = ledger.select(records(), axis="gender")
    assert {row["axis"] for row in (*only["axes"], *only["effects"])} == {"gender"}
    with pytest.raises(InputError, match="no model family 'toyy'; it has other, toy"):
        ledger.select(records(), family="toyy")
    with pytest.raises(InputError, match="no axis 'belief'; it has age"):
        ledger.select(records(), family="other", axis="belief")
    assert ledger.select([], family="x") == []
