"""Greedy text of the embedded model against transformers' `generate`, prompts side by side."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.backends.engine import Draw, Engine

pytestmark = pytest.mark.slow

QUESTIONS = ("What is the capital of France?", "Name three colours.", "Who are you?")


def test_greedy_output_is_that_of_generate(real_model):
    words = AutoTokenizer.from_pretrained(real_model)
    network = AutoModelForCausalLM.from_pretrained(real_model, dtype=torch.float32).eval()
    prompts = [
        tuple(words.apply_chat_template(
            [{"role": "user", "content": q}], add_generation_prompt=True, return_dict=True
        )["input_ids"])
        for q in QUESTIONS
    ]  # fmt: skip
    engine = Engine(network)
    assert engine.path.startswith("prefix tree")
    found = dict(engine.generate([Draw(p, 0, 16) for p in prompts], temperature=0.0, top_p=1.0))
    network.set_attn_implementation("sdpa")
    for i, prompt in enumerate(prompts):
        made = network.generate(torch.tensor([prompt]), max_new_tokens=16, do_sample=False)
        tail = made[0, len(prompt) :].tolist()
        assert list(found[i].tokens) == (tail[:-1] if found[i].ended else tail)
