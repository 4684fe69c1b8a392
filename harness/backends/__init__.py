"""Prompt to response: one small protocol, one file per way of getting an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.models import LocalModel, Model
from harness.nouns import Record, Request, Response, Want


@dataclass(frozen=True, slots=True)
class Workload:
    """What answering takes.

    `tokens` counts the prompts' tokens, `computed` what is left of them when beginnings that
    prompts of a block share are computed once, with the tokens to be written. `seconds` is a
    rough guess for an idle machine; None where there is no ground for one.
    """

    tokens: int
    computed: int
    seconds: float | None


class Backend(Protocol):
    """What the pipeline needs of whoever answers.

    A backend is cheap to make: weights are loaded and servers are asked when first needed.
    """

    @property
    def whole_blocks(self) -> bool:
        """Whether an unfinished block must be asked again whole: batches are formed within it."""
        ...

    def identity(self) -> Record:
        """What identifies the weights beside the definition, for the fingerprint."""
        ...

    def offers(self, want: Want) -> bool:
        """Whether this can be measured; a server may be asked once.

        Raises
        ------
        ModelError
            The server cannot be reached or refuses the key.
        """
        ...

    def ready(self) -> None:
        """Load what answering needs, so that what is wrong with it shows before a run begins.

        Raises
        ------
        InputError, ModelError
            The weights or the tokenizer cannot be used.
        """
        ...

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        """Responses for every request of every block, in any order.

        A request that fails gives a response with `Finish.ERROR` and its words in `detail`.

        Raises
        ------
        ModelError
            Nothing more can be answered; what was yielded before stands.
        """
        ...

    def workload(self, blocks: Iterable[Sequence[Request]]) -> Workload | None:
        """What answering takes, without answering; None where no tokenizer is at hand."""
        ...

    def facts(self) -> Record:
        """For the manifest: device, precision, batch sizes, what the server offers."""
        ...

    def close(self) -> None:
        """Let go of weights and connections."""
        ...


def open_backend(model: Model, say: Callable[[str], None] = lambda _: None) -> Backend:
    """The backend that answers for `model`; `say` is told of slow steps (a download, say)."""
    if isinstance(model, LocalModel):
        from harness.backends.local import LocalBackend

        return LocalBackend(model, say)
    from harness.backends.remote import RemoteBackend

    return RemoteBackend(model, say)
