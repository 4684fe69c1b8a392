"""The engine on the real embedded models: the numbers of batch 1, the greedy text of `generate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from harness import preparing
from harness.backends import weights
from harness.backends.engine import Draw, Engine, TokenSequence
from harness.backends.local import LocalBackend
from harness.models import LocalModel

pytestmark = pytest.mark.slow

MODELS = ("smollm2-135m-instruct-q4_1", "gemma-3-270m-q4_k_m")


@dataclass(frozen=True)
class Embedded:
    """A network, and token ids of real prompts: three scenarios with all their arms."""

    network: Any
    prompts: list[tuple[int, ...]]


@pytest.fixture(scope="module", params=MODELS)
def embedded(request: pytest.FixtureRequest) -> Embedded:
    """The default model; Gemma where it is in the cache."""
    plan = preparing.prepare(request.param, "quick", axes=["gender"], limit=3)
    assert isinstance(plan.model, LocalModel) and isinstance(plan.backend, LocalBackend)
    if request.param != MODELS[0] and weights.cached(plan.model) is None:
        pytest.skip(f"needs `bias-harness models pull {request.param}`")
    prompts = [plan.backend.encode(r.messages) for r in plan.requests(plan.design.prompts)]
    folder = weights.materialise(plan.model)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return Embedded(network, list(dict.fromkeys(prompts)))


def engine(network: Any) -> Engine:
    made = Engine(network)
    assert made.path.startswith("prefix tree"), made.path
    return made


def test_log_probabilities_are_those_of_batch_1(embedded):
    """At the next token, and all through the last half of every prompt."""
    asked = [TokenSequence(p, len(p) // 2) for p in embedded.prompts]
    found = dict(engine(embedded.network).logits(asked))
    embedded.network.set_attn_implementation("sdpa")
    for i, sequence in enumerate(asked):
        with torch.no_grad():
            plain = embedded.network(torch.tensor([sequence.tokens])).logits[0, sequence.read :]
        apart = (found[i].log_softmax(-1) - plain.log_softmax(-1)).abs().max()
        assert float(apart) <= 5e-4


def test_greedy_output_is_that_of_generate(embedded):
    prompts = embedded.prompts[::4]
    made = engine(embedded.network).generate(
        [Draw(p, 0, 16) for p in prompts], temperature=0.0, top_p=1.0
    )
    found = dict(made)
    embedded.network.set_attn_implementation("sdpa")
    for i, prompt in enumerate(prompts):
        whole = embedded.network.generate(
            torch.tensor([prompt]), max_new_tokens=16, do_sample=False
        )
        tail = whole[0, len(prompt) :].tolist()
        assert list(found[i].tokens) == (tail[:-1] if found[i].ended else tail)
