"""Token sequences that share prefixes, as trees: each shared token is computed once.

Sorted, sequences stand in the pre-order of their trie: what one shares with the one before it
is already there. A tree is cut into packs of bounded size between two sequences; a pack that is
cut off repeats the prefix it needs. Packs and segments depend on the sequences alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

PACK = 1024
"""Unique tokens computed together: enough for full speed of a matrix product, little memory."""
SEGMENT = 256
"""Tokens whose attention is computed together under one dense mask."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens [start, end) of a pack that see the same ancestors, and themselves by `mask`.

    `ancestors` are indices into the pack, root first. `mask` is (tokens, tokens), True where
    the row's token sees the column's; None where each sees all before it (a plain chain).
    """

    start: int
    end: int
    ancestors: Ints
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Pack:
    """A forest of tokens in pre-order.

    `tokens`, `depths` (positions in their sequences) and `ends` (one past the last descendant)
    have one entry a node; `paths` holds, for each sequence of the pack, the nodes it reads.
    """

    tokens: Ints
    depths: Ints
    ends: Ints
    members: tuple[int, ...]
    paths: tuple[Ints, ...]

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The whole pack, cut for attention."""
        return tuple(self._segments(0, len(self.tokens), np.empty(0, np.int64)))

    def _segments(self, start: int, end: int, ancestors: Ints) -> Iterator[Segment]:
        """Cut the siblings that fill [start, end): small ones together, large ones into a chain
        and what hangs below it."""
        first = start
        node = start
        while node < end:
            size = int(self.ends[node]) - node
            if size > SEGMENT:
                yield from self._group(first, node, ancestors)
                yield from self._chain(node, ancestors)
                first = node + size
            elif node + size - first > SEGMENT:
                yield from self._group(first, node, ancestors)
                first = node
            node += size
        yield from self._group(first, end, ancestors)

    def _group(self, start: int, end: int, ancestors: Ints) -> Iterator[Segment]:
        if start == end:
            return
        rows = np.arange(start, end)[:, None]
        columns = np.arange(start, end)[None, :]
        mask = (columns <= rows) & (rows < self.ends[start:end][None, :])
        chain = bool(mask[-1].all())
        yield Segment(start, end, ancestors, None if chain else mask)

    def _chain(self, node: int, ancestors: Ints) -> Iterator[Segment]:
        """The nodes from `node` down to the first branch, then the branches."""
        end = int(self.ends[node])
        last = node
        while last + 1 < end and self.ends[last + 1] == end:
            last += 1
        yield Segment(node, last + 1, ancestors, None)
        below = np.concatenate([ancestors, np.arange(node, last + 1)])
        yield from self._segments(last + 1, end, below)


def packs(
    sequences: Sequence[tuple[int, ...]], reads: Sequence[int], *, limit: int = PACK
) -> Iterator[Pack]:
    """The sequences as packs of at most `limit` unique tokens.

    Parameters
    ----------
    sequences : token ids; duplicates and prefixes of others are welcome, none is empty.
    reads : for each sequence, from which position on its nodes are read.
    limit : a single sequence longer than this has a pack of its own.

    Yields
    ------
    Pack
        `members` are indices into `sequences`, each in exactly one pack.
    """
    order = sorted(range(len(sequences)), key=sequences.__getitem__)
    shared = [0] + [_common(sequences[a], sequences[b]) for a, b in pairwise(order)]
    start = 0
    while start < len(order):
        end = _cut(start, [len(sequences[i]) for i in order], shared, limit)
        yield _pack([(i, sequences[i], reads[i]) for i in order[start:end]])
        start = end


def unique_tokens(sequences: Sequence[tuple[int, ...]]) -> int:
    """Tokens that are left when every shared beginning is computed once, packs apart."""
    order = sorted(sequences)
    shared = sum(_common(a, b) for a, b in pairwise(order))
    return sum(map(len, order)) - shared


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Length of the common prefix."""
    least = min(len(a), len(b))
    if a[:least] == b[:least]:
        return least
    return next(i for i in range(least) if a[i] != b[i])


def _cut(start: int, lengths: Sequence[int], shared: Sequence[int], limit: int) -> int:
    """Where the pack that begins at `start` ends: where least is shared, in its second half."""
    size = lengths[start]
    best, least = start + 1, None
    end = start + 1
    while end < len(lengths):
        new = lengths[end] - shared[end]
        if size + new > limit:
            return best
        if size > limit // 2 and (least is None or shared[end] <= least):
            best, least = end, shared[end]
        elif least is None:
            best = end + 1
        size += new
        end += 1
    return end


def _pack(members: Sequence[tuple[int, tuple[int, ...], int]]) -> Pack:
    tokens: list[int] = []
    depths: list[int] = []
    parents: list[int] = []
    path: list[int] = []
    before: tuple[int, ...] = ()
    paths: list[Ints] = []
    for _, sequence, read in members:
        common = _common(before, sequence)
        del path[common:]
        for depth in range(common, len(sequence)):
            parents.append(path[-1] if path else -1)
            path.append(len(tokens))
            tokens.append(sequence[depth])
            depths.append(depth)
        paths.append(np.array(path[read:], np.int64))
        before = sequence
    ends = list(range(1, len(tokens) + 1))
    for node in reversed(range(len(tokens))):
        if parents[node] >= 0:
            ends[parents[node]] = max(ends[parents[node]], ends[node])
    return Pack(
        np.array(tokens, np.int64), np.array(depths, np.int64), np.array(ends, np.int64),
        tuple(index for index, _, _ in members), tuple(paths),
    )  # fmt: skip
