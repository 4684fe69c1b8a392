"""Our numbers beside those of established packages; each test is skipped where its package is not.

statsmodels is part of the extra `dev`. wildboottest and ppi-python bring numba (200 MB), so they
are the extra `oracles`; a number recorded from them is kept where it says so.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from harness.stats import (
    benjamini_hochberg,
    benjamini_yekutieli,
    calibrate,
    cr2,
    group_effects,
    holm,
    sign_flip_p,
)


def test_group_effect_is_the_random_slope_mixed_model_on_balanced_data() -> None:
    """And the random-intercept model, which peers fit, has a standard error far too small."""
    pytest.importorskip("statsmodels")
    import pandas as pd
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(600)
    scenarios, records = 30, 5
    cell = rng.normal(0.5, 0.2, (scenarios, 1)) + rng.normal(0, 0.08, (scenarios, 2))
    score = cell[:, :, None] + rng.normal(0, 0.05, (scenarios, 2, records))
    table = pd.DataFrame(
        {
            "score": score.ravel(),
            "x": np.tile(np.repeat([0.5, -0.5], records), scenarios),
            "scenario": np.repeat(np.arange(scenarios), 2 * records),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slope = smf.mixedlm("score ~ x", table, groups="scenario", re_formula="~x").fit()
        intercept = smf.mixedlm("score ~ x", table, groups="scenario").fit()
    ours = group_effects(score.mean(axis=2), margin=0.03)
    assert ours.estimate[0] == pytest.approx(slope.params["x"], abs=1e-6)
    assert ours.standard_error[0] == pytest.approx(slope.bse["x"], rel=1e-3)
    assert intercept.bse["x"] < 0.7 * ours.standard_error[0]


def test_cr2_lies_beside_statsmodels_cluster_errors() -> None:
    """CR1 of the same weighted mean: close for many clusters, smaller for few of unequal size."""
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(601)
    for clusters, tolerance in ((400, 0.01), (8, 0.4)):
        sizes = rng.integers(1, 9, clusters)
        means = rng.normal(size=clusters)
        owner = np.repeat(np.arange(clusters), sizes)
        fit = sm.OLS(means[owner], np.ones(len(owner))).fit(
            cov_type="cluster", cov_kwds={"groups": owner}
        )
        mean, error, _ = cr2(means[:, None], sizes)
        assert mean[0] == pytest.approx(fit.params[0])
        assert error[0] == pytest.approx(fit.bse[0], rel=tolerance)


def test_adjusted_p_values_are_those_of_statsmodels() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(602).random(40) ** 3
    for ours, name in (
        (holm, "holm"), (benjamini_hochberg, "fdr_bh"), (benjamini_yekutieli, "fdr_by"),
    ):  # fmt: skip
        np.testing.assert_allclose(ours(p), multitest.multipletests(p, method=name)[1])


def contrast(i: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0.02 * i, 0.06, 40)


# p of wildboottest 0.3.2 (bootstrap_type "11", Rademacher, B = 9999, seed 1) for these contrasts.
RECORDED = (0.870487, 0.092209, 0.006301)


def test_sign_flips_are_the_restricted_wild_cluster_bootstrap_as_recorded() -> None:
    rng = np.random.default_rng(600)
    flips = np.random.default_rng(1)
    for i, recorded in enumerate(RECORDED):
        ours = sign_flip_p(contrast(i, rng), rng=flips, draws=49_999)
        error = np.sqrt(recorded * (1 - recorded) / 9999)
        assert ours == pytest.approx(recorded, abs=4 * error)


def test_sign_flips_are_the_restricted_wild_cluster_bootstrap() -> None:
    module = pytest.importorskip("wildboottest.wildboottest")
    import pandas as pd
    import statsmodels.formula.api as smf

    c = contrast(1, np.random.default_rng(603))
    table = pd.DataFrame(
        {
            "y": np.concatenate([c / 2, -c / 2]),
            "x": np.repeat([0.5, -0.5], 40),
            "s": np.tile(np.arange(40), 2),
        }
    )
    theirs = module.wildboottest(
        smf.ols("y ~ x", data=table), param="x", cluster=table.s, B=9999, seed=1, show=False
    )
    ours = sign_flip_p(c, rng=np.random.default_rng(1), draws=49_999)
    assert ours == pytest.approx(float(theirs["p-value"].iloc[0]), abs=0.02)


def test_cluster_ppi_is_ppi_of_contrasts() -> None:
    """With the contrast of a scenario as one i.i.d. observation, ppi-python must agree."""
    ppi = pytest.importorskip("ppi_py")
    rng = np.random.default_rng(604)
    truth = rng.normal(0, 0.1, (2000, 2))
    scores = truth + rng.normal(0.02, 0.06, truth.shape)
    labels = np.full(truth.shape, np.nan)
    labels[:400] = truth[:400]
    ours = calibrate(scores, labels, alpha=0.1)
    y, f = truth[:400, 0] - truth[:400, 1], scores[:, 0] - scores[:, 1]
    theirs = ppi.ppi_mean_pointestimate(y, f[:400], f[400:])
    low, high = ppi.ppi_mean_ci(y, f[:400], f[400:], alpha=0.1)
    assert ours.estimate[0] == pytest.approx(float(np.squeeze(theirs)), abs=2e-4)
    # Theirs has normal quantiles, ours Student's t with 399 degrees of freedom.
    wider = stats.t.isf(0.05, 399) / stats.norm.isf(0.05)
    assert ours.high[0] - ours.low[0] == pytest.approx(
        wider * (np.squeeze(high) - np.squeeze(low)), rel=0.01
    )
