"""Models that transformers runs on this machine, CPU or CUDA.

Probabilities and generated text come from the engine (`harness.backends.engine`), block by block.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends import Workload, weights
from harness.backends.tokenizer import Tokenizer, first_line
from harness.errors import InputError, ModelError
from harness.loading import load_whole
from harness.models import LocalModel
from harness.nouns import Finish, Message, Record, Request, Response, Want
from harness.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch

MOST_WORKERS = 8
"""Blocks computed side by side at most: each needs up to a gigabyte beside the weights."""
NOT_FINITE = "the model's logits are not finite"
FLOPS = 6e10
"""Operations a second of one CPU core in float32: seen on current servers, for a rough guess."""


@dataclass(frozen=True, slots=True)
class _Tokens:
    """A request with its prompt and, for log-probabilities, one continuation as token ids."""

    request: Request
    prompt: tuple[int, ...]
    continuation: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.prompt), len(self.continuation)


class LocalBackend:
    """Answers for one `LocalModel`; weights are loaded at the first question."""

    whole_blocks = True

    def __init__(self, model: LocalModel, say: weights.Say = lambda _: None) -> None:
        self.model = model
        self._say = say
        self._folder: Path | None = None
        self._network: Any = None
        self._engine: Any = None
        self._side_by_side = 1
        self.tokenizer = Tokenizer(model, self._weights)

    # -- the protocol --------------------------------------------------------------------------

    def identity(self) -> Record:
        return weights.identity(self.model)

    def offers(self, want: Want) -> bool:
        return want is not Want.FORM

    def ready(self) -> None:
        self._load()
        self.encode((Message("user", "Is this a trial?"),))

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        """Blocks are computed side by side, one a worker, and given in their order."""
        self._load()
        with self._workers() as pool:
            ahead: deque[Future[list[Response]]] = deque()
            try:
                for block in blocks:
                    ahead.append(pool.submit(self._block, block))
                    if len(ahead) > self._side_by_side:
                        yield from ahead.popleft().result()
                while ahead:
                    yield from ahead.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _workers(self) -> ThreadPoolExecutor:
        """Threads that each compute blocks of their own.

        On a CPU, cores that work on different blocks need not wait for each other after every
        operation: measured 1.4 times as fast as two cores on one block when nothing else runs,
        and several times as fast when something does. How many threads one operation has depends on
        the machine alone, since it may decide a last digit.
        """
        import torch

        cores = torch.get_num_threads() if self._network.device.type == "cpu" else 1
        self._side_by_side = min(cores, MOST_WORKERS)
        each = max(1, cores // self._side_by_side)
        return ThreadPoolExecutor(
            self._side_by_side, "block", initializer=torch.set_num_threads, initargs=(each,)
        )

    def workload(self, blocks: Iterable[Sequence[Request]]) -> Workload | None:
        """Counted with the model's tokenizer if it is in the cache; seconds for a CPU only."""
        import torch

        from harness.backends.engine.tree import unique_tokens

        folder = weights.cached(self.model)
        if folder is None:
            return None
        tokens = computed = 0
        for block in blocks:
            sequences = []
            prompts = self.tokenizer.prompts(block)
            for request in block:
                prompt = prompts[request.messages]
                tokens += len(prompt)
                computed += request.max_tokens if request.want is Want.TEXT else 0
                sequences += [(*part.prompt, *part.continuation[:-1])
                              for part in self._parts(request, prompt)]  # fmt: skip
            computed += unique_tokens(sequences)
        if self._device().type != "cpu":
            return Workload(tokens, computed, None)
        work = 2.0 * weights.multiplied(folder) * computed
        return Workload(tokens, computed, work / (FLOPS * torch.get_num_threads()))

    def facts(self) -> Record:
        import torch
        import transformers

        facts = {"dtype": self.model.dtype, "torch": torch.__version__,
                 "transformers": transformers.__version__}  # fmt: skip
        if self._network is not None:
            device = self._network.device
            facts["path"] = self._engine.path
            facts["sampling"] = self._engine.sampling
            facts["device"] = str(device)
            facts["threads"] = torch.get_num_threads()
            if device.type == "cuda":
                facts["device_name"] = torch.cuda.get_device_name(device)
        return facts

    def close(self) -> None:
        self._network = self._engine = None
        self.tokenizer = Tokenizer(self.model, self._weights)

    # -- loading -------------------------------------------------------------------------------

    def _load(self) -> None:
        if self._network is not None:
            return
        import torch
        from transformers import AutoModelForCausalLM

        from harness.backends.engine import Engine

        device = self._device()
        folder = self._weights()
        with quiet_transformers():
            try:
                network = load_whole(
                    AutoModelForCausalLM,
                    folder,
                    dtype=getattr(torch, self.model.dtype),
                    use_safetensors=True,
                    trust_remote_code=self.model.trust_remote_code,
                )
                self._network = network.to(device).eval()
                self._engine = Engine(self._network, custom_code=self.model.trust_remote_code)
            except torch.cuda.OutOfMemoryError as error:
                raise ModelError(
                    f"model '{self.model.name}': its weights do not fit on {device}"
                ) from error
            except Exception as error:  # transformers raises nearly everything on a bad folder
                why = first_line(error)
                if "trust_remote_code" in str(error):
                    why = ("it brings code of its own; `trust_remote_code: true` in its "
                           "definition runs it, if you trust it")  # fmt: skip
                raise InputError(
                    f"model '{self.model.name}': {folder} cannot be loaded: {why}"
                ) from error

    def _weights(self) -> Path:
        if self._folder is None:
            self._folder = weights.materialise(self.model, self._say)
        return self._folder

    def _device(self) -> torch.device:
        import torch

        wanted = self.model.device
        if wanted == "auto":
            wanted = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            device = torch.device(wanted)
            torch.zeros(1, device=device).item()  # "meta" holds no numbers
        except (RuntimeError, AssertionError) as error:  # torch asserts when built without CUDA
            here = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
            raise InputError(f"device '{wanted}' cannot be used; torch sees {', '.join(here)} on "
                             "this machine") from error  # fmt: skip
        return device

    def encode(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The token ids of a conversation, as the model is given it."""
        return self.tokenizer.encode(messages)

    def _context(self) -> int:
        config = self._network.config
        return int(getattr(config, "max_position_embeddings", 0) or 1 << 30)

    # -- answering -----------------------------------------------------------------------------

    def _block(self, block: Sequence[Request]) -> list[Response]:
        try:
            return list(self._answers(block))
        except (RuntimeError, IndexError, MemoryError) as error:  # what torch raises
            raise ModelError(
                f"model '{self.model.name}': cannot compute these prompts: {first_line(error)}"
            ) from error

    def _answers(self, block: Sequence[Request]) -> Iterator[Response]:
        context = self._context()
        scored: list[_Tokens] = []
        drawn: list[_Tokens] = []
        prompts = self.tokenizer.prompts(block)
        for request in block:
            prompt = prompts[request.messages]
            parts = self._parts(request, prompt)
            longest = max(sum(part.shape) for part in parts)
            if longest + (request.max_tokens if request.want is Want.TEXT else 0) > context:
                yield Response(
                    request.prompt, Finish.ERROR, prompt_tokens=len(prompt), truncated=True,
                    detail=f"{longest} tokens do not fit the model's context of {context}",
                )  # fmt: skip
            elif request.want is Want.TEXT:
                drawn.extend(parts)
            else:
                scored.extend(parts)
        yield from self._score(scored)
        yield from self._generate(drawn)

    def _parts(self, request: Request, prompt: tuple[int, ...]) -> list[_Tokens]:
        if request.want is Want.TEXT:
            return [_Tokens(request, prompt)]
        if request.want is Want.NEXT_TOKEN:
            led = next(iter(self.tokenizer.options(request.options).led.values()), ())
            return [_Tokens(request, prompt, led)]
        return [
            _Tokens(request, prompt, self.tokenizer.more(spelling))
            for option in request.options
            for spelling in option.spellings
        ]

    def _score(self, parts: Sequence[_Tokens]) -> Iterator[Response]:
        """One response a request, from the logits of all its parts."""
        from harness.backends.engine import TokenSequence

        sequences = [
            TokenSequence((*part.prompt, *part.continuation[:-1]), len(part.prompt) - 1)
            for part in parts
        ]
        found: dict[int, dict[str, float] | float] = {}
        for i, logits in self._engine.logits(sequences):
            found[i] = self._read(parts[i], logits.float())
        grouped: dict[str, list[int]] = {}
        for i, part in enumerate(parts):
            grouped.setdefault(part.request.prompt, []).append(i)
        for indices in grouped.values():
            yield _response(parts[indices[0]], [found[i] for i in indices])

    def _read(self, part: _Tokens, logits: torch.Tensor) -> dict[str, float] | float:
        """Log p of every option at the next token, or of the whole continuation."""
        total = logits.logsumexp(-1)
        if part.request.want is Want.SEQUENCE:
            return _chain(logits, total, part.continuation)
        spelled = self.tokenizer.options(part.request.options)
        return {
            name: _sum([
                *(float(logits[0, token] - total[0]) for token in firsts),
                *([_chain(logits, total, spelled.led[name])] if spelled.led else []),
            ])
            for name, firsts in spelled.firsts.items()
        }  # fmt: skip

    def _generate(self, block: Sequence[_Tokens]) -> Iterator[Response]:
        """Sampled text, the whole block decoded side by side."""
        from harness.backends.engine import Draw

        decoding = self.model.decoding
        draws = [
            Draw(
                part.prompt,
                part.request.seed,
                part.request.max_tokens,
                self.tokenizer.stops(part.request.stop),
            )
            for part in block
        ]
        for i, drawn in self._engine.generate(
            draws, temperature=decoding.temperature, top_p=decoding.top_p
        ):
            request = block[i].request
            given = Response(
                request.prompt,
                Finish.STOP if drawn.ended else Finish.LENGTH,
                text=self.tokenizer.text(drawn.tokens, request.stop),
                prompt_tokens=len(block[i].prompt),
                completion_tokens=len(drawn.tokens),
            )
            if drawn.failed:
                given = replace(given, finish=Finish.ERROR, text=None, detail=NOT_FINITE)
            yield given


def _chain(logits: torch.Tensor, total: torch.Tensor, tokens: Sequence[int]) -> float:
    """Log p of tokens one after another, the first of them at the first row."""
    return sum((float(logits[i, t] - total[i]) for i, t in enumerate(tokens)), 0.0)


def _response(first: _Tokens, found: Sequence[dict[str, float] | float]) -> Response:
    """One request's response from what was found for its parts."""
    request = first.request
    if isinstance(found[0], dict):
        logprobs = found[0]
    else:
        each = iter(found)
        logprobs = {o.name: _sum([next(each) for _ in o.spellings]) for o in request.options}
    if not all(math.isfinite(value) for value in logprobs.values()):
        return Response(
            request.prompt, Finish.ERROR, detail=NOT_FINITE,
            prompt_tokens=len(first.prompt),
        )  # fmt: skip
    return Response(request.prompt, Finish.STOP, logprobs=logprobs, prompt_tokens=len(first.prompt))


def _sum(logs: Sequence[Any]) -> float:
    """log of the sum of exp(logs); NaN stays NaN."""
    top = max(logs)
    if not math.isfinite(top):
        return float(top)
    return float(top) + math.log(sum(math.exp(value - top) for value in logs))
