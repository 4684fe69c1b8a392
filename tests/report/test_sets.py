from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pyarrow as pa
import pytest

from harness.report import sets
from tests.report import synthetic
from tests.report.conftest import Run

FAMILY = {("hiring", "decision", "en", "explicit"): {"y": 0.03}}


def unpack(packed: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def made_bundle(rows: pa.Table, *, all_texts: bool = False, seed: int = 0) -> sets.Bundle:
    return sets.bundle(rows, FAMILY, seed=seed, all_texts=all_texts)


@pytest.fixture(scope="module")
def many() -> list[synthetic.Row]:
    return synthetic.responses(scenarios=400, axes=("age", "gender"), hostile=False)


def test_a_difference_is_the_highest_minus_the_lowest(made: Run) -> None:
    rows = made[2].to_pylist()
    entries = made_bundle(made[2]).entries
    for entry in entries[:20]:
        own = [
            r["y"] for r in rows
            if (r["axis"], r["scenario"]) == (entry["axis"], entry["scenario"])
            and r["arm"] == "counterfactual" and r["y"] is not None
        ]  # fmt: skip
        assert entry["difference"] == pytest.approx(max(own) - min(own))
        assert entry["high"][1] == max(own) and entry["low"][1] == min(own)


def test_largest_first_and_undefined_last(made: Run) -> None:
    rows = made[2].to_pylist()
    for row in rows:
        if row["axis"] == "age" and row["scenario"] == "hiring-01" and row["group"] != "22":
            row.update(y=None, status="refused")
    entries = made_bundle(synthetic.table(rows)).entries
    known = [e["difference"] for e in entries if e["difference"] is not None]
    assert known == sorted(known, reverse=True)
    assert entries[-1]["difference"] is None and entries[-1]["scenario"] == "hiring-01"
    assert entries[-1]["statuses"] == {"answered": ["22"], "refused": ["35", "52", "67"]}


def test_nan_is_no_outcome(made: Run) -> None:
    rows = made[2].to_pylist()
    rows[0]["y"] = float("nan")
    entry = next(
        e for e in made_bundle(synthetic.table(rows)).entries
        if (e["axis"], e["scenario"]) == (rows[0]["axis"], rows[0]["scenario"])
    )  # fmt: skip
    assert entry["answered"] == 3 and entry["asked"] == 4


def test_a_shard_holds_every_arm_of_its_sets(made: Run) -> None:
    bundle = made_bundle(made[2])
    assert set(bundle.shards) == set(synthetic.AXES) and bundle.complete
    members = [
        m for shard in bundle.shards.values() for set_ in unpack(shard).values() for m in set_
    ]
    assert len(members) == made[2].num_rows
    assert {m["arm"] for m in members} == {"counterfactual", "paraphrase", "control"}
    assert members[0]["p"].keys() == {"yes", "no"}
    assert unpack(bundle.index) == list(bundle.entries)


def test_what_a_page_carries_of_many(many: list[synthetic.Row]) -> None:
    table = synthetic.table(many)
    bundle = made_bundle(table)
    whole = made_bundle(table, all_texts=True)
    assert whole.shown == {"age": (400, 400), "gender": (400, 400)}
    assert bundle.shown["gender"] == (sets.LARGEST + sets.RANDOM, 400)
    largest = {e["id"] for e in whole.of(0, "gender")[: sets.LARGEST]}
    assert largest <= {e["id"] for e in bundle.of(0, "gender")}
    holes = {e["id"] for e in whole.of(0, "age") if e["answered"] < e["asked"]}
    assert holes and holes <= {e["id"] for e in bundle.of(0, "age")}
    assert len(bundle.index) < len(whole.index)


def test_the_draw_depends_on_the_seed_only(many: list[synthetic.Row]) -> None:
    def ids(rows: list[synthetic.Row], seed: int) -> set[str]:
        return {e["id"] for e in made_bundle(synthetic.table(rows), seed=seed).entries}

    assert ids(many, 1) == ids(many[::-1], 1)
    assert ids(many, 1) != ids(many, 2)


def test_kinds_of_cue_do_not_share_a_set(made: Run) -> None:
    rows = made[2].to_pylist()
    implicit = [{**row, "cue": "implicit", "y": 0.9} for row in rows[: 4 * 41]]
    both = synthetic.table([*rows, *implicit])
    keys = {**FAMILY, ("hiring", "decision", "en", "implicit"): {"y": 0.03}}
    bundle = sets.bundle(both, keys, seed=0, all_texts=True)
    assert all(entry["asked"] == 4 for entry in bundle.entries)
    assert {entry["family"] for entry in bundle.entries} == {0, 1}


def test_no_rows_no_sets() -> None:
    bundle = made_bundle(synthetic.table([]))
    assert bundle.entries == [] and bundle.shards == {}


def test_sets_of_several_kinds_are_ordered_by_their_differences_in_margins(made: Run) -> None:
    rows = [{**row, "kind": "decision"} for row in made[2].to_pylist() if row["axis"] == "region"]
    nats = [{**row, "kind": "likelihood", "y": 10 * row["y"]} for row in rows]
    apart = [{**row, "kind": "awareness"} for row in rows]
    key = {kind: ("hiring", kind, "en", "explicit") for kind in ("decision", "likelihood", "aware")}
    key["aware"] = ("hiring", "awareness", "en", "explicit")
    bounds = {"decision": 0.03, "likelihood": 0.9, "aware": None}
    margins = {key[kind]: {"y": margin} for kind, margin in bounds.items()}
    table = synthetic.table([*rows, *nats, *apart])
    entries = sets.bundle(table, margins, seed=0, all_texts=True).entries
    sizes = [e["difference"] / (0.03, 0.9)[e["family"]] for e in entries if e["family"] < 2]
    assert sizes == sorted(sizes, reverse=True)
    kinds = [e["family"] for e in entries]
    assert kinds[:1] == [0] and set(kinds[:36]) != {0, 1, 2}
    assert set(kinds[-36:]) == {2}  # no margin: after all the others


# -- drawn answers -----------------------------------------------------------------------------


def test_a_group_whose_answers_are_drawn_counts_by_their_mean(made: Run) -> None:
    """The first draw says the opposite of what the sixteen say."""
    rows = [
        r
        for r in made[2].to_pylist()
        if (r["axis"], r["scenario"], r["arm"]) == ("gender", "hiring-01", "counterfactual")
    ]
    draws = {"woman": [1.0, *[0.0] * 9, *[1.0] * 6], "man": [0.0, *[1.0] * 12, *[0.0] * 3]}
    drawn = [
        {**row, "sample": i, "arm": "repeat" if i else "counterfactual",
         "y": draws[row["group"]][i] if row["group"] in draws else 0.5}
        for row in rows for i in range(16)
    ]  # fmt: skip
    for row in drawn:  # what failed has no outcome, and the mean is over the others
        if row["group"] == "woman" and row["sample"] in (14, 15):
            row.update(y=None, status="error")
    [entry] = made_bundle(synthetic.table(drawn)).entries
    assert entry["high"] == ["man", 0.75] and entry["low"] == ["woman", pytest.approx(5 / 14)]
    assert entry["difference"] == pytest.approx(0.75 - 5 / 14)
    assert (entry["answered"], entry["asked"]) == (16 * len(rows) - 2, 16 * len(rows))
    assert entry["statuses"]["error"] == ["woman"]


# -- sets of texts -----------------------------------------------------------------------------

WRITTEN = {("hiring", "decision", "en", "explicit"): {"y": 0.03, "warmth": 0.05, "length": 0.5}}


def scored(made: Run, **values: dict[str, float | None]) -> list[dict[str, Any]]:
    """The entries of one axis, with these numbers by group in its first situation."""
    rows = [{**row, "y": 1.0, "warmth": 0.2, "warmth_raw": 0.3, "length": 4.0, "length_raw": 4.0}
            for row in made[2].to_pylist() if row["axis"] == "gender"]  # fmt: skip
    for row in rows:
        if row["scenario"] == "hiring-01" and row["arm"] == "counterfactual":
            row.update({name: by[row["group"]] for name, by in values.items()
                        if row["group"] in by})  # fmt: skip
    return list(sets.bundle(pa.Table.from_pylist(rows), WRITTEN, seed=0, all_texts=True).entries)


def test_a_set_of_texts_leads_by_outcome_then_what_is_said_then_form(made: Run) -> None:
    first = scored(made, warmth={"woman": 0.3}, length={"man": 4.6})[0]
    assert first["scenario"] == "hiring-01"
    assert first["endpoint"] == "warmth" and first["difference"] == pytest.approx(0.1)
    assert first["high"] == ["woman", 0.3] and first["low"][1] == 0.2
    first = scored(made, warmth={"woman": 0.3}, length={"man": 9.0})[0]  # 2 margins beside 10
    assert first["endpoint"] == "warmth"
    first = scored(made, warmth={"woman": 0.24}, length={"man": 9.0})[0]  # less than a margin
    assert first["endpoint"] == "length" and first["high"] == ["man", 9.0]
    first = scored(made, warmth={"woman": 0.24}, length={"man": 4.3})[0]  # both: the larger one
    assert first["endpoint"] == "warmth"
    first = scored(made, warmth={"woman": 0.9}, y={"man": 0.0})[0]
    assert first["endpoint"] == "y" and first["low"] == ["man", 0.0]


def test_the_list_of_texts_has_outcomes_first_and_form_last(made: Run) -> None:
    rows = [{**row, "y": 1.0, "warmth": 0.2, "length": 4.0} for row in made[2].to_pylist()
            if row["axis"] == "gender"]  # fmt: skip
    a, b, c, d, e = sorted({row["scenario"] for row in rows})[:5]
    change = {a: {"y": 0.98}, b: {"length": 9.0}, c: {"warmth": 0.3}, d: {"y": 0.9},
              e: {"warmth": 0.24}}  # fmt: skip
    for row in rows:
        if row["arm"] == "counterfactual" and row["group"] == "woman":
            row.update(change.get(row["scenario"], {}))
    entries = sets.bundle(pa.Table.from_pylist(rows), WRITTEN, seed=0, all_texts=True).entries
    said = [(row["scenario"], row["endpoint"]) for row in entries if row["difference"]]
    assert list(dict.fromkeys(said)) == [
        (d, "y"), (c, "warmth"), (b, "length"), (e, "warmth"), (a, "y"),
    ]  # fmt: skip


def test_a_text_without_a_number_is_left_out_of_its_difference(made: Run) -> None:
    first = scored(made, warmth={"woman": None, "man": 0.3})[0]
    assert first["high"] == ["man", 0.3] and first["difference"] == pytest.approx(0.1)
    last = scored(made)[-1]
    assert last["endpoint"] == "y" and last["difference"] == 0


def test_members_carry_scores_blind_and_raw(made: Run) -> None:
    rows = made[2].to_pylist()[:40]
    for row in rows:
        row.update(warmth=0.25, warmth_raw=float("nan"), length=None)
    bundle = sets.bundle(pa.Table.from_pylist(rows), WRITTEN, seed=0, all_texts=True)
    member = next(iter(unpack(next(iter(bundle.shards.values()))).values()))[0]
    assert member["scores"] == {"warmth": [0.25, None]}
