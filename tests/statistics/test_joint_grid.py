"""Many endpoints at once: family-wise error and power of Holm and max-T, false discoveries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats import benjamini_hochberg, benjamini_yekutieli, holm, sign_flip_max_t
from tests.statistics.designs import agrees, full


def endpoints(rng: np.random.Generator, rho: float, shift: float = 0.0) -> np.ndarray:
    """100 scenarios x 20 endpoints with correlation rho, sd .05; the first one is shifted."""
    shared = rng.normal(0, 1, (100, 1))
    c = 0.05 * (np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.normal(0, 1, (100, 20)))
    c[:, 0] += shift
    return c


def holm_p(c: np.ndarray) -> np.ndarray:
    return holm(stats.ttest_1samp(c, 0).pvalue)


@pytest.mark.parametrize("rho", [0.8, full(0.0), full(0.5), full(0.95)])
def test_max_t_holds_the_family_wise_error(rho: float) -> None:
    def false_families(reps: int) -> float:
        rng = np.random.default_rng(410)
        runs = (sign_flip_max_t(endpoints(rng, rho), rng=rng, draws=399) for _ in range(reps))
        return float(np.mean([(r.p_adjusted <= 0.05).any() for r in runs]))

    agrees(false_families, 0.05, 400)


def test_max_t_gains_on_holm_where_endpoints_are_correlated() -> None:
    rng, reps, found = np.random.default_rng(411), 300, np.zeros((2, 2))
    for i, rho in enumerate((0.0, 0.95)):
        for _ in range(reps):
            c = endpoints(rng, rho, shift=0.0155)
            joint = sign_flip_max_t(c, rng=rng, draws=399)
            found[i] += holm_p(c)[0] <= 0.05, joint.p_adjusted[0] <= 0.05
    found /= reps
    assert abs(found[0, 1] - found[0, 0]) < 0.05
    assert found[1, 1] - found[1, 0] > 0.15


def test_sign_flips_survive_unequal_spread_where_label_permutation_does_not() -> None:
    """One group varies three times as much from scenario to scenario; no group differs."""
    from harness.stats import contrasts, shuffle_p

    rng, reps, found = np.random.default_rng(412), 200, np.zeros(2)
    for _ in range(reps):
        y = rng.normal(0, 0.05, (30, 8))
        y[:, 0] *= 3
        flips = sign_flip_max_t(contrasts(y), rng=rng, draws=199)
        found += (
            flips.p_adjusted[0] <= 0.05,
            shuffle_p(y, rng=rng, draws=199)[1][0] <= 0.05,
        )
    assert found[0] / reps < 0.10
    assert found[1] / reps > 0.2


def test_false_discovery_rate() -> None:
    """56 tests, 10 true effects, 100 scenarios: BH holds .05, BY far less, plain p does not."""
    rng, reps = np.random.default_rng(413), 300
    share = {name: [] for name in ("plain", "bh", "by")}
    power = []
    for _ in range(reps):
        c = rng.normal(0, 0.1, (100, 56))
        c[:, :10] += 0.035
        p = stats.ttest_1samp(c, 0).pvalue
        for name, q in (
            ("plain", p),
            ("bh", benjamini_hochberg(p)),
            ("by", benjamini_yekutieli(p)),
        ):
            called = q <= 0.05
            share[name].append(called[10:].sum() / max(1, called.sum()))
        power.append((benjamini_hochberg(p)[:10] <= 0.05).mean())
    assert np.mean(share["plain"]) > 0.12
    assert np.mean(share["bh"]) == pytest.approx(0.05 * 46 / 56, abs=0.012)
    assert np.mean(share["by"]) < 0.02
    assert np.mean(power) > 0.75
