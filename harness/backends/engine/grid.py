"""Attention of rows that are decoded together: prompts on one side, their samples on the other.

A grid has a line for each prompt and in it a place for each of its samples. Keys and values of a
prompt are held once for the line, those of a sample's own tokens at its place. A step computes
one token of every row that is still alive, as one sequence of as many tokens; the attention puts
each query at its place, lets it see its prompt and its own tokens, and takes the results back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Kept = dict[Any, tuple[torch.Tensor, torch.Tensor]]
"""Keys and values, (key heads, tokens, width) each, by the attention module they are of."""


@dataclass(slots=True)
class _Layer:
    """(lines, key heads, longest prompt, width) and (lines, places, key heads, most, width)."""

    prompt_keys: torch.Tensor
    prompt_values: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor


class Grid:
    """Room for `lines` prompts of at most `longest` tokens, `places` samples each of `most`."""

    def __init__(self, lines: int, places: int, longest: int, most: int) -> None:
        self._shape = (lines, places, longest, most)
        self._layers: dict[Any, _Layer] = {}
        self._lengths = torch.zeros(lines, dtype=torch.long)
        self._row = self._place = self._at = torch.empty(0, dtype=torch.long)
        self._seen = torch.empty(0)

    def enter(
        self, line: int, kept: Mapping[Any, tuple[torch.Tensor, torch.Tensor]], path: torch.Tensor
    ) -> None:
        """A prompt takes a line: `path` are its tokens among those that were kept."""
        for module, (keys, values) in kept.items():
            layer = self._layers.get(module) or self._room(module, keys, values)
            layer.prompt_keys[line, :, : len(path)] = keys.index_select(1, path)
            layer.prompt_values[line, :, : len(path)] = values.index_select(1, path)
        self._lengths[line] = len(path)

    def _room(self, module: Any, keys: torch.Tensor, values: torch.Tensor) -> _Layer:
        lines, places, longest, most = self._shape

        def room(of: torch.Tensor, *shape: int) -> torch.Tensor:
            return torch.zeros(*shape, of.shape[2], dtype=of.dtype, device=of.device)

        heads = keys.shape[0]
        self._layers[module] = _Layer(
            room(keys, lines, heads, longest), room(values, lines, heads, longest),
            room(keys, lines, places, heads, most), room(values, lines, places, heads, most),
        )  # fmt: skip
        return self._layers[module]

    def step(
        self, seats: Sequence[tuple[int, int]], at: Sequence[int], device: torch.device
    ) -> torch.Tensor:
        """Who is computed next: (line, place) of every row, and which of its own tokens it is.

        Returns the rows' positions in their sequences.
        """
        lines, places, longest, _ = self._shape
        row, place = torch.tensor(seats).T
        own = torch.tensor(at)
        ages = torch.zeros(lines, places, dtype=torch.long)  # an empty place sees one old token
        ages[row, place] = own
        before = torch.arange(longest) < self._lengths[:, None]
        mine = torch.arange(int(own.max()) + 1) <= ages[:, :, None]
        seen = torch.cat([before[:, None].expand(-1, places, -1), mine], dim=-1)
        self._seen = seen[:, :, None, None].to(device)
        self._row, self._place, self._at = row.to(device), place.to(device), own.to(device)
        return self._lengths[row] + own

    def clear(self, line: int, place: int) -> None:
        """Forget a row whose numbers were not finite: 0 times NaN would spoil the next one's."""
        for layer in self._layers.values():
            layer.keys[line, place] = 0
            layer.values[line, place] = 0

    def attend(
        self, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
        scaling: float | None,
    ) -> torch.Tensor:  # fmt: skip
        """`query` is (1, heads, rows, width); the result is (1, rows, heads, width)."""
        layer, row, place = self._layers[module], self._row, self._place
        lines, places, longest, most = self._shape
        rows, heads, width = query.shape[2], key.shape[1], query.shape[3]
        each = query.shape[1] // heads  # queries that share a key head
        layer.keys[row, place, :, self._at] = key[0].transpose(0, 1)
        layer.values[row, place, :, self._at] = value[0].transpose(0, 1)
        own = self._seen.shape[-1] - longest

        q = query.new_zeros(lines, places, heads, each, width)
        q[row, place] = query[0].transpose(0, 1).reshape(rows, heads, each, width)
        by_line = q.transpose(1, 2).reshape(lines * heads, places * each, width)
        by_place = q.view(-1, each, width)
        prompt_keys = layer.prompt_keys.view(lines * heads, longest, width)
        own_keys = layer.keys.view(-1, most, width)[:, :own]
        scores = torch.cat(
            [
                (by_line @ prompt_keys.transpose(1, 2))
                .view(lines, heads, places, each, longest).transpose(1, 2),
                (by_place @ own_keys.transpose(1, 2)).view(lines, places, heads, each, own),
            ],
            dim=-1,
        ).float()  # fmt: skip
        scores *= width**-0.5 if scaling is None else scaling
        weights = scores.masked_fill_(~self._seen, float("-inf")).softmax(-1).to(value.dtype)

        of_prompt = weights[..., :longest].transpose(1, 2)
        of_prompt = of_prompt.reshape(lines * heads, places * each, longest)
        wide = value.shape[3]
        out = of_prompt @ layer.prompt_values.view(lines * heads, longest, wide)
        out = out.view(lines, heads, places, each, wide).transpose(1, 2)
        of_own = weights[..., longest:].reshape(-1, each, own)
        mine = of_own @ layer.values.view(-1, most, wide)[:, :own]
        found = out + mine.view(lines, places, heads, each, wide)
        return found[row, place].reshape(1, rows, heads * each, wide)
