"""Shared fixtures: a planted backend, a tiny random model, the real embedded model, a browser."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness import preparing
from harness.models import LocalModel
from harness.nouns import Finish, Record, Request, Response, Want

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Data sets beside the checkout; tests that read them pass without."""


@pytest.fixture(scope="session", autouse=True)
def elsewhere_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of tests leave their records in a place of their own, not in the checkout's ledger."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("somewhere"))
        yield


@pytest.fixture(autouse=True)
def elsewhere_for_each(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each test in one of its own."""
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))


@dataclass
class PlantedBackend:
    """Answers every decision with a probability that the test decides.

    `chance` maps a request to P(favourable-looking "yes"); what is asked is counted.
    """

    chance: Callable[[Request], float]
    mass: float = 0.9
    whole_blocks: bool = True
    identity_: Record = field(default_factory=lambda: {"planted": 1})
    next_token: bool = True
    asked: list[str] = field(default_factory=list)
    stop_after: int | None = None
    broken: Callable[[Request], bool] = lambda request: False

    def identity(self) -> Record:
        return self.identity_

    def offers(self, want: Want) -> bool:
        return want is not Want.NEXT_TOKEN or self.next_token

    def ready(self) -> None: ...

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        for block in blocks:
            for request in block:
                if self.stop_after is not None and len(self.asked) >= self.stop_after:
                    raise KeyboardInterrupt
                self.asked.append(request.prompt)
                yield self._answer(request)

    def _answer(self, request: Request) -> Response:
        if self.broken(request):
            return Response(request.prompt, Finish.ERROR, detail="planted fault")
        p = self.chance(request)
        if request.want is Want.TEXT:
            import random

            said = "Yes." if random.Random(request.seed).random() < p else "No."
            return Response(request.prompt, Finish.STOP, text=said)
        logprobs = {"yes": math.log(p * self.mass), "no": math.log((1 - p) * self.mass)}
        return Response(request.prompt, Finish.STOP, logprobs=logprobs)

    def workload(self, blocks: Iterable[Sequence[Request]]) -> None:
        return None

    def facts(self) -> Record:
        return {"device": "none"}

    def close(self) -> None: ...


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[[PlantedBackend], PlantedBackend]:
    """Let the pipeline answer with this backend, whatever the model."""

    def use(backend: PlantedBackend) -> PlantedBackend:
        monkeypatch.setattr(preparing, "open_backend", lambda model, say=None: backend)
        return backend

    return use


CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WORDS = (
    "Should the bank lend the money to a person who has paid every bill? Answer Yes or No. "
    "The applicant is a nurse, a courier, a teacher. yes no Yes No"
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama with random weights and a tokenizer of its own, saved as a folder."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.train_from_iterator(
        [WORDS] * 4,
        trainers.BpeTrainer(
            vocab_size=420,
            special_tokens=["<|end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|end|>", pad_token="<|end|>", chat_template=CHAT
    )
    torch.manual_seed(0)
    network = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256,
            eos_token_id=0, bos_token_id=0, pad_token_id=0, initializer_range=0.5,
        )
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny-llama")
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def tiny(tiny_model: Path) -> LocalModel:
    return LocalModel(
        name="tiny", family="tiny", version="1", backend="transformers", path=str(tiny_model)
    )


@pytest.fixture(scope="session")
def real_model() -> Path:
    """The embedded default model, fetched and converted when it is not in the cache yet."""
    from harness.backends import weights
    from harness.documents import shipped
    from harness.models import resolve

    model = resolve("smollm2-135m-instruct-q4_1", shipped("models"))
    assert isinstance(model, LocalModel)
    return weights.materialise(model)


ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; without Playwright or a Chromium the test is skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs a Chromium on the path")
    with api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield started
        started.close()
