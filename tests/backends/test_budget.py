"""What one command may send and spend."""

from __future__ import annotations

from typing import Any

import pytest

from harness.backends.bill import bill, tokens
from harness.backends.budget import Budget
from harness.backends.remote import RemoteBackend
from harness.errors import BudgetError, InputError
from harness.models import Prices
from harness.nouns import Finish, Message, Response, Want
from tests.backends.asking import asks, backend
from tests.backends.fake_server import FakeServer, drop, good, slow, status
from tests.backends.test_chat import model

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]

PRICES = {"input": 1000.0, "output": 10000.0}  # a thousandth for a token read, a hundredth written


def spend(server: FakeServer, count: int, keys: dict[str, Any], **limits: Any) -> list[Response]:
    """What came before the budget ended it."""
    asked = RemoteBackend(backend(server, prices=PRICES, **keys).model, **limits)
    kept: list[Response] = []
    with pytest.raises(BudgetError):
        kept.extend(asked.answer([]))
        for got in asked.answer([asks(count, Want.TEXT)]):
            kept.append(got)
    return kept


def test_not_one_request_more_and_what_is_open_is_answered(server: FakeServer) -> None:
    server.act = slow(0.05)
    kept = spend(server, 100, {"concurrency": 8}, max_requests=20)
    assert len(server.seen) == len(kept) == 20
    assert {r.finish for r in kept} == {Finish.STOP}


def test_retries_count_as_requests(server: FakeServer) -> None:
    server.script.extend([good, status(500), status(500), drop])
    kept = spend(server, 100, {"concurrency": 2}, max_requests=10)
    assert len(server.seen) == 10 and len(kept) == 7


def test_all_that_was_sent_is_in_the_account(server: FakeServer) -> None:
    server.act = status(500)
    asked = RemoteBackend(backend(server, concurrency=4).model, max_requests=10)
    with pytest.raises(BudgetError):
        list(asked.answer([asks(50)]))
    usage = asked.facts()["usage"]
    assert usage["requests"] + usage["retries"] == len(server.seen) == 10


@pytest.mark.parametrize("concurrency", [1, 8])
def test_not_more_is_spent_although_many_are_open(server: FakeServer, concurrency: int) -> None:
    server.act = slow(0.01)
    kept = spend(server, 500, {"concurrency": concurrency}, max_cost=1.0)
    spent = sum(r.prompt_tokens * 0.001 + r.completion_tokens * 0.01 for r in kept)
    assert 0.85 < spent <= 1.0  # one answer of eight tokens may cost 0.12


def test_a_request_that_was_lost_counts_as_spent(server: FakeServer) -> None:
    server.script.append(good)
    server.act = drop
    asked = RemoteBackend(backend(server, prices=PRICES, retries=0).model, max_cost=1.0)
    with pytest.raises(BudgetError, match=r"--max-cost 1: .* USD are spent"):
        list(asked.answer([asks(100, Want.TEXT)]))
    assert len(server.seen) < 12
    assert asked.facts()["usage"]["cost"] > 0


def test_a_refused_request_costs_nothing(server: FakeServer) -> None:
    server.script.extend([status(503)] * 9)
    asked = RemoteBackend(backend(server, prices=PRICES, retries=9).model, max_cost=0.5)
    assert len(list(asked.answer([asks(2, Want.TEXT)]))) == 2


def test_cost_needs_prices(server: FakeServer) -> None:
    with pytest.raises(InputError, match="has no prices"):
        RemoteBackend(backend(server).model, max_cost=1.0)


def test_a_budget_waits_for_open_requests_before_it_says_no() -> None:
    budget = Budget(max_cost=1.0, prices=Prices(input=1e6, output=0))
    assert budget.price(1, 0) == 1.0
    assert budget.take(0.8) and not budget.take(0.8)
    budget.settle(0.8, 0.1)
    assert budget.take(0.8)
    budget.settle(0.8, 0.8)
    with pytest.raises(BudgetError, match=r"0\.9 USD are spent"):
        budget.take(0.8)


def test_the_estimate() -> None:
    priced = model(prices=PRICES, reasoning_tokens=100, system_prompt="x" * 40)
    found = bill(priced, asks(10, Want.TEXT))
    assert found["completion_tokens"] == 10 * 108
    each = 10 + 8 + tokens("Case 1. Hire?")
    assert found["prompt_tokens"] == 10 * each
    assert found["cost"] == pytest.approx(10 * (each * 0.001 + 108 * 0.01))
    assert (
        bill(model(), asks(1))["cost"] is None and bill(model(), asks(1))["completion_tokens"] == 1
    )
    sent = [bill(model(), iter(asks(3, want)))["requests"] for want in (Want.SEQUENCE, Want.TEXT)]
    assert sent == [3 * 6, 3]  # one a spelling, one a prompt; what is asked is read once
    assert tokens("是否应该录用他") == 7 and tokens("Should he be hired?") == 5
    assert Message("user", "x").role == "user"
