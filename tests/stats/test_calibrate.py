from __future__ import annotations

import numpy as np
import pytest

from harness.stats import calibrate, contrasts, group_effects


def study(
    rng, labelled: int = 30, error: float = 0.02
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = rng.normal(0.5, 0.1, (200, 1)) + rng.normal(0, 0.05, (200, 3))
    scores = truth + rng.normal(0, error, truth.shape)
    scores[:, 1] += 0.05  # the judge favours group 1
    labels = np.full(truth.shape, np.nan)
    labels[:labelled] = truth[:labelled]
    return scores, labels, truth


def test_the_formula(rng) -> None:
    scores, labels, _ = study(rng)
    found = calibrate(scores, labels)
    f, y = contrasts(scores), contrasts(labels[:30])
    for k in range(3):
        lam = np.cov(y[:, k], f[:30, k])[0, 1] / (f[:, k].var(ddof=1) * (1 + 30 / 170))
        lam = np.clip(lam, 0, 1)
        rest = y[:, k] - lam * f[:30, k]
        error = np.sqrt(lam**2 * f[30:, k].var(ddof=1) / 170 + rest.var(ddof=1) / 30)
        assert found.lam[k] == pytest.approx(lam)
        assert found.estimate[k] == pytest.approx(lam * f[30:, k].mean() + rest.mean())
        assert found.standard_error[k] == pytest.approx(error)
    assert (found.n_labelled, found.n_unlabelled, found.n_left_out) == (30, 170, 0)


def test_a_biased_judge_is_put_right_and_named(rng) -> None:
    scores, labels, truth = study(rng)
    found = calibrate(scores, labels, margin=0.03)
    judge = group_effects(scores, margin=0.03)
    right = group_effects(truth, margin=0.03)
    assert judge.verdict[1] == "disparity"
    assert found.verdict[1] != "disparity"
    np.testing.assert_allclose(found.estimate, right.estimate, atol=0.01)
    assert found.rectifier[1] == pytest.approx(-0.05, abs=0.01)
    assert found.differential[1] == pytest.approx(-0.05, abs=0.01)
    assert found.differential_p[1] < 0.001


def test_a_useless_judge_leaves_the_labels(rng) -> None:
    _, labels, _ = study(rng)
    scores = rng.normal(0, 1e-3, (200, 3))
    scores[:, 0] = -np.nan_to_num(labels[:, 0])  # against the labels: cut to no trust at all
    found, alone = calibrate(scores, labels), group_effects(labels, margin=0.03)
    assert found.lam[0] == 0
    assert found.low[0] == pytest.approx(alone.low[0])


def test_everything_labelled_is_the_plain_test(rng) -> None:
    scores, _, truth = study(rng)
    found, plain = calibrate(scores, truth, margin=0.03), group_effects(truth, margin=0.03)
    np.testing.assert_allclose(found.low, plain.low)
    assert found.verdict.tolist() == plain.verdict.tolist()
    assert found.lam.tolist() == [0, 0, 0]


def test_equal_inclusion_is_none(rng) -> None:
    scores, labels, _ = study(rng)
    one, two = calibrate(scores, labels), calibrate(scores, labels, inclusion=np.full(200, 0.15))
    np.testing.assert_allclose(one.low, two.low)


def test_unequal_inclusion_weighs_both_sets(rng) -> None:
    scores, labels, _ = study(rng, 60)
    pi = rng.uniform(0.1, 0.6, 200)
    found = calibrate(scores, labels, inclusion=pi)
    f, y = contrasts(scores)[:, 0], contrasts(labels[:60])[:, 0]
    w, u = 1 / pi[:60], 1 / (1 - pi[60:])
    effective = (w.sum() ** 2 / (w**2).sum()) / (u.sum() ** 2 / (u**2).sum())
    away_y, away_f = (v - np.average(v, weights=w) for v in (y, f[:60]))
    covariance = np.average(away_y * away_f, weights=w)
    lam = np.clip(covariance * 60 / 59 / (f.var(ddof=1) * (1 + effective)), 0, 1)

    def mean_and_variance(v: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
        mean, n = np.average(v, weights=weight), len(v)
        return mean, (weight**2 * (v - mean) ** 2).sum() / weight.sum() ** 2 * n / (n - 1)

    mean_u, var_u = mean_and_variance(f[60:], u)
    rest, var_l = mean_and_variance(y - lam * f[:60], w)
    assert found.lam[0] == pytest.approx(lam)
    assert found.estimate[0] == pytest.approx(lam * mean_u + rest)
    assert found.standard_error[0] == pytest.approx(np.sqrt(lam**2 * var_u + var_l))


def test_partial_labels_and_missing_scores_are_left_out(rng) -> None:
    scores, labels, _ = study(rng)
    labels[0, 1], labels[150, 0], scores[199, 2] = np.nan, 0.5, np.nan
    found = calibrate(scores, labels)
    assert (found.n_labelled, found.n_unlabelled, found.n_left_out) == (29, 168, 3)


def test_order_does_not_matter(rng) -> None:
    scores, labels, _ = study(rng)
    rows = rng.permutation(200)
    one, two = calibrate(scores, labels), calibrate(scores[rows][:, ::-1], labels[rows][:, ::-1])
    np.testing.assert_allclose(one.low, two.low[::-1])


@pytest.mark.parametrize("labelled", [0, 1, 5])
def test_few_labels_decide_nothing(rng, labelled) -> None:
    scores, labels, _ = study(rng, labelled)
    found = calibrate(scores, labels, margin=0.03)
    assert found.verdict.tolist() == ["inconclusive"] * 3
    assert np.isnan(found.low).all()
    assert "at least 6" in found.reason[0]
    assert found.n_labelled == labelled
    assert np.isfinite(calibrate(scores, study(rng, 6)[1]).low).all()


def test_constant_labels_and_scores_are_inconclusive() -> None:
    labels = np.full((40, 2), np.nan)
    labels[:10] = 0.5
    found = calibrate(np.full((40, 2), 0.5), labels, margin=0.03)
    assert found.verdict.tolist() == ["inconclusive"] * 2
    assert "zero variance" in found.reason[0]
    assert found.agreement.alpha is None


def test_without_a_margin_there_is_no_verdict(rng) -> None:
    scores, labels, _ = study(rng)
    found = calibrate(scores, labels)
    assert (found.verdict, found.material) == (None, None)


@pytest.mark.parametrize(
    "options",
    [
        {"labels": np.ones((199, 3))},
        {"margin": 0},
        {"alpha": 0},
        {"inclusion": np.full(200, 1.0)},
        {"inclusion": np.full(199, 0.5)},
        {"contrast": "reference", "reference": 7},
        {"level": "ordinal"},
    ],
)
def test_bad_input(rng, options) -> None:
    scores, labels, _ = study(rng)
    with pytest.raises(ValueError, match=r"shape|margin|alpha|inclusion|reference|level"):
        calibrate(scores, **{"labels": labels, **options})
