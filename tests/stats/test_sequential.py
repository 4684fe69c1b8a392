from __future__ import annotations

import numpy as np
import pytest

from harness.stats import betting_e_process, contrasts, declared_looks, group_effects


def test_it_stops_at_the_first_look_that_settles_everything(rng) -> None:
    y = rng.normal(0.5, 0.02, (300, 3))
    found = declared_looks(y, (100, 200, 300), margin=0.03)
    assert (found.look, found.n, found.done) == (1, 100, True)
    plain = group_effects(y[:100], margin=0.03, alpha=0.05 / 3)
    np.testing.assert_array_equal(found.effects.low, plain.low)
    np.testing.assert_array_equal(found.effects.tost_low, plain.tost_low)
    assert found.alpha == pytest.approx(0.05 / 3)


def test_an_open_run_goes_on_to_its_last_look(rng) -> None:
    y = rng.normal(0.5, 0.5, (300, 3))
    assert declared_looks(y, (100, 200, 300), margin=0.001).look == 3
    assert declared_looks(y, (100, 200, 300), margin=0.001).done
    assert declared_looks(y[:100], (100, 200, 300), margin=0.001).look == 1
    early = declared_looks(y[:250], (100, 200, 300), margin=0.001)
    assert (early.look, early.n, early.done) == (2, 200, False)


@pytest.mark.parametrize("ends", [(), (10, 10), (20, 10), (0, 10), (-5,), (400,)])
def test_bad_looks(rng, ends) -> None:
    with pytest.raises(ValueError, match=r"ends must be|first look"):
        declared_looks(rng.normal(size=(300, 2)), ends, margin=0.03)


def test_a_noiseless_effect_takes_as_long_as_the_specification_says() -> None:
    # K = 5, effect .04 in every scenario: the specification has 179 until the threshold of 100.
    found = betting_e_process(np.full((400, 5), 0.04))
    assert found.threshold == pytest.approx(100)
    assert found.crossed_at.tolist() == pytest.approx([179] * 5, abs=15)
    assert found.sign.tolist() == [1] * 5
    assert betting_e_process(np.full((400, 5), -0.04)).sign.tolist() == [-1] * 5


def test_the_process_by_hand() -> None:
    c = np.array([[0.5], [-0.2]])
    # The adaptive bet starts at 0; after .5 it is (.5 / 2) / ((.25 + .25) / 2) = 1, cut to .9.
    bets = [(b, b) for b in (0.25, 0.5, 0.9, -0.25, -0.5, -0.9)] + [(0.0, 0.9)]
    expected = np.mean([(1 + a * 0.5) * (1 - b * 0.2) for a, b in bets])
    found = betting_e_process(c)
    assert found.log_e[0] == pytest.approx(np.log(expected))
    assert (found.crossed_at[0], found.sign[0], bool(found.disparity[0])) == (0, 0, False)
    assert found.threshold == pytest.approx(20)


def test_the_adaptive_bet_follows_both_signs() -> None:
    c = np.array([[-0.3], [-0.1], [-0.2], [0.1]])
    bets = [[b] * 4 for b in (0.25, 0.5, 0.9, -0.25, -0.5, -0.9)]
    own = [0.0]
    for n in (1, 2, 3):
        past = c[:n, 0]
        own.append(float(np.clip(past.sum() / (0.25 + (past**2).sum()), -0.9, 0.9)))
    assert own[1] == pytest.approx(-0.3 / 0.34)
    assert own[3] == -0.9
    expected = np.mean([np.prod(1 + np.array(b) * c[:, 0]) for b in [*bets, own]])
    assert betting_e_process(c).log_e[0] == pytest.approx(np.log(expected))


def test_it_stops_at_the_scenario_that_crosses() -> None:
    c = np.full((200, 2), 0.1)
    first = betting_e_process(c).crossed_at[0]
    assert betting_e_process(c[:first]).log_e[0] >= np.log(20)
    assert betting_e_process(c[: first - 1]).log_e[0] < np.log(20)
    assert not betting_e_process(c[: first - 1]).disparity.any()


def test_a_bet_never_sees_its_own_outcome(rng) -> None:
    c = rng.uniform(-1, 1, (50, 2))
    changed = c.copy()
    changed[30:] = 1.0
    cut, whole = betting_e_process(c[:30]), betting_e_process(changed[:30])
    np.testing.assert_array_equal(cut.log_e, whole.log_e)


def test_the_mean_under_the_null_is_one(rng) -> None:
    runs = [betting_e_process(rng.choice([-0.4, 0.4], (12, 1))).log_e[0] for _ in range(4000)]
    assert np.exp(runs).mean() == pytest.approx(1, abs=0.05)


def test_nothing_yet() -> None:
    found = betting_e_process(np.zeros((0, 3)))
    np.testing.assert_array_equal(found.log_e, 0)
    assert not found.disparity.any()
    assert betting_e_process([[1.0], [-1.0]]).n == 2
    holed = contrasts([[0.1, np.nan], [0.2, 0.1]])
    assert betting_e_process(holed).n == 1


@pytest.mark.parametrize("options", [{"c": [[1.2]]}, {"c": [[0.5]], "alpha": 0}, {"c": [0.5]}])
def test_bad_input(options) -> None:
    with pytest.raises(ValueError, match=r"\[-1, 1\]|alpha|shape"):
        betting_e_process(**options)
