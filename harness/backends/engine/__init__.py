"""The engine of local models: logits at the positions that are read, and generated text.

Prompts of a block share most of their tokens. The engine puts them into prefix trees
(`tree`), computes each shared token once under an attention that follows the tree
(`attention`), and asks for logits where they are read. A model for which that is not correct
takes the plain path (`plain`), one sequence after another. Both give the same numbers up to
rounding; which path was taken, and why, is in `Engine.path`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from harness.backends.engine import attention, plain
from harness.backends.engine.decoding import ROWS, generate, one_prompt_at_a_time
from harness.backends.engine.grid import Kept
from harness.backends.engine.memory import ran_short
from harness.backends.engine.sampling import Draw, Drawn
from harness.backends.engine.tree import PACK, Pack, packs

__all__ = ["Draw", "Drawn", "Engine", "TokenSequence"]

LOGITS = 1 << 27
"""Most logits (rows x vocabulary) of one pack: half a gigabyte in float32."""
TOLERANCE = {torch.float32: 5e-4}
COARSE = 0.25
"""How far log-probabilities of the two paths may differ, in nats: float32, and less precise."""
SHARED_LAYERS = {"full_attention", "sliding_attention"}


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """Token ids, and from which position on the next token's logits are read."""

    tokens: tuple[int, ...]
    read: int


class Engine:
    """Logits for one loaded network."""

    def __init__(self, network: Any, *, custom_code: bool = False) -> None:
        self._network = network
        vocabulary = int(network.get_output_embeddings().weight.shape[0])
        self._limit = max(16, min(PACK, LOGITS // vocabulary))
        self._halved = 0
        self._fewest = ROWS
        self._beyond = False
        self._obstacle = "its code is its own" if custom_code else self._why_not()

    @property
    def path(self) -> str:
        """For the manifest: how sequences are computed, and why not faster."""
        if self._obstacle:
            return f"plain: {self._obstacle}"
        said = f"prefix tree, packs of {self._limit} tokens"
        if self._halved:
            said += f", packs halved {self._halved} times for lack of memory"
        if self._beyond:
            said += ", plain in blocks with sequences beyond the sliding window"
        return said

    @property
    def sampling(self) -> str:
        """For the manifest: what a sampled text depends on."""
        few = f", down to {self._fewest} for lack of memory" if self._fewest < ROWS else ""
        return (
            f"up to {ROWS} rows side by side{few}; every sample has a seed of its own, but which "
            "others are beside it may change a last digit of its probabilities"
        )

    def logits(self, sequences: Sequence[TokenSequence]) -> Iterator[tuple[int, torch.Tensor]]:
        """For each sequence its index and logits of shape (positions read, vocabulary).

        Sequences come in any order, each once.
        """
        if self._serves(max((len(s.tokens) for s in sequences), default=0)):
            yield from self._by_tree(sequences, self._limit)
        else:
            yield from self._plainly(sequences)

    def generate(
        self, draws: Sequence[Draw], *, temperature: float, top_p: float
    ) -> Iterator[tuple[int, Drawn]]:
        """For each draw its index and the sample, in any order.

        `temperature` 0 takes the most probable token each time. `top_p` keeps the smallest set
        of tokens that holds this share of the probability. Where memory runs short, what is not
        finished begins again with half as many rows side by side.
        """
        left, rows = dict(enumerate(draws)), ROWS
        serves = self._serves(max((len(d.tokens) + d.most for d in draws), default=0))
        while left:
            made = (
                generate(self._network, self._prefill, self._limit, left,
                         temperature=temperature, top_p=top_p, rows=rows)
                if serves
                else one_prompt_at_a_time(self._network, left, temperature=temperature,
                                          top_p=top_p, rows=rows)
            )  # fmt: skip
            done = []
            try:
                for i, drawn in made:
                    done.append(i)
                    yield i, drawn
            except (RuntimeError, MemoryError) as error:
                if rows == 1 or not ran_short(error):
                    raise
                rows //= 2
                self._fewest = min(self._fewest, rows)
                torch.cuda.empty_cache()
            left = {i: draw for i, draw in left.items() if i not in set(done)}

    def _serves(self, longest: int) -> bool:
        """Whether sequences up to this length may be computed as a tree."""
        window = _window(self._network.config)
        if self._obstacle:
            return False
        self._beyond |= window is not None and longest > window
        return window is None or longest <= window

    # -- the two paths -------------------------------------------------------------------------

    def _plainly(self, sequences: Sequence[TokenSequence]) -> Iterator[tuple[int, torch.Tensor]]:
        yield from plain.logits(
            self._network, [s.tokens for s in sequences], [s.read for s in sequences]
        )

    def _by_tree(
        self, sequences: Sequence[TokenSequence], limit: int
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Pack after pack; a pack that does not fit in memory is cut into halves."""
        for pack in packs([s.tokens for s in sequences], [s.read for s in sequences], limit=limit):
            try:
                rows = self._compute(pack)
            except (RuntimeError, MemoryError) as error:
                if len(pack.members) == 1 or not ran_short(error):
                    raise
                self._halved += 1
                torch.cuda.empty_cache()
                members = [sequences[i] for i in pack.members]
                for i, found in self._by_tree(members, max(1, len(pack.tokens) // 2)):
                    yield pack.members[i], found
                continue
            yield from zip(pack.members, rows, strict=True)

    def _prefill(self, pack: Pack) -> tuple[list[torch.Tensor], Kept]:
        """Logits after the last token of every member, and all keys and values."""
        rule = attention.Ancestors(pack, self._network.device, keep=True)
        last = tuple(path[-1:] for path in pack.paths)
        return self._follow(replace(pack, paths=last), rule), rule.kept

    def _compute(self, pack: Pack) -> list[torch.Tensor]:
        return self._follow(pack, attention.Ancestors(pack, self._network.device))

    def _follow(self, pack: Pack, rule: attention.Ancestors) -> list[torch.Tensor]:
        device = self._network.device
        sizes = [len(path) for path in pack.paths]
        read = torch.cat([torch.from_numpy(path) for path in pack.paths])
        needed, place = torch.unique(read, return_inverse=True)
        with torch.inference_mode(), attention.following(rule):
            logits = self._network(
                torch.from_numpy(pack.tokens)[None].to(device),
                position_ids=torch.from_numpy(pack.depths)[None].to(device),
                use_cache=False,
                logits_to_keep=needed.to(device),
            ).logits[0]
        return [logits[where] for where in place.to(device).split(sizes)]

    # -- may this model be computed as a tree? -------------------------------------------------

    def _why_not(self) -> str | None:
        """What speaks against the tree for this network; None where it gives the same numbers."""
        config = self._network.config
        if getattr(config, "is_encoder_decoder", False):
            return "it is an encoder-decoder"
        if not getattr(self._network, "_supports_attention_backend", False):
            return "its attention cannot be replaced"
        usual = config._attn_implementation
        if usual not in (attention.USUAL, attention.NAME):
            return f"its attention is {usual}"
        layers = set(getattr(config, "layer_types", None) or ["full_attention"])
        if not layers <= SHARED_LAYERS:
            return f"it has layers of type {', '.join(sorted(layers - SHARED_LAYERS))}"
        attention.register()
        self._network.set_attn_implementation(attention.NAME)
        reason = self._trial()
        if reason:
            self._network.set_attn_implementation(usual)
        return reason

    def _trial(self) -> str | None:
        """What a small trial by both paths finds wrong with the tree; None where nothing is."""
        try:
            apart = self._difference()
        except (attention.Unsupported, RuntimeError, TypeError, ValueError) as error:
            return f"its attention does not follow the tree ({type(error).__name__})"
        if not apart <= TOLERANCE.get(self._network.dtype, COARSE):
            return f"the tree gave other numbers in a trial (by {apart:.2g} in log p)"
        return None

    def _difference(self) -> float:
        """Largest difference of log p between the two paths on a small forked trial."""
        trial = [TokenSequence(tokens, 1) for tokens in _TRIAL]
        by_tree = dict(self._by_tree(trial, PACK))
        plainly = dict(self._plainly(trial))
        return max(
            float((by_tree[i].float().log_softmax(-1) - plainly[i].float().log_softmax(-1))
                  .abs().max())
            for i in plainly
        )  # fmt: skip


_TRIAL = ((5, 6, 7, 8, 9), (5, 6, 7, 10), (5, 6, 7, 8, 11, 12, 13), (5, 6), (14, 6, 7, 8))
"""Small token ids that every vocabulary has: a fork, a prefix, a second root."""


def _window(config: Any) -> int | None:
    """The shortest sliding window of the model's layers; None where all see everything."""
    layers = getattr(config, "layer_types", None)
    window = getattr(config, "sliding_window", None)
    if window is None or (layers and "sliding_attention" not in layers):
        return None
    if not layers and not getattr(config, "use_sliding_window", True):
        return None
    return int(window)
