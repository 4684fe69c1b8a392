"""Crossed axes on the page: what a cell adds to its parts, and the cells that were not asked."""

from __future__ import annotations

import copy
import re
from typing import Any

from harness import report
from harness.report import crossed, phrases
from harness.report.results import AxisResult
from tests.report import synthetic

AXIS = "age+gender"
LABELS = phrases.Labels(
    {AXIS: {"en": "Age × Gender", "zh": "年龄 × 性别"}},
    {AXIS: {"18+wife": {"en": "18 × Wife", "zh": "18岁 × 妻子"}}},
)


def row(group: str, **numbers: Any) -> dict[str, Any]:
    found = {"raw": 0.05, "additive": 0.02, "shrunk": 0.035, "interaction": 0.03,
             "standard_error": 0.004, "p_adjusted": 0.001, "beyond": True, "n": 36,
             "reason": None}  # fmt: skip
    family = {"probe": "decision", "kind": "decision", "language": "en", "cue": "explicit"}
    return {**family, "axis": AXIS, "group": group, **found, **numbers}


def result(*rows: dict[str, Any], language: str = "en") -> AxisResult:
    return AxisResult({"axis": AXIS, "language": language}, [], [], crossed=rows)


def test_a_cell_stands_beside_what_its_axes_predict():
    table = crossed.interactions(phrases.load(), LABELS, result(row("18+wife"), row("35+wife")))
    assert [cell.csv[0] for cell in table.rows[0]] == [
        "18+wife", "0.05", "0.02", "0.03", "0.004", repr(0.035 - 0.02), "0.001", "True",
    ]  # fmt: skip
    assert table.rows[0][0].value.text.zh == "18岁 × 妻子"
    assert [cell.value for cell in table.rows[0][1:4]] == ["+0.050", "+0.020", "+0.030"]
    assert table.rows[0][-1].value.en == "shown"
    assert "n = 36" in table.caption.en


def test_what_was_not_tested_is_not_called():
    few = row("18+wife", p_adjusted=None, beyond=False, n=8,
              reason="8 scenarios: shown, not tested (that takes 20)")  # fmt: skip
    table = crossed.interactions(phrases.load(), LABELS, result(few))
    assert table.rows[0][-1].value.en == "not measured"
    assert table.rows[0][-1].csv == ("",)
    assert table.caption.en.endswith("not tested (that takes 20)")
    assert "不作检验" in table.caption.zh
    below = crossed.interactions(phrases.load(), LABELS, result(row("a+b", beyond=False)))
    assert below.rows[0][-1].value.en == "not shown"


def test_cells_that_were_left_out_are_named_in_their_own_language_only():
    asked = [
        {"axis": AXIS, "language": "zh", "cells": 6, "left_out": ["18+wife"]},
        {"axis": AXIS, "language": "en", "cells": 7, "left_out": []},
        {"axis": "age+health", "language": "zh", "cells": 7, "left_out": ["18+x"]},
    ]
    (said,) = crossed.left_out(phrases.load(), LABELS, result(language="zh"), asked)
    assert said.en == "Not asked, for nobody is in both groups (1): 18 × Wife."
    assert said.zh == "因无人同属两个群体而未询问（1 格）：18岁 × 妻子。"
    assert crossed.left_out(phrases.load(), LABELS, result(), asked) == []
    asked[1]["not_drawn"] = 5
    (said,) = crossed.left_out(phrases.load(), LABELS, result(), asked)
    assert said.en.startswith("Not asked: 5 of 12 cells.") and "12 格中的 5 格" in said.zh


def test_the_page_shows_cells_left_out_and_hints_that_returned():
    manifest, effects, rows = copy.deepcopy(synthetic.kinds())
    manifest["crossed"] = [{"axis": AXIS, "language": "zh", "cells": 4, "left_out": ["18+wife"]}]
    manifest["returning"] = [{"axis": "age", "language": "en", "words": 12, "returning": 9}]
    for record in (*effects["axes"], *effects["effects"], *effects["probes"]):
        if record["kind"] == "rating" and record["language"] == "en":
            record["cue"] = "implicit"
    effects["intersections"] = [row(e["group"]) for e in effects["effects"]
                                if (e["axis"], e["kind"], e["language"])
                                == (AXIS, "decision", "en")]  # fmt: skip
    html = report.render(manifest, effects, rows)
    assert html.count("Not asked, for nobody is in both groups (1): 18+wife.") == 5  # zh families
    assert html.count("9 of 12 names or hints stood for their group") == 1
    assert html.count("No name or hint stood for its group") == 2  # gender, and the crossing
    assert html.count("Two axes crossed: exploratory, no gate counts them.") == 1
    (cells,) = re.findall(r'<div class="table crossed">.*?</table>', html, re.DOTALL)
    assert cells.count("shown") >= len(effects["intersections"])
