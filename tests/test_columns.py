"""Codes for what many rows share, and scores with a row for every prompt and group."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from harness.columns import (
    SHARED,
    Coded,
    coded,
    first_seen,
    joint,
    listed,
    places,
    read_scores,
    scores,
    shared,
    wide,
)
from harness.errors import InputError
from harness.nouns import Score, Status


def test_a_column_is_its_values_by_codes():
    for column in (
        pa.array(["b", "a", None, "b"]),
        pa.chunked_array([["b", "a"], [None, "b"]]),
        pa.chunked_array([["b", "a"], [None, "b"]]).dictionary_encode(),
    ):
        assert coded(column).listed() == ["b", "a", None, "b"]
        assert coded(column).is_in("b", "z").tolist() == [True, False, False, True]
    assert coded(pa.chunked_array([], SHARED)).listed() == []
    assert shared(Coded(np.array([1, 0]), ["a", "b"])).to_pylist() == ["b", "a"]


def test_values_that_no_row_holds_are_left_out():
    column = pa.chunked_array([["x", "y", "z"]]).dictionary_encode().slice(1, 1)
    assert list(coded(column).values) == ["y"]
    assert listed(column) == ["y"]


def test_codes_are_counted_up_from_their_first_appearance():
    first, codes = first_seen(np.array([7, 2, 7, 5, 2]))
    assert (first.tolist(), codes.tolist()) == ([0, 1, 3], [0, 1, 0, 2, 1])
    assert Coded(np.array([2, 0, 2]), ["a", "b", "c"]).in_order().values == ["c", "a"]


def test_combinations_have_a_code_each_however_many_could_be():
    rng = np.random.default_rng(0)
    columns = [Coded(rng.integers(0, 9, 500), range(1 << 20)) for _ in range(6)]
    rows = list(zip(*(c.codes.tolist() for c in columns), strict=True))
    expected = {row: i for i, row in enumerate(dict.fromkeys(rows))}
    assert joint(*columns).tolist() == [expected[row] for row in rows]


def test_ids_are_found_in_any_order():
    ids = pa.chunked_array([["p", "q"], ["r"]])
    assert places(pa.chunked_array([["r", "p", "x"]]), ids).tolist() == [2, 0, -1]
    assert places(ids, ids).tolist() == [0, 1, 2]


def test_scores_by_prompt_and_group_whatever_their_order():
    rows = [
        Score("q", "woman", Status.ANSWERED, "y", 0.25),
        Score("p", "man", Status.REFUSED, "y", None),
        Score("q", "man", Status.ANSWERED, "y", 0.75), Score("x", "man", Status.ANSWERED, "y", 9.0),
        Score("q", "man", Status.ANSWERED, "mass", 0.5),
    ]  # fmt: skip
    ids = pa.chunked_array([["p", "q", "r"]])
    for order in (range(5), (4, 3, 2, 1, 0), (1, 0, 4, 2, 3)):
        found = wide(scores([rows[i] for i in order]), ids)
        keys = list(zip(found.prompt.tolist(), found.group.listed(), strict=True))
        assert sorted(keys) == [(0, "man"), (1, "man"), (1, "woman")]
        assert keys[0] == (0, "man")
        y = dict(zip(keys, found.values["y"].tolist(), strict=True))
        assert (y[1, "man"], y[1, "woman"]) == (0.75, 0.25)
        assert np.isnan(y[0, "man"])
        mass = dict(zip(keys, found.values["mass"].tolist(), strict=True))
        assert mass[1, "man"] == 0.5
        assert np.isnan([mass[0, "man"], mass[1, "woman"]]).all()
        assert found.status.listed()[0] == "refused"
    nobody = wide(scores([]), ids)
    assert len(nobody.prompt) == 0


def test_a_damaged_file_of_scores_is_refused(tmp_path):
    path = tmp_path / "scores.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match="cannot be read"):
        read_scores(path)
