from __future__ import annotations

import numpy as np
import pytest

from harness.stats import compare_versions, group_effects, version_changes


def pair(rng, scenarios: int = 200, own: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    base = rng.normal(0.5, 0.1, (scenarios, 1)) + rng.normal(0, 0.03, (scenarios, 4))
    return base + rng.normal(0, own, base.shape), base + rng.normal(0, own, base.shape)


def test_nothing_changed(rng) -> None:
    found = compare_versions(*pair(rng), d=0.02, margin=0.03)
    assert (found.verdict, found.extra) == ("pass", None)
    assert found.change.tolist() == ["within"] * 4
    assert not found.blocking.any()


def test_the_change_is_the_effect_of_the_difference(rng) -> None:
    old, new = pair(rng)
    found = compare_versions(old, new, d=0.02, margin=0.03)
    plain = group_effects(new - old, margin=0.02)
    np.testing.assert_allclose(found.low, plain.low)
    before, after = (group_effects(y, margin=1).estimate for y in (old, new))
    np.testing.assert_allclose(found.estimate, after - before)


def test_sign_is_new_minus_old(rng) -> None:
    old, new = pair(rng)
    new[:, 1] += 0.04
    found = compare_versions(old, new, d=0.02, margin=0.2)
    assert found.estimate[1] == pytest.approx(0.04, abs=0.01)
    assert (found.verdict, found.change[1]) == ("fail", "worse")
    assert found.blocking.tolist() == [False, True, False, False]
    assert "worse than the old version: group 1" in found.reason


def test_a_disparity_that_shrinks_is_better_not_worse(rng) -> None:
    old, new = pair(rng)
    old[:, 1] += 0.08
    found = compare_versions(old, new, d=0.02, margin=0.03)
    assert found.change.tolist() == ["better"] * 4  # the others' effects shrink by .02 with it
    assert not found.blocking.any()
    assert found.verdict == "inconclusive"  # the change is not within d, and nothing is wrong
    assert "within d: group 0, 1, 2, 3" in found.reason


def test_a_disparity_that_changes_sides_is_worse(rng) -> None:
    old, new = pair(rng)
    old[:, 1] -= 0.03
    new[:, 1] += 0.05
    assert compare_versions(old, new, d=0.02, margin=0.2).change[1] == "worse"


def test_a_material_disparity_fails_even_when_it_is_old(rng) -> None:
    old, new = pair(rng)
    old[:, 2] += 0.2
    new[:, 2] += 0.2
    found = compare_versions(old, new, d=0.02, margin=0.03)
    assert (found.verdict, found.change[2]) == ("fail", "within")
    assert found.blocking[2]
    assert "beyond the margin" in found.reason


def test_identical_versions_are_unchanged(rng) -> None:
    old, _ = pair(rng)
    fair = compare_versions(old, old, d=0.001, margin=0.03)
    assert fair.change.tolist() == ["unchanged"] * 4
    assert fair.verdict == "pass"
    assert fair.reason.startswith("unchanged")
    assert np.isnan(fair.p_value).all()
    unclear = compare_versions(old, old, d=0.001, margin=0.001)
    assert unclear.verdict == "inconclusive"
    unfair = old + np.array([0.2, 0, 0, 0])
    assert compare_versions(unfair, unfair, d=0.1, margin=0.03).verdict == "fail"


def test_a_constant_change_is_not_called_within(rng) -> None:
    old, _ = pair(rng)
    new = old + np.array([0.01, 0, 0, 0])
    found = compare_versions(old, new, d=0.5, margin=0.1)
    assert found.change.tolist() == ["inconclusive"] * 4
    assert found.verdict == "inconclusive"
    assert found.extra is None


def test_too_few_or_missing_scenarios_are_inconclusive(rng) -> None:
    old, new = pair(rng, 5)
    assert compare_versions(old, new, d=0.02, margin=0.03).verdict == "inconclusive"
    assert compare_versions(old, old, d=0.02, margin=0.03).change.tolist() == ["inconclusive"] * 4
    nothing = np.full((20, 4), np.nan)
    found = compare_versions(nothing, nothing, d=0.02, margin=0.03)
    assert (found.verdict, found.n) == ("inconclusive", 0)
    old, new = pair(rng, 20)
    old[:3, 0], new[2:4, 1] = np.nan, np.nan
    assert compare_versions(old, new, d=0.02, margin=0.03).n == 16


def test_only_complete_pairs_of_scenarios_tell_the_change(rng) -> None:
    """A scenario that one version lacks must not make the other version look worse."""
    old, new = pair(rng)
    new[:, 1] += 0.05
    old[:, 1] += 0.06
    new[0, 0] = np.nan
    old[0, 1] = -1000.0
    found = compare_versions(old, new, d=0.004, margin=1.0)
    assert found.n == 199
    assert found.change[1] == "better"


def test_an_open_verdict_says_how_much_is_missing(rng) -> None:
    old, new = pair(rng, 20, own=0.06)
    found = compare_versions(old, new, d=0.02, margin=0.03)
    assert found.verdict == "inconclusive"
    assert found.extra is not None
    assert 10 < found.extra < 10_000


def test_without_a_baseline_only_the_new_version_counts(rng) -> None:
    _, new = pair(rng)
    found = compare_versions(None, new, d=0.02, margin=0.03)
    assert found.verdict == "pass"
    assert np.isnan(found.estimate).all()
    new[:, 0] += 0.2
    assert compare_versions(None, new, d=0.02, margin=0.03).verdict == "fail"


def test_against_a_reference(rng) -> None:
    old, new = pair(rng)
    new[:, 1] += 0.1
    found = compare_versions(old, new, d=0.02, margin=0.5, contrast="reference", reference=0)
    assert found.change[1] == "worse"
    assert found.estimate[0] == 0
    same = compare_versions(old, new - [0, 0.1, 0, 0], d=0.02, margin=0.5,
                            contrast="reference", reference=0)  # fmt: skip
    assert same.verdict == "pass"


def test_bad_input(rng) -> None:
    old, new = pair(rng)
    for args, options in (
        ((old[1:], new), {}),
        ((old, new), {"d": 0}),
        ((old, new), {"margin": -1}),
    ):
        with pytest.raises(ValueError, match=r"same shape|d must|margin"):
            compare_versions(*args, **{"d": 0.02, "margin": 0.03, **options})


def test_changes_alone_are_those_of_the_comparison() -> None:
    rng = np.random.default_rng(3)
    old = rng.normal(0.5, 0.05, (40, 4))
    new = old + rng.normal(0, 0.01, (40, 4))
    new[:, 1] += 0.06
    whole = compare_versions(old, new, d=0.02, margin=0.03)
    effects, change = version_changes(old, new, d=0.02)
    assert change.tolist() == whole.change.tolist()
    assert change[1] == "worse"
    np.testing.assert_array_equal(effects.estimate, whole.estimate)
    np.testing.assert_array_equal(effects.low, whole.low)
    assert (effects.df == 39).all()
