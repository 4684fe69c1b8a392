"""Which rule an outcome falls under, and what drawing answers adds to its scatter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.cells import Cells, cells
from harness.analysis.events import answered, effects_of, few_events, sampling_noise
from harness.kinds import decision
from harness.nouns import Status
from tests.analysis.test_awareness import answers
from tests.analysis.worth import worth
from tests.kinds.asking import prompt


def drawn(rates, scenarios: int = 30, samples: int = 8) -> Cells:
    """Counts of yes of `samples` answers a cell, with these chances."""
    yes = np.random.default_rng(5).binomial(samples, rates, (scenarios, len(rates)))
    full = np.full(yes.shape, float(samples))
    return Cells(
        tuple(map(str, range(scenarios))), tuple(map(str, range(len(rates)))), yes / samples,
        full, full, {}, binary=True, strata=np.zeros(scenarios, dtype=np.int32),
    )  # fmt: skip


def test_numbers_are_not_under_the_event_rule() -> None:
    few = drawn([0.02, 0.02])
    assert effects_of(few, margin=0.3, alpha=0.05).verdict.tolist() == ["inconclusive"] * 2
    number = effects_of(replace(few, binary=False), margin=0.3, alpha=0.05)
    assert number.verdict.tolist() == ["equivalent"] * 2


def test_enough_events_are_decided_as_ever() -> None:
    found = effects_of(drawn([0.5, 0.5, 0.75]), margin=0.1, alpha=0.05)
    assert found.verdict[2] == "disparity"
    assert found.estimate[2] > 0
    assert "exact bounds" not in " ".join(found.reason)


def test_few_events_are_bounded_without_a_distribution() -> None:
    found = effects_of(drawn([0.01, 0.01, 0.01]), margin=0.03, alpha=0.05)
    assert set(found.verdict) == {"inconclusive"}
    assert all(" of 30 scenarios: between " in reason for reason in found.reason)
    assert few_events(drawn([0.01, 0.01, 0.01]))
    assert not few_events(drawn([0.5, 0.5]))
    assert not few_events(replace(drawn([0.01, 0.01]), binary=False))
    signal = effects_of(drawn([0.01, 0.01, 0.12]), margin=0.05, alpha=0.05)
    assert signal.verdict[2] == "inconclusive"
    assert signal.reason[2].startswith("a signal only")


def test_two_halves_that_end_oppositely_do_not_hide_that_events_are_rare() -> None:
    """Half of the requests should be refused and half answered; nearly all are answered."""
    y = np.repeat([[0.0, 0.0], [1.0, 1.0]], 60, axis=0)
    y[:4, 0], y[60:62, 1] = 0.5, 0.5  # six of 480 answers, all in one group's favour
    full = np.full(y.shape, 2.0)
    names = tuple(map(str, range(120)))
    halves = np.repeat([0, 1], 60).astype(np.int32)
    matrix = Cells(names, ("none", "ill"), y, full, full, {}, binary=True, strata=halves)
    found = effects_of(matrix, margin=0.03, alpha=0.05)
    assert set(found.verdict) == {"inconclusive"}
    assert found.low[0] < 0 < found.high[0]
    assert found.estimate[0] == pytest.approx(0.025)
    blind = replace(matrix, strata=np.zeros(120, dtype=np.int32))
    assert effects_of(blind, margin=0.03, alpha=0.05).verdict[0] == "disparity"  # what halves mend
    often = np.random.default_rng(1).binomial(2, [[0.5, 0.75]], (120, 2)) / 2
    shown = effects_of(replace(matrix, mean=often), margin=0.03, alpha=0.05)
    assert shown.verdict[1] == "disparity"


def test_a_scenarios_stratum_is_its_favourable_answer() -> None:
    good = {"b": "yes", "a": "no", "c": "yes"}
    rows = [
        (replace(prompt("decision", decision.OPTIONS["en"], good[s], groups=(g,)), scenario=s),
         g, Status.ANSWERED, {"y": 1.0})
        for s in good for g in ("woman", "man")
    ]  # fmt: skip
    found = cells(worth(rows), "y")
    first, second, third = (found.strata[found.scenarios.index(s)] for s in "bac")
    assert first == third != second


def test_where_names_return_few_events_stay_open() -> None:
    matrix = drawn([0.01, 0.5, 0.5])
    names = np.tile(np.array(list("abcde") * 6, object)[:, None], (1, 3))
    found = effects_of(matrix, margin=0.05, alpha=0.05, names=names)
    assert np.isnan(found.low).all()
    assert "at least 40 are needed" in found.reason[0]
    assert effects_of(matrix, margin=0.05, alpha=0.05).verdict[0] == "disparity"


def test_whether_there_was_an_answer_is_a_yes_or_no_of_all_that_was_asked() -> None:
    matrix = drawn([0.5, 0.5])
    lost = matrix.answered.copy()
    lost[:, 1] -= 2
    share = answered(replace(matrix, answered=lost, binary=False))
    assert share.binary
    np.testing.assert_allclose(share.mean, [[1.0, 0.75]] * 30)
    np.testing.assert_array_equal(share.answered, matrix.asked)
    found = effects_of(share, margin=0.03, alpha=0.05)
    # Always the same difference: no spread to judge it by, but the bounded interval can.
    assert found.verdict[1] == "disparity"
    assert found.high[1] < 0


def test_drawing_answers_adds_scatter_that_is_known() -> None:
    matrix = drawn([0.5, 0.5], scenarios=4000)
    noise = sampling_noise(matrix)
    assert noise.mean() == pytest.approx(0.25 / 8, rel=0.02)
    assert sampling_noise(replace(matrix, binary=False)) == 0.0
    one = replace(matrix, answered=np.ones_like(matrix.answered), mean=np.rint(matrix.mean))
    assert np.isnan(sampling_noise(one)).all()


def test_every_number_decides_whether_an_outcome_is_a_yes_or_no() -> None:
    assert cells(worth(answers((1.0, 0.0, 1.0, 0.0), (1.0,) * 4)), "y").binary
    assert not cells(worth(answers((1.0, 0.3, 1.0, 0.0), (1.0,) * 4)), "y").binary
