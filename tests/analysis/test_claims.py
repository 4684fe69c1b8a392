"""Which group's reason an axis carries, and how numbers read."""

from __future__ import annotations

from harness.analysis.claims import number, share, why_open


def open_row(group, reason):
    return {"group": group, "reason": reason}


def test_the_reason_of_an_axis_is_that_of_the_group_in_its_line():
    rows = [open_row("woman", "differs in 9"), open_row("man", "differs in 10")]
    assert why_open(rows, "man") == "differs in 10"
    assert why_open(rows, "woman") == "differs in 9"


def test_another_groups_reason_names_the_group_unless_all_have_the_same():
    rows = [open_row("woman", "differs in 9"), open_row("man", "differs in 10")]
    assert why_open(rows, "trans-man") == "group 'woman': differs in 9"
    assert why_open([open_row("woman", "too few")] * 2, "man") == "too few"
    assert why_open([open_row("woman", None)], "woman") is None


def test_numbers_have_a_true_minus_and_a_zero_has_no_sign():
    assert [number(x) for x in (-0.0004, 0.0, -0.012, 0.3)] == [
        "0.000",
        "0.000",
        "−0.012",
        "+0.300",
    ]
    assert share(0.254) == "25 %"
