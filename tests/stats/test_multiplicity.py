from __future__ import annotations

import numpy as np
import pytest

from harness.stats import benjamini_hochberg, benjamini_yekutieli, holm

EVERY = [holm, benjamini_hochberg, benjamini_yekutieli]


def test_by_hand() -> None:
    # Holm: .01 x 4, .02 x 3, .03 x 2 = .06 (not below its predecessor), .5.
    np.testing.assert_allclose(holm([0.03, 0.01, 0.5, 0.02]), [0.06, 0.04, 0.5, 0.06])
    # BH: .01 x 4, .02 x 4 / 2, .03 x 4 / 3, then the running minimum from above.
    np.testing.assert_allclose(benjamini_hochberg([0.03, 0.01, 0.5, 0.02]), [0.04, 0.04, 0.5, 0.04])
    harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4
    np.testing.assert_allclose(benjamini_yekutieli([0.01, 1, 1, 1])[0], 0.04 * harmonic)


@pytest.mark.parametrize("adjust", EVERY)
def test_order_shape_and_bounds(rng, adjust) -> None:
    p = rng.random(24) ** 2
    order = rng.permutation(24)
    np.testing.assert_allclose(adjust(p)[order], adjust(p[order]))
    np.testing.assert_allclose(adjust(p.reshape(4, 6)).ravel(), adjust(p))
    assert (adjust(p) >= p).all()
    assert (adjust(p) <= 1).all()
    assert (np.diff(adjust(np.sort(p))) >= 0).all()


@pytest.mark.parametrize("adjust", EVERY)
def test_a_test_that_could_not_be_made_still_counts(adjust) -> None:
    found = adjust([0.01, np.nan])
    assert found[0] >= 0.02 or adjust is benjamini_yekutieli
    assert np.isnan(found[1])
    assert adjust([]).size == 0


@pytest.mark.parametrize("adjust", EVERY)
@pytest.mark.parametrize("bad", [[-0.1], [1.1]])
def test_bad_input(adjust, bad) -> None:
    with pytest.raises(ValueError, match="p-values"):
        adjust(bad)
