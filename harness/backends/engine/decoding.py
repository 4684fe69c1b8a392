"""Generated text: prompts are computed as trees, their samples decoded side by side.

A prompt is computed once, together with others that share its beginning. Its samples take a
line of a grid (`grid`) and leave it when they end; when a line is empty the next prompt takes
it, so that the matrix products stay full. Settings that come with the model's weights (penalties,
top k) are not used: decoding is what the model's definition says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from harness.backends.engine import attention
from harness.backends.engine.grid import Grid, Kept
from harness.backends.engine.sampling import Draw, Drawn, Row, choose
from harness.backends.engine.tree import Pack, packs

ROWS = 128
"""Samples decoded together: enough for nearly full speed of a matrix product."""
PLACES = 8
"""Samples of one prompt in a line of the grid; more of them take another line."""

Prefill = Callable[[Pack], tuple[list[torch.Tensor], Kept]]
"""Logits at the nodes each member reads, and all keys and values."""


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A computed prompt and the samples that wait for a line."""

    kept: Kept
    path: torch.Tensor
    logits: torch.Tensor
    rows: list[Row]


def generate(
    network: Any, prefill: Prefill, limit: int, draws: Mapping[int, Draw], *,
    temperature: float, top_p: float, rows: int = ROWS,
) -> Iterator[tuple[int, Drawn]]:  # fmt: skip
    """For each draw its key and the sample, in any order; at most `rows` side by side.

    Which rows are computed together follows from the draws, `limit` and `rows` alone.
    """
    ends = end_tokens(network)
    samples: dict[tuple[int, ...], list[int]] = {}
    for i, draw in draws.items():
        samples.setdefault(draw.tokens, []).append(i)
    places = min(rows, PLACES, max(map(len, samples.values()), default=1))
    lines = max(1, min(rows // places, sum(-(-len(s) // places) for s in samples.values())))
    grid = Grid(
        lines, places, max(map(len, samples), default=1), max(d.most for d in draws.values())
    )
    free = list(range(lines))[::-1]
    waiting = _prompts(prefill, limit, samples, draws, places)
    alive: dict[tuple[int, int], Row] = {}
    while True:
        while free and (prompt := next(waiting, None)):
            line = free.pop()
            chosen = choose(
                prompt.logits.expand(len(prompt.rows), -1), prompt.rows, temperature, top_p
            )
            for place, (row, token) in enumerate(zip(prompt.rows, chosen, strict=True)):
                if drawn := row.take(token, ends):
                    yield row.index, drawn
                else:
                    alive[line, place] = row
            if any(seat[0] == line for seat in alive):
                grid.enter(line, prompt.kept, prompt.path)
            else:
                free.append(line)
        if not alive:
            return
        logits = _step(network, grid, alive)
        chosen = choose(logits, list(alive.values()), temperature, top_p)
        for (seat, row), token in zip(list(alive.items()), chosen, strict=True):
            if drawn := row.take(token, ends):
                yield row.index, drawn
                del alive[seat]
                if drawn.failed:
                    grid.clear(*seat)
        held = {line for line, _ in alive}
        free = [line for line in reversed(range(lines)) if line not in held]


def _prompts(
    prefill: Prefill, limit: int, samples: Mapping[tuple[int, ...], list[int]],
    draws: Mapping[int, Draw], places: int,
) -> Iterator[_Prompt]:  # fmt: skip
    """Prompts computed pack after pack, as lines ask for them."""
    prompts = list(samples)
    for pack in packs(prompts, [0] * len(prompts), limit=limit):
        logits, kept = prefill(pack)
        for member, path, last in zip(pack.members, pack.paths, logits, strict=True):
            indices = samples[prompts[member]]
            for start in range(0, len(indices), places):
                rows = [Row.of(i, draws[i]) for i in indices[start : start + places]]
                device = last.device
                yield _Prompt(kept, torch.from_numpy(path).to(device), last, rows)


def _step(network: Any, grid: Grid, alive: Mapping[tuple[int, int], Row]) -> torch.Tensor:
    """Logits after the last token of every row: (rows, vocabulary)."""
    device = network.device
    ages = [len(row.tokens) - 1 for row in alive.values()]
    positions = grid.step(list(alive), ages, device)
    last = torch.tensor([[row.tokens[-1] for row in alive.values()]], device=device)
    with torch.inference_mode(), attention.following(grid):
        logits: torch.Tensor = network(
            last, position_ids=positions[None].to(device), use_cache=False
        ).logits
    return logits[0]


def one_prompt_at_a_time(
    network: Any, draws: Mapping[int, Draw], *, temperature: float, top_p: float, rows: int = ROWS
) -> Iterator[tuple[int, Drawn]]:
    """The same for a network that a tree cannot serve: its own cache, one prompt's samples."""
    samples: dict[tuple[int, ...], deque[int]] = {}
    for i, draw in draws.items():
        samples.setdefault(draw.tokens, deque()).append(i)
    ends = end_tokens(network)
    for tokens, waiting in samples.items():
        while waiting:
            few = [waiting.popleft() for _ in range(min(rows, len(waiting)))]
            started = [Row.of(i, draws[i]) for i in few]
            yield from _decode(network, tokens, started, ends, temperature, top_p)


def _decode(
    network: Any, tokens: tuple[int, ...], rows: list[Row], ends: frozenset[int],
    temperature: float, top_p: float,
) -> Iterator[tuple[int, Drawn]]:  # fmt: skip
    """Samples of one prompt; a row leaves when it ends or is as long as it may be."""
    device = network.device
    with torch.inference_mode():
        first = network(
            torch.tensor([tokens], device=device), use_cache=True, logits_to_keep=1
        )  # fmt: skip
    cache = first.past_key_values
    cache.batch_repeat_interleave(len(rows))
    logits = first.logits[:, -1].expand(len(rows), -1)
    while True:
        stay = []
        chosen = choose(logits, rows, temperature, top_p)
        for place, (row, token) in enumerate(zip(rows, chosen, strict=True)):
            if drawn := row.take(token, ends):
                yield row.index, drawn
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


def end_tokens(network: Any) -> frozenset[int]:
    """The tokens that end an answer."""
    ends = network.generation_config.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset(ends if isinstance(ends, list) else [ends])
