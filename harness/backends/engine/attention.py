"""Attention by a rule of ours, as an attention implementation of transformers.

The rule that is followed is held in a context variable, so that threads may follow rules of
their own. `Ancestors` is the rule of a tree: each token attends to its ancestors and itself,
segment by segment. Where no rule is followed, the model's usual attention (scaled dot product)
answers. Nothing here knows any model's code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

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


class Rule(Protocol):
    """Which tokens see which, in the place of a model's usual attention."""

    def attend(
        self, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
        scaling: float | None,
    ) -> torch.Tensor:  # fmt: skip
        """`query` is (1, heads, tokens, width), `key` and `value` may have fewer heads; the
        result is (1, tokens, heads, width)."""
        ...


_CURRENT: ContextVar[Rule | None] = ContextVar("current rule", default=None)


class Unsupported(Exception):
    """The model's attention needs something a tree cannot give."""


@contextmanager
def following(rule: Rule) -> Iterator[None]:
    """Within this, models whose attention implementation is `NAME` attend by the rule."""
    token = _CURRENT.set(rule)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class Ancestors:
    """Every token of a pack sees its ancestors and itself.

    Where `keep` is true, `kept` has the keys and values, (key heads, tokens, width) each, by the
    attention module they are of.
    """

    def __init__(self, pack: Pack, device: torch.device, *, keep: bool = False) -> None:
        self._pieces = tuple(_pieces(pack, device))
        self._keep = keep
        self.kept: dict[Any, tuple[torch.Tensor, torch.Tensor]] = {}

    def attend(
        self, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
        scaling: float | None,
    ) -> torch.Tensor:  # fmt: skip
        if self._keep:
            self.kept[module] = key[0], value[0]
        grouped = query.shape[1] != key.shape[1]
        out = torch.empty(*query.shape[:3], value.shape[3], dtype=query.dtype, device=query.device)
        for piece in self._pieces:
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
        return out.transpose(1, 2).contiguous()


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
    """Where a rule is followed, it is the mask; elsewhere the usual one."""
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
    """Attention by the rule that is followed, else the usual one."""
    rule = _CURRENT.get()
    if rule is None:
        usual: tuple[torch.Tensor, torch.Tensor | None] = ALL_ATTENTION_FUNCTIONS[USUAL](
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **options
        )
        return usual
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise Unsupported("soft-capped or sink attention")
    return rule.attend(module, query, key, value, scaling), None
