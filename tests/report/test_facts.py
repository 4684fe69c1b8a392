"""What an effect is to be read against says no more than the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness import stats
from harness.analysis import _widest
from harness.report import phrases
from harness.report.facts import Facts

LABELS = phrases.Labels({}, {"gender": {"woman": {"en": "Woman", "zh": "女性"}}})
FACTS = Facts(phrases.load(), LABELS)


def said(y: np.ndarray, noise: float) -> phrases.Both:
    """The sentence on single situations, of two groups' scores."""
    found = stats.heterogeneity(y, margin=0.03, noise=noise)
    rows: list[Any] = [
        {"group": group, "n_scenarios": len(y),
         "scatter": {name: float(getattr(found, name)[k])
                     for name in ("sd", "share_above", "share_below")}}
        for k, group in enumerate(("woman", "man"))
    ]  # fmt: skip
    return FACTS._scatter({"axis": "gender", "scatter": _widest(rows)})


def test_drawing_alone_is_no_difference_in_every_situation() -> None:
    """The mean of ten situations lies beyond the margin by chance: none of them is known to."""
    share = 0.5 + np.array([-0.31, 0, -0.31, 0.19, -0.31, 0.06, 0.13, 0.13, -0.13, -0.25]) / 2
    both = said(np.column_stack([share, np.full(10, 0.5)]), noise=0.25 / 16)
    assert both.en.startswith("Situations scatter no more around the mean effect than chance gives")
    assert "100" not in both.en and "100" not in both.zh
    assert "不超过偶然" in both.zh


def test_opposite_differences_are_counted() -> None:
    share = np.tile([0.9, 0.1], 6)
    both = said(np.column_stack([share, np.full(12, 0.5)]), noise=0.0)
    assert "in 100\u202f% of 12 situations Woman differs" in both.en
    assert "50\u202f% higher, 50\u202f% lower" in both.en
    assert both.en.endswith("lower. Opposite differences cancel in the mean effect.")
    assert both.zh.endswith("抵消。")


def test_a_worst_gap_says_that_it_does_not_decide() -> None:
    gap = {"raw": 0.7, "p_value": 0.0001, "corrected": 0.66, "lower": 0.58, "upper": 0.74,
           "tau": 0.2}  # fmt: skip
    both = FACTS._gap(gap)
    assert "0.580" in both.en and "it does not decide; the verdict rests on" in both.en
    assert "0.580" in both.zh and "不决定结论" in both.zh
    assert "decide" not in FACTS._gap(None).en


@pytest.mark.parametrize(("above", "below"), [(1.0, 0.0), (0.0, 0.25)])
def test_differences_on_one_side_cancel_nothing(above: float, below: float) -> None:
    scatter = {"group": "man", "sd": 0.1, "share_above": above, "share_below": below, "n": 8}
    both = FACTS._scatter({"axis": "gender", "scatter": scatter})
    assert "cancel" not in both.en and both.en.endswith("lower.")
    assert "抵消" not in both.zh and both.zh.endswith("偏低。")


def test_the_group_that_scatters_is_named_not_one_whose_mean_alone_is_beyond() -> None:
    rows: list[Any] = [
        {"group": "man", "n_scenarios": 9,
         "scatter": {"sd": 0.0, "share_above": 1.0, "share_below": 0.0}},
        {"group": "woman", "n_scenarios": 9,
         "scatter": {"sd": 0.1, "share_above": 0.2, "share_below": 0.1}},
    ]  # fmt: skip
    widest = _widest(rows)
    assert widest is not None and widest["group"] == "woman"
