"""Generated text: each distinct prompt is computed once, its samples are decoded together.

Every sample draws from a generator of its own, so that which others are drawn beside it
changes nothing but the rounding of its probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

BESIDE = 32
"""Samples of one prompt decoded together."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One sample to be drawn: the prompt's tokens, its seed, its greatest length."""

    tokens: tuple[int, ...]
    seed: int
    most: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The tokens of one sample, the end token left out; `ended` says whether one came."""

    tokens: tuple[int, ...]
    ended: bool


@dataclass(slots=True)
class _Row:
    """A sample that is being decoded."""

    index: int
    most: int
    generator: torch.Generator
    tokens: list[int]


def generate(
    network: Any, draws: Sequence[Draw], *, temperature: float, top_p: float
) -> Iterator[tuple[int, Drawn]]:
    """For each draw its index and the sample, in any order.

    `temperature` 0 takes the most probable token each time. `top_p` keeps the smallest set of
    tokens that holds this share of the probability. Settings that come with the model's weights
    (penalties, top k) are not used: decoding is what the model's definition says.

    Raises
    ------
    FloatingPointError
        The network's logits are not finite.
    """
    prompts: dict[tuple[int, ...], list[int]] = {}
    for index, draw in enumerate(draws):
        prompts.setdefault(draw.tokens, []).append(index)
    ends = _ends(network)
    for tokens, members in prompts.items():
        for start in range(0, len(members), BESIDE):
            rows = [
                _Row(i, draws[i].most, torch.Generator().manual_seed(draws[i].seed), [])
                for i in members[start : start + BESIDE]
            ]
            yield from _decode(network, tokens, rows, ends, temperature, top_p)


def _decode(
    network: Any,
    tokens: tuple[int, ...],
    rows: list[_Row],
    ends: frozenset[int],
    temperature: float,
    top_p: float,
) -> Iterator[tuple[int, Drawn]]:
    """All samples of one prompt; a row leaves when it ends or is as long as it may be."""
    device = network.device
    with torch.inference_mode():
        first = network(
            torch.tensor([tokens], device=device), use_cache=True, logits_to_keep=1
        )  # fmt: skip
    cache = first.past_key_values
    cache.batch_repeat_interleave(len(rows))
    logits = first.logits[:, -1].expand(len(rows), -1)
    while rows:
        chosen = _choose(logits, rows, temperature, top_p)
        stay = []
        for place, (row, token) in enumerate(zip(rows, chosen, strict=True)):
            if token not in ends:
                row.tokens.append(token)
            if token in ends or len(row.tokens) >= row.most:
                yield row.index, Drawn(tuple(row.tokens), token in ends)
            else:
                stay.append(place)
        if not stay:
            return
        if len(stay) < len(rows):
            cache.batch_select_indices(torch.tensor(stay, device=device))
        rows = [rows[place] for place in stay]
        last = torch.tensor([[row.tokens[-1]] for row in rows], device=device)
        with torch.inference_mode():
            logits = network(last, past_key_values=cache, use_cache=True).logits[:, -1]


def _choose(
    logits: torch.Tensor, rows: Sequence[_Row], temperature: float, top_p: float
) -> list[int]:
    """The next token of every row."""
    scores = logits.float().cpu()
    if not bool(torch.isfinite(scores.max(-1).values).all()):
        raise FloatingPointError("the model's logits are not finite")
    if temperature == 0:
        return [int(token) for token in scores.argmax(-1)]
    chances = (scores / temperature).softmax(-1)
    if top_p < 1:
        chances = _nucleus(chances, top_p)
    return [
        int(torch.multinomial(chance, 1, generator=row.generator))
        for chance, row in zip(chances, rows, strict=True)
    ]


def _nucleus(chances: torch.Tensor, top_p: float) -> torch.Tensor:
    """The most probable tokens up to `top_p` (the one that reaches it included), others 0."""
    ordered, places = chances.sort(-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    return torch.zeros_like(chances).scatter(-1, places, ordered.masked_fill(before >= top_p, 0.0))


def _ends(network: Any) -> frozenset[int]:
    """The tokens that end an answer."""
    ends = network.generation_config.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset(ends if isinstance(ends, list) else [ends])
