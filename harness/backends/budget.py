"""What one command may send and spend at a server."""

from __future__ import annotations

from harness.errors import BudgetError
from harness.models import Prices


class Budget:
    """Counts requests and money; one that is used up lets nothing more through.

    Before a request is sent the most that it may cost is set aside, so that the limit is kept
    although many are open. What a failed request cost is not told: where the server may have
    worked on it, what was set aside counts as spent.
    """

    def __init__(
        self,
        *,
        max_requests: int | None = None,
        max_cost: float | None = None,
        prices: Prices | None = None,
    ) -> None:
        self.max_requests = max_requests
        self.max_cost = max_cost
        self._prices = prices
        self.requests = 0
        self.cost = 0.0
        self._aside = 0.0
        self._open = 0

    def price(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Cost of these tokens; 0 without prices."""
        if self._prices is None:
            return 0.0
        return (prompt_tokens * self._prices.input + completion_tokens * self._prices.output) / 1e6

    def take(self, most: float) -> bool:
        """Set aside `most` for one more request.

        Returns False where an open request has to end first, for then it may fit.

        Raises
        ------
        BudgetError
            It does not fit any more.
        """
        if self.max_requests is not None and self.requests >= self.max_requests:
            raise BudgetError(f"--max-requests {self.max_requests}: all of them are sent")
        if self.max_cost is not None and self.cost + self._aside + most > self.max_cost:
            if self._open:
                return False
            currency = self._prices.currency if self._prices else ""
            raise BudgetError(
                f"--max-cost {self.max_cost:g}: {self.cost:.4g} {currency} are spent and the next "
                f"request may cost {most:.2g}"
            )
        self.requests += 1
        self._aside += most
        self._open += 1
        return True

    def settle(self, aside: float, cost: float) -> None:
        """A request is over: give back what was set aside, count what it cost."""
        self._open -= 1
        self._aside = max(0.0, self._aside - aside) if self._open else 0.0
        self.cost += cost
