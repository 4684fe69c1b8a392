from __future__ import annotations

from typing import Any

import pytest

from harness.report.scale import EDGE, Scale, common


def effect(
    estimate: float | None, half: float | None, margin: float | None = 0.03
) -> dict[str, Any]:
    low = None if estimate is None or half is None else estimate - half
    high = None if estimate is None or half is None else estimate + half
    return {
        "estimate": estimate, "low": low, "high": high, "tost_low": low, "tost_high": high,
        "margin": margin, "verdict": "inconclusive", "bounds": None,
    }  # fmt: skip


def test_zero_is_in_the_middle_and_sides_mirror() -> None:
    scale = Scale(0.1, 0.03)
    assert scale.at(0) == 50
    assert scale.at(0.05) - 50 == pytest.approx(50 - scale.at(-0.05))
    assert scale.at(0.05) > scale.at(0.02)
    assert (scale.at(-9), scale.at(9)) == (EDGE, 100 - EDGE)


def test_a_scale_holds_every_interval_and_the_band() -> None:
    scale = common([effect(0.02, 0.05), effect(-0.01, 0.01)])
    mark = scale.mark(effect(0.02, 0.05))
    assert mark and mark.simultaneous
    assert not mark.simultaneous.cut_left and not mark.simultaneous.cut_right
    assert scale.band and EDGE < scale.band.start < 50 < scale.band.end < 100 - EDGE


def test_a_hopeless_interval_is_cut_and_says_so() -> None:
    scale = common([effect(0.0, 5.0), effect(0.01, 0.01)])
    mark = scale.mark(effect(0.0, 5.0))
    assert mark and mark.simultaneous
    assert mark.simultaneous.cut_left and mark.simultaneous.cut_right
    narrow = scale.mark(effect(0.01, 0.01))
    assert narrow and narrow.simultaneous
    assert narrow.simultaneous.end - narrow.simultaneous.start > 1


@pytest.mark.parametrize(("estimate", "half"), [(None, None), (0.01, None), (float("nan"), 0.1)])
def test_what_is_not_measured_has_no_mark(estimate: float | None, half: float | None) -> None:
    assert Scale(0.1, 0.03).mark(effect(estimate, half)) is None


@pytest.mark.parametrize("limit", [0.0009, 0.011, 0.064, 0.1, 0.35, 1.0, 7.3, 480.0])
def test_ticks_are_few_distinct_and_symmetric(limit: float) -> None:
    ticks = Scale(limit, None).ticks
    assert 3 <= len(ticks) <= 7
    assert len({tick.text for tick in ticks}) == len(ticks)
    assert [t.value for t in ticks] == pytest.approx([-t.value for t in reversed(ticks)])
    assert max(t.value for t in ticks) <= limit * 1.0001


def test_nothing_at_all_still_has_a_scale() -> None:
    assert common([]).limit > 0
    assert common([effect(None, None, None)]).band is None
