"""The plain path: sequences of equal shape in small batches, nothing shared, nothing padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch

from harness.backends.engine.memory import ran_short

BATCH = 16


def logits(
    network: Any, sequences: Sequence[tuple[int, ...]], reads: Sequence[int]
) -> Iterator[tuple[int, torch.Tensor]]:
    """Index and logits (positions read, vocabulary) of each sequence, the longest first."""

    def shape(i: int) -> tuple[int, int]:
        return len(sequences[i]), reads[i]

    order = sorted(range(len(sequences)), key=shape, reverse=True)
    for (length, read), same in groupby(order, key=shape):
        members = list(same)
        for start in range(0, len(members), BATCH):
            batch = members[start : start + BATCH]
            yield from zip(batch, _compute(network, sequences, batch, length - read), strict=True)


def _compute(
    network: Any, sequences: Sequence[tuple[int, ...]], batch: Sequence[int], last: int
) -> torch.Tensor:
    """Logits of the `last` final positions; one row after another where memory is short."""
    try:
        with torch.inference_mode():
            ids = torch.tensor([sequences[i] for i in batch], device=network.device)
            found: torch.Tensor = network(ids, use_cache=False, logits_to_keep=last).logits
    except (RuntimeError, MemoryError) as error:
        if len(batch) == 1 or not ran_short(error):
            raise
        torch.cuda.empty_cache()
        middle = len(batch) // 2
        return torch.cat(
            [_compute(network, sequences, part, last) for part in (batch[:middle], batch[middle:])]
        )
    return found
