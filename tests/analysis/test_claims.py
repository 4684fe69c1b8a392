"""Which group's reason an axis carries, and how numbers read."""

from __future__ import annotations

from harness.analysis.claims import number, refused_apart, share, why_open


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


def rates(**groups):
    return [{"endpoint": "refused", "group": g, "mean": mean, "material": material}
            for g, (mean, material) in groups.items()]  # fmt: skip


def test_a_group_refused_whatever_is_asked_is_named_where_right_endings_cancel():
    apart = rates(man=(0.0, True), woman=(1.0, True), other=(0.4, False))
    assert refused_apart("inconclusive", apart) == {
        "most": "woman", "most_share": 1.0, "least": "man", "least_share": 0.0,
    }  # fmt: skip
    assert refused_apart("equivalent", apart) is not None
    assert refused_apart("disparity", apart) is None  # the outcome says so itself
    assert refused_apart("inconclusive", rates(man=(0.4, False), woman=(0.6, False))) is None
    assert refused_apart("inconclusive", []) is None
