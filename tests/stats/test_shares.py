"""A share and its exact interval, against the beta quantiles that define it."""

from __future__ import annotations

import pytest
from scipy.stats import beta, binom

from harness import stats


@pytest.mark.parametrize(("count", "n"), [(1, 12), (6, 12), (11, 12), (30, 36)])
def test_the_interval_is_that_of_clopper_and_pearson(count, n):
    found = stats.share(count, n, alpha=0.1)
    assert found.estimate == count / n
    assert found.n == n
    assert found.low == pytest.approx(beta.ppf(0.05, count, n - count + 1))
    assert found.high == pytest.approx(beta.ppf(0.95, count + 1, n - count))


def test_extremes_reach_their_end_and_leave_room():
    none, all_ = stats.share(0, 12), stats.share(12, 12)
    assert (none.estimate, none.low) == (0.0, 0.0)
    assert (all_.estimate, all_.high) == (1.0, 1.0)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 12))
    assert all_.low == pytest.approx(0.025 ** (1 / 12))


def test_of_nothing_there_is_no_share():
    assert stats.share(0, 0) == stats.Share(None, None, None, 0)


@pytest.mark.parametrize(("count", "n"), [(-1, 3), (4, 3)])
def test_counts_that_cannot_be_are_refused(count, n):
    with pytest.raises(ValueError, match="between 0 and n"):
        stats.share(count, n)


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
def test_it_covers_at_least_as_often_as_it_says(p):
    n = 24
    covered = sum(binom.pmf(k, n, p) for k in range(n + 1)
                  if stats.share(k, n).low <= p <= stats.share(k, n).high)  # fmt: skip
    assert covered >= 0.95
