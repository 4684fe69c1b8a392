"""How many disparities in texts are said to be more than chance."""

from __future__ import annotations

from harness.report import phrases
from harness.report.claims import Claims
from harness.report.discoveries import scored
from harness.report.results import AxisResult, Family

WORDS = phrases.load()
LABELS = phrases.Labels({"age": {"en": "age", "zh": "年龄"}}, {})
KEY = ("generation", "generation", "en", "explicit")


def said(tests: dict[str, float | None]) -> phrases.Both | None:
    rows = [
        {"endpoint": name, "p_adjusted": p, "alpha": 0.05, "group": group,
         "verdict": "disparity" if p is not None and p < 0.05 else "inconclusive"}
        for name, p in tests.items() for group in ("young", "old")
    ]  # fmt: skip
    record = {"axis": "age", "kind": "generation"}
    family = Family(KEY, [AxisResult(record, [], [], scored=rows)], None)
    return scored(WORDS, LABELS, Claims(WORDS, LABELS, 0.95), [family])


def test_disparities_that_chance_brings_about_are_not_left() -> None:
    found = said({"warmth": 0.03, "hedging": 0.04, **{f"own-{i}": 0.5 for i in range(38)}})
    assert found is not None
    assert "of 40 tests 2 show a disparity, where about 2 would by chance alone" in found.en
    assert found.en.endswith("0 are left.")
    assert "40 次检验中有 2 次" in found.zh


def test_what_is_left_is_named_the_clearest_first() -> None:
    found = said({"warmth": 1e-4, "hedging": 1e-6, **{f"own-{i}": 0.5 for i in range(38)}})
    assert found is not None
    assert "2 are left. The clearest: hedging, age (" in found.en
    assert found.en.index("hedging, age") < found.en.index("warmth, age")


def test_nothing_tested_is_nothing_said() -> None:
    assert said({"warmth": None}) is None
