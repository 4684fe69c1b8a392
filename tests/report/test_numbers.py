from __future__ import annotations

import math

import pytest

from harness.report.numbers import MINUS, count, defined, interval, p_value, percent, plain, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "0.000"), (-0.0004, "0.000"), (-0.0, "0.000"), (-0.0206, f"{MINUS}0.021"),
     (0.0206, "+0.021"), (1234.5, "+1,234.500")],
)  # fmt: skip
def test_a_number_is_rounded_before_it_is_signed(value: float, text: str) -> None:
    assert signed(value) == text


def test_no_number_has_a_hyphen_for_a_minus() -> None:
    assert "-" not in plain(-1.5) + signed(-1.5) + interval(-2, -1)
    assert interval(-0.05, 0.0001) == f"[{MINUS}0.050, 0.000]"


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100"), (0.9999, "> 99.9"), (0.92, "92"), (8 / 9, "88.9"), (0.0, "0"), (1e-5, "< 0.1")],
)
def test_a_share_is_whole_only_when_it_is_all(share: float, text: str) -> None:
    assert percent(share).replace("\u202f", " ") == f"{text} %"


def test_a_p_value_carries_its_relation() -> None:
    assert p_value(0.00099).startswith("<")
    assert p_value(0.034).endswith("0.034")
    assert p_value(0.034).startswith("=")


def test_undefined_is_not_a_number() -> None:
    assert not any(map(defined, (None, math.nan, math.inf, -math.inf)))
    assert defined(0.0)
    assert count(12345) == "12,345"
