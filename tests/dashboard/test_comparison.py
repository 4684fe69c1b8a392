from __future__ import annotations

import base64
import copy
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness import compare
from harness.dashboard import comparison
from harness.nouns import Record
from harness.report.numbers import interval, signed
from harness.store import RunFolder
from tests.dashboard.conftest import NEW, OLD
from tests.report.test_page import tree


@pytest.fixture(scope="module")
def pairs(place: Path) -> dict[tuple[str, str], Record]:
    versions = ("1.0", "1.1", "2.0")
    sides = {v: compare.load(RunFolder(place / f"runs/toy-{v}")) for v in versions}
    return {(a, b): compare.pair(sides[a], sides[b])
            for a, b in (("1.0", "1.1"), ("1.1", "2.0"), ("1.0", "2.0"))}  # fmt: skip


def unpack(html: str, name: str) -> Any:
    raw = tree(html).raw[name]
    return json.loads(gzip.decompress(base64.b64decode(raw)))


def test_every_verdict_of_a_change_is_glyph_and_word(pairs: dict[tuple[str, str], Record]) -> None:
    said = {"worse": "变差", "better": "改善", "unchanged": "不变"}
    for pair, verdict in ((pairs["1.0", "1.1"], "worse"), (pairs["1.1", "2.0"], "better"),
                          (pairs["1.0", "2.0"], "unchanged")):  # fmt: skip
        assert pair["verdict"] == verdict
        html = comparison.render(pair)
        start = rf'<span class="judged {verdict}"><svg class="glyph {verdict}"'
        shown = re.findall(start + r".*?</svg> (.*?)</span></span>", html)
        assert shown and all(verdict in text and said[verdict] in text for text in shown)
        heading = re.findall(r'overview-headline"><span class="en" lang="en">([^<]*)', html)[0]
        assert f": {verdict}" in heading and "age" in heading


def test_every_change_has_its_interval_and_both_effects(
    pairs: dict[tuple[str, str], Record],
) -> None:
    pair = pairs["1.0", "1.1"]
    html = comparison.render(pair)
    rows = re.findall(r'<tr role="row">.*?</tr>', html, re.S)
    for e in pair["effects"]:
        row = next(r for r in rows if f"""class="head" data-csv='["{e["group"]}"]'""" in r)
        for record in (e, e["old"], e["new"]):
            text = f"<b>{signed(record['estimate'])}</b> {interval(record['low'], record['high'])}"
            assert text in row
        assert f'judged {e["verdict"]}"' in row
        way = round(e["estimate"], 3)
        said = "higher than before" if way > 0 else "lower than before" if way < 0 else "as before"
        assert said in row


def test_the_sets_that_changed_most_come_first(pairs: dict[tuple[str, str], Record]) -> None:
    html = comparison.render(pairs["1.0", "1.1"])
    entries = unpack(html, "index")
    sizes = [abs(e["change"]) for e in entries]  # one d for both axes
    assert sizes == sorted(sizes, reverse=True) and len(entries) == 20
    assert entries[0]["axis"] == "age" and entries[0]["high"][0] == "70"
    cells = unpack(html, "age")[entries[0]["id"]]
    assert [c["group"] for c in cells] == ["22", "35", "52", "70"]


def test_units_of_d_order_sets_of_several_kinds(pairs: dict[tuple[str, str], Record]) -> None:
    pair = copy.deepcopy(pairs["1.0", "1.1"])
    for part in ("axes", "effects", "sets"):
        for row in [r for r in pair[part] if r["axis"] == "gender"]:
            row.update(kind="likelihood", probe="likelihood")
            if "d" in row:
                row["d"] = 1e-6
    entries = unpack(comparison.render(pair), "index")
    assert {e["axis"] for e in entries[:10]} == {"gender"}


def test_answers_are_only_in_the_packed_texts(pairs: dict[tuple[str, str], Record]) -> None:
    html = comparison.render(pairs["1.1", "2.0"])
    assert "window.hacked" not in html
    cells = next(iter(unpack(html, "age").values()))
    assert {(c["old"]["answer"], c["new"]["answer"]) for c in cells} == {(OLD, NEW)}


def test_undefined_changes_and_rules_after_the_data_are_said(
    pairs: dict[tuple[str, str], Record],
) -> None:
    pair = copy.deepcopy(pairs["1.0", "1.1"])
    pair["policy"]["chosen_after_data"] = True
    pair["left_out"] = ["toy (en, explicit), age: 3 of 12 scenarios left out"]
    for row in pair["effects"]:
        row.update(estimate=None, low=None, high=None, tost_low=None, tost_high=None, old=None,
                   verdict="inconclusive", reason="no scores at all", bounds=None)  # fmt: skip
    for axis in pair["axes"]:
        axis.update(verdict="inconclusive", largest=None, reason="no scores at all",
                    old_verdict=None, claim="Undecided: no scores at all.")  # fmt: skip
    pair["sets"] = []
    html = comparison.render(pair)
    text = " ".join(tree(html).text)
    assert "This policy was chosen after the data." in text and "3 of 12 scenarios" in text
    assert "not measured: no scores at all" in text and "没有任何得分" in text
    assert "None" not in text.replace("None of", "")
    assert "No situation changed" in text


def test_numbers_have_a_true_minus_and_no_negative_zero(
    pairs: dict[tuple[str, str], Record],
) -> None:
    for pair in pairs.values():
        text = " ".join(tree(comparison.render(pair)).text)
        assert not re.search(r"(?<![\w/.-])-\d", text)
        assert not re.search(r"\u22120\.0+(?!\d)", text)
