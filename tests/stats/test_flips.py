from __future__ import annotations

import numpy as np
import pytest

from harness.stats import contrasts, flip_rates


def test_by_hand() -> None:
    labels = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1.0]])
    again = labels.copy()
    again[0, 0] = 0
    found = flip_rates(labels, repeat=again)
    # Two of three pairs differ in scenarios 0 and 3; one of three cells changes in scenario 0.
    assert found.counterfactual == pytest.approx((2 / 3 + 2 / 3) / 6)
    assert found.repeat == pytest.approx((1 / 3) / 6)
    assert found.over_repeat.estimate == pytest.approx((1 / 3 + 2 / 3) / 6)
    assert (found.paraphrase, found.over_paraphrase) == (None, None)
    np.testing.assert_allclose(found.directional, contrasts(labels).mean(axis=0))
    assert found.directional[0] > 0 > found.directional[2]
    assert found.n == 6


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_one_answer_never_flips(value) -> None:
    same = np.full((20, 3), value)
    found = flip_rates(same, repeat=same, paraphrase=same)
    assert (found.counterfactual, found.repeat, found.paraphrase) == (0, 0, 0)
    assert found.over_repeat.p_value is None
    np.testing.assert_array_equal(found.directional, 0)
    assert np.isnan(found.directional_low).all()


def test_only_identity_flips(rng) -> None:
    labels = (rng.random((60, 4)) < 0.5).astype(float)
    found = flip_rates(labels, paraphrase=labels)
    assert found.over_paraphrase.p_value < 1e-6
    assert ((found.directional_low < 0) & (found.directional_high > 0)).all()


def test_nothing_answered_is_none() -> None:
    nothing = np.full((9, 3), np.nan)
    found = flip_rates(nothing, repeat=nothing)
    assert (found.counterfactual, found.repeat, found.n) == (None, None, 0)
    assert found.over_repeat.estimate is None
    assert np.isnan(found.directional).all()


@pytest.mark.parametrize(
    ("labels", "options"),
    [([[0.5, 1]], {}), ([[0, 2]], {}), ([[0, 1]], {"repeat": [[0, 0.5]]}),
     ([[0, 1]], {"paraphrase": [[0, 1, 1]]}), ([[0, 1]], {"alpha": 0})],
)  # fmt: skip
def test_bad_input(labels, options) -> None:
    with pytest.raises(ValueError, match=r"must be 0, 1|shape|alpha"):
        flip_rates(labels, **options)
