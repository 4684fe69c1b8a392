"""Samples to be drawn, and the draw of one token for many rows.

Every sample has random numbers of its own, one a token, from its seed alone. A token is where
its number falls in the cumulated probabilities, so that which others are drawn beside it
changes nothing but the rounding of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

TOP = 1024
"""Most probable tokens that are sorted first; nearly always they hold the share of `top_p`."""


def never(_: Sequence[int]) -> bool:
    """No stop string."""
    return False


@dataclass(frozen=True, slots=True)
class Draw:
    """One sample to be drawn: the prompt's tokens, its seed, its greatest length.

    `stopped` is told the tokens so far after each one and says whether they are enough.
    """

    tokens: tuple[int, ...]
    seed: int
    most: int
    stopped: Callable[[Sequence[int]], bool] = never


@dataclass(frozen=True, slots=True)
class Drawn:
    """The tokens of one sample, the end token left out.

    `ended` says whether an end token or a stop string came; `failed` that the logits after
    `tokens` were not finite.
    """

    tokens: tuple[int, ...]
    ended: bool
    failed: bool = False


@dataclass(slots=True)
class Row:
    """A sample that is being decoded."""

    index: int
    draw: Draw
    numbers: list[float]
    tokens: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, index: int, draw: Draw) -> Row:
        source = torch.Generator().manual_seed(draw.seed)
        return cls(
            index, draw, torch.rand(draw.most, generator=source, dtype=torch.double).tolist()
        )

    def take(self, token: int | None, ends: frozenset[int]) -> Drawn | None:
        """Add a token (None: its logits were not finite); what was drawn, where that is all."""
        if token is None:
            return Drawn(tuple(self.tokens), False, failed=True)
        if token in ends:
            return Drawn(tuple(self.tokens), True)
        self.tokens.append(token)
        if self.draw.stopped(self.tokens):
            return Drawn(tuple(self.tokens), True)
        if len(self.tokens) >= self.draw.most:
            return Drawn(tuple(self.tokens), False)
        return None


def choose(
    logits: torch.Tensor, rows: Sequence[Row], temperature: float, top_p: float
) -> list[int | None]:
    """The next token of every row, from logits of shape (rows, vocabulary).

    `temperature` 0 takes the most probable token. `top_p` keeps the smallest set of tokens that
    holds this share of the probability. None where a row's logits are not finite.
    """
    scores = logits.float()
    sound = torch.isfinite(scores.amax(-1)).tolist()
    if temperature == 0:
        tokens = scores.argmax(-1)
    else:
        chances = (scores / temperature).softmax(-1)
        numbers = torch.tensor(
            [row.numbers[len(row.tokens)] for row in rows], dtype=torch.double
        ).to(chances.device)
        tokens = _draw(chances, numbers) if top_p >= 1 else _draw_top(chances, numbers, top_p)
    return [token if ok else None for token, ok in zip(tokens.tolist(), sound, strict=True)]


def _draw(chances: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Where each row's number in [0, 1) falls in its cumulated chances."""
    cumulated = chances.cumsum(-1, dtype=torch.double)
    where = numbers[:, None] * cumulated[:, -1:]
    found = torch.searchsorted(cumulated, where, right=True)[:, 0]
    return found.clamp_(max=chances.shape[-1] - 1)


def _draw_top(chances: torch.Tensor, numbers: torch.Tensor, top_p: float) -> torch.Tensor:
    kept, places = nucleus(chances, top_p)
    return places.gather(-1, _draw(kept, numbers)[:, None])[:, 0]


def nucleus(chances: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The most probable tokens up to `top_p` (the one that reaches it included), others 0.

    Returns the chances from the largest down, and the tokens they belong to; only the first
    `TOP` where these suffice for every row.
    """
    ordered, places = chances.topk(min(TOP, chances.shape[-1]), dim=-1)
    if bool((ordered.sum(-1) < top_p).any()):
        ordered, places = chances.sort(-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    return ordered.masked_fill(before >= top_p, 0.0), places
