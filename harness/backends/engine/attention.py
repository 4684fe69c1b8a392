"""Attention over a tree of tokens, as an attention implementation of transformers.

The pack that is being computed is held in a context variable, so that threads may compute
packs of their own; each token attends to its ancestors and itself, segment by segment. Where no
pack is being computed, the model's usual attention (scaled dot product) answers. Nothing here
knows any model's code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from harness.backends.engine.tree import Pack

NAME = "bias_harness_tree"
USUAL = "sdpa"
"""The attention that answers outside a pack; a model without it takes the plain path."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A segment with its indices and mask on the device."""

    start: int
    end: int
    ancestors: torch.Tensor | None
    mask: torch.Tensor | None


_CURRENT: ContextVar[tuple[_Piece, ...] | None] = ContextVar("current pack", default=None)


class Unsupported(Exception):
    """The model's attention needs something a tree cannot give."""


@contextmanager
def computing(pack: Pack, device: torch.device) -> Iterator[None]:
    """Within this, models whose attention implementation is `NAME` see the pack's tree."""
    token = _CURRENT.set(tuple(_pieces(pack, device)))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def register() -> None:
    """Make `NAME` known to transformers; harmless when repeated."""
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _mask)


def _pieces(pack: Pack, device: torch.device) -> Iterator[_Piece]:
    for segment in pack.segments:
        above = len(segment.ancestors)
        size = segment.end - segment.start
        ancestors = torch.from_numpy(segment.ancestors).to(device) if above else None
        if segment.mask is None and (not above or size == 1):
            yield _Piece(segment.start, segment.end, ancestors, None)
            continue
        own = (
            torch.ones(size, size, dtype=torch.bool).tril()
            if segment.mask is None
            else torch.from_numpy(segment.mask)
        )
        whole = torch.cat([torch.ones(size, above, dtype=torch.bool), own], dim=1)
        yield _Piece(segment.start, segment.end, ancestors, whole.to(device))


def _mask(*given: Any, **options: Any) -> Any:
    """Within a pack the tree is the mask; elsewhere the usual one."""
    if _CURRENT.get() is not None:
        return None
    return ALL_MASK_ATTENTION_FUNCTIONS[USUAL](*given, **options)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **options: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Attention of every token to its ancestors and itself.

    `query` is (1, heads, tokens, width), `key` and `value` may have fewer heads; the result is
    (1, tokens, heads, width).
    """
    pieces = _CURRENT.get()
    if pieces is None:
        usual: tuple[torch.Tensor, torch.Tensor | None] = ALL_ATTENTION_FUNCTIONS[USUAL](
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **options
        )
        return usual
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise Unsupported("soft-capped or sink attention")
    grouped = query.shape[1] != key.shape[1]
    out = torch.empty(*query.shape[:3], value.shape[3], dtype=query.dtype, device=query.device)
    for piece in pieces:
        span = slice(piece.start, piece.end)
        keys, values = key[:, :, span], value[:, :, span]
        if piece.ancestors is not None:
            keys = torch.cat([key.index_select(2, piece.ancestors), keys], dim=2)
            values = torch.cat([value.index_select(2, piece.ancestors), values], dim=2)
        out[:, :, span] = scaled_dot_product_attention(
            query[:, :, span], keys, values, attn_mask=piece.mask, scale=scaling,
            is_causal=piece.mask is None and piece.ancestors is None,
            enable_gqa=grouped,
        )  # fmt: skip
    return out.transpose(1, 2).contiguous(), None
