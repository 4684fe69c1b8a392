"""What may be shown of an axis."""

from __future__ import annotations

from harness.nouns import counted, largest_shown, visible

LARGEST = {"group": "woman", "estimate": -0.2, "low": -0.3, "high": -0.1}


def test_the_largest_effect_is_shown_with_its_interval_or_not_at_all():
    assert largest_shown({"largest": LARGEST}) == LARGEST
    assert largest_shown({"largest": {**LARGEST, "low": None, "high": None}}) is None
    assert largest_shown({"largest": None}) is None


def test_no_group_leads_where_all_are_level():
    level = {**LARGEST, "estimate": 0.0, "low": -0.1, "high": 0.1}
    assert largest_shown({"largest": level}) == {**level, "group": None}


def test_marks_that_a_terminal_obeys_are_shown_and_line_ends_are_kept():
    assert visible("a\u202eb\x1b[2J\x00\n\tc") == "a\ufffdb\ufffd[2J\ufffd\n\tc"
    assert visible("שלום, 回答") == "שלום, 回答"


def test_one_thing_is_no_plural():
    assert counted("Inconclusive on 1 of 1 axes") == "Inconclusive on 1 of 1 axis"
    assert counted("about 1 more scenarios are needed") == "about 1 more scenario is needed"
    same = "1 of 36 scenarios, 11 texts, 0.1 pairs, 21 more scenarios are needed"
    assert counted(same) == same
