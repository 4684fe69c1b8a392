"""Numbers as a reader sees them: true minus, fixed decimals, never "-0.000".

Every function takes a defined, finite number; what stands where there is none is the
caller's to say (`Words` key `not_measured`), never a 0.
"""

from __future__ import annotations

import math
from typing import TypeGuard

MINUS = "\u2212"
THIN = "\u202f"  # narrow no-break space


def defined(value: float | None) -> TypeGuard[float]:
    """Whether there is a number at all: None, NaN and infinities are undefined."""
    return value is not None and math.isfinite(value)


def plain(value: float, digits: int = 3) -> str:
    """`value` rounded first and signed afterwards, so that -0.0004 reads 0.000."""
    rounded = round(value, digits) + 0.0
    return f"{rounded:,.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 3) -> str:
    """Like `plain`, with a plus before what is positive after rounding."""
    return ("+" if round(value, digits) > 0 else "") + plain(value, digits)


def interval(low: float, high: float, digits: int = 3) -> str:
    return f"[{plain(low, digits)}, {plain(high, digits)}]"


def p_value(p: float) -> str:
    """With its relation: "= 0.034", "< 0.001"."""
    return f"<{THIN}0.001" if p < 0.001 else f"={THIN}{plain(p)}"


def percent(share: float) -> str:
    """A share as per cent with one decimal where it has one; 100 % only when it is all."""
    value = round(100 * share, 1)
    if value == 100 and share < 1:
        return f">{THIN}99.9{THIN}%"
    if value == 0 and share > 0:
        return f"<{THIN}0.1{THIN}%"
    return f"{value:.0f}{THIN}%" if value == int(value) else f"{value:.1f}{THIN}%"


def count(number: int) -> str:
    return f"{number:,}"
