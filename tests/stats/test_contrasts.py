from __future__ import annotations

import numpy as np
import pytest

from harness.stats import axis_verdict, contrasts, family_size
from harness.stats.contrasts import leave_one_out, verdicts, weights_of


def test_leave_one_out_by_hand() -> None:
    # 3 - mean(1, 2) = 1.5; 1 - mean(3, 2) = -1.5; 2 - mean(3, 1) = 0.
    np.testing.assert_allclose(contrasts([[3.0, 1.0, 2.0]]), [[1.5, -1.5, 0.0]])
    np.testing.assert_allclose(leave_one_out(np.array([[1.0, 4.0]])), [[-3.0, 3.0]])


def test_reference_by_hand() -> None:
    found = contrasts([[3.0, 1.0, 2.0]], contrast="reference", reference=1)
    np.testing.assert_array_equal(found, [[2.0, 0.0, 1.0]])


@pytest.mark.parametrize(("contrast", "reference"), [("leave_one_out", None), ("reference", 3)])
def test_both_are_the_matrix_they_claim(rng, contrast, reference) -> None:
    y = rng.normal(size=(7, 5))
    by_matrix = y @ weights_of(5, contrast, reference).T
    np.testing.assert_allclose(
        contrasts(y, contrast=contrast, reference=reference), by_matrix, atol=1e-14
    )


@pytest.mark.parametrize("options", [{}, {"contrast": "reference", "reference": 0}])
def test_a_missing_cell_takes_its_scenario_out(options) -> None:
    found = contrasts([[1.0, 2.0, np.nan], [1.0, 2.0, 3.0]], **options)
    assert np.isnan(found[0]).all()
    assert not np.isnan(found[1]).any()


def test_scenario_effects_cancel(rng, y) -> None:
    np.testing.assert_allclose(contrasts(y + rng.normal(size=(30, 1))), contrasts(y), atol=1e-12)


def test_family_size() -> None:
    assert [family_size(k) for k in (2, 3, 56)] == [1, 3, 56]
    assert [family_size(k, "reference") for k in (2, 3, 56)] == [1, 2, 55]


@pytest.mark.parametrize(
    ("low", "high", "tost_low", "tost_high", "verdict", "material"),
    [
        (-0.02, 0.02, -0.01, 0.01, "equivalent", False),
        (0.005, 0.02, 0.006, 0.019, "equivalent", False),  # not zero, below the margin
        (0.01, 0.05, 0.02, 0.04, "disparity", False),
        (0.031, 0.05, 0.032, 0.04, "disparity", True),
        (-0.05, -0.031, -0.04, -0.032, "disparity", True),
        (-0.01, 0.05, 0.0, 0.04, "inconclusive", False),
        (0.0, 0.05, 0.001, 0.04, "inconclusive", False),  # touching 0 excludes nothing
        (-0.05, 0.0, -0.04, -0.001, "inconclusive", False),
        (-0.05, 0.05, -0.01, 0.03, "inconclusive", False),  # touching the margin is not inside
        (-0.05, 0.05, -0.03, 0.01, "inconclusive", False),
        (0.03, 0.05, 0.031, 0.04, "disparity", False),  # touching it excludes no part of it
        (-0.05, -0.03, -0.04, -0.031, "disparity", False),
        (np.nan, np.nan, np.nan, np.nan, "inconclusive", False),
    ],
)
def test_the_verdict_rule(low, high, tost_low, tost_high, verdict, material) -> None:
    ends = [np.array([v]) for v in (low, high, tost_low, tost_high)]
    found, flag, reason = verdicts(*ends, 0.03)
    assert (found[0], bool(flag[0])) == (verdict, material)
    assert bool(reason[0]) == (verdict == "inconclusive" or low == 0.005)


def test_axis_verdict() -> None:
    assert axis_verdict(["equivalent", "inconclusive", "disparity"]) == "disparity"
    assert axis_verdict(["equivalent", "inconclusive"]) == "inconclusive"
    assert axis_verdict(["equivalent", "equivalent"]) == "equivalent"
    for wrong in ([], ["fine"], [None]):
        with pytest.raises(ValueError, match="verdicts"):
            axis_verdict(wrong)


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([1.0, 2.0], {}, "shape"),
        ([[[1.0, 2.0]]], {}, "shape"),
        ([[1.0], [2.0]], {}, "at least 2 groups"),
        ([[1.0, np.inf]], {}, "infinite"),
        ([[1.0, 2.0]], {"contrast": "pairs"}, "contrast"),
        ([[1.0, 2.0]], {"contrast": "reference"}, "reference must be a group"),
        ([[1.0, 2.0]], {"contrast": "reference", "reference": 2}, "reference must be a group"),
        ([[1.0, 2.0]], {"contrast": "reference", "reference": -1}, "reference must be a group"),
        ([[1.0, 2.0]], {"reference": 0}, "only used with"),
    ],
)
def test_bad_input(y, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        contrasts(y, **options)
