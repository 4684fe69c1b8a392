"""Every prompt beside its answer: a row a group, nothing where nothing is known."""

from __future__ import annotations

import math
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from harness import columns, kinds, tables
from harness.design import Design
from harness.kinds import decision
from harness.kinds.parts import letters
from harness.nouns import Finish, Option, Response
from harness.responses import Responses
from tests.kinds.asking import prompt

ONE = prompt("decision", decision.OPTIONS["en"], "yes", groups=("22",), id="one")
SEVERAL = prompt("ranking", letters.options(2), "picked", groups=("22", "70"),
                 members=("70", "22"), id="several")  # fmt: skip
LOST = replace(ONE, id="lost")


def rows(tmp_path, *responses):
    design, said = Design.of([ONE, SEVERAL, LOST]), Responses.of(responses)
    path = tmp_path / "scores.parquet"
    pq.write_table(columns.plain(kinds.score(design, said)), path)
    return tables.answers(design, said, path)


def test_a_prompt_about_several_groups_has_a_row_for_each(tmp_path):
    found = rows(
        tmp_path,
        Response("several", Finish.STOP, logprobs={"A": math.log(0.2), "B": math.log(0.6)}),
        Response("one", Finish.STOP, text="No.", detail="d"),
    ).to_pylist()
    assert [(row["prompt"], row["group"]) for row in found] == [
        ("one", "22"), ("several", "22"), ("several", "70"), ("lost", "22"),
    ]  # fmt: skip
    one, young, old, lost = found
    assert (one["y"], one["answer"], one["detail"], one["status"]) == (0, "No.", "d", "answered")
    assert one["p_A"] is one["mass"] is None
    assert (round(young["y"], 9), round(old["y"], 9)) == (0.75, 0.25)  # "70" stands at A
    assert (round(young["p_A"], 9), round(old["p_B"], 9)) == (0.25, 0.75)  # shares of the 0.8
    assert round(old["mass"], 9) == 0.8
    assert (lost["status"], lost["y"], lost["answer"], lost["p_yes"]) == (None,) * 4
    assert {row["text"] for row in found} == {"?"}
    assert lost["cue_words"] == ["x"]


def test_options_are_shares_that_add_up_to_one_and_their_mass_stands_apart(tmp_path):
    found = rows(
        tmp_path,
        Response("one", Finish.STOP, logprobs={"yes": math.log(0.1), "no": math.log(0.3)}),
        Response("lost", Finish.STOP, logprobs={"yes": math.log(0.01), "no": math.log(0.02)}),
    ).to_pylist()
    one, lost = found[0], found[-1]
    assert [round(one[name], 9) for name in ("p_yes", "p_no", "mass")] == [0.25, 0.75, 0.4]
    assert (lost["status"], lost["p_yes"], lost["p_no"], lost["mass"]) == ("unparsed", *[None] * 3)


def test_whole_continuations_keep_their_own_probabilities(tmp_path):
    options = (Option("statement", ("lazy",)), Option("counter", ("able",)))
    asked = prompt("likelihood", options, "counter", groups=("22",), id="text")
    said = Response("text", Finish.STOP, logprobs={"statement": -20.0, "counter": -21.0})
    design, responses = Design.of([asked]), Responses.of([said])
    path = tmp_path / "scores.parquet"
    pq.write_table(columns.plain(kinds.score(design, responses)), path)
    [row] = tables.answers(design, responses, path).to_pylist()
    assert round(math.log(row["p_statement"]), 6) == -20 and row["statement"] == -20


def test_columns_are_there_without_an_answer(tmp_path):
    found = rows(tmp_path)
    assert found.num_rows == 4
    assert {"y", "mass", "answer", "detail", "p_yes", "p_A"} <= set(found.column_names)
    assert set(found["y"].to_pylist()) == {None}


def test_plain_columns_hold_the_words_themselves(tmp_path):
    found = rows(tmp_path, Response("one", Finish.STOP, text="Yes"))
    plain = columns.plain(found)
    assert plain.to_pylist() == found.to_pylist()
    assert not any(pa.types.is_dictionary(kind) for kind in plain.schema.types)
