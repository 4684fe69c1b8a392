"""Generation against transformers' own `generate`, and samples that ignore their neighbours."""

from __future__ import annotations

import pytest
import torch

from harness.backends.engine import Engine
from harness.backends.engine.generate import Draw, _nucleus, generate
from tests.backends.test_engine import ARCHITECTURES, network

PROMPTS = [(5, 6, 7, 8), (5, 6, 7, 9, 10), (11, 12)]


def draw(model, draws, temperature=1.0, top_p=1.0):
    return dict(generate(model, draws, temperature=temperature, top_p=top_p))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_greedy_output_is_that_of_generate(kind):
    model = network(kind)
    Engine(model)  # with the tree's attention in place
    found = draw(model, [Draw(p, 0, 12) for p in PROMPTS], temperature=0.0)
    for i, prompt in enumerate(PROMPTS):
        ids = torch.tensor([prompt])
        expected = model.generate(ids, max_new_tokens=12, do_sample=False, pad_token_id=0)
        tail = expected[0, len(prompt) :].tolist()
        ended = tail[-1] == model.generation_config.eos_token_id
        assert list(found[i].tokens) == (tail[:-1] if ended else tail)
        assert found[i].ended == ended


def test_a_sample_depends_on_its_seed_and_not_on_its_neighbours():
    model = network("llama")
    crowd = [Draw(p, seed, 10) for p in PROMPTS for seed in range(5)]
    together = draw(model, crowd)
    for i in (0, 6, 14):
        assert draw(model, [crowd[i]])[0] == together[i]
    assert len({d.tokens for d in together.values()}) > 3
    assert draw(model, crowd[::-1]) == {len(crowd) - 1 - i: d for i, d in together.items()}


def test_each_distinct_prompt_is_computed_once(monkeypatch):
    model = network("llama")
    whole, lengths = model.forward, []

    def counted(input_ids, *args, **options):
        lengths.append(tuple(input_ids.shape))
        return whole(input_ids, *args, **options)

    monkeypatch.setattr(model, "forward", counted)
    draw(model, [Draw(PROMPTS[0], seed, 6) for seed in range(7)])
    assert [shape for shape in lengths if shape[1] > 1] == [(1, 4)]


def test_rows_leave_when_they_end(monkeypatch):
    """One end token among 97 with random weights: rows of one prompt end at different steps."""
    model = network("llama")
    model.generation_config.eos_token_id = list(range(3, 40))
    whole, rows = model.forward, []

    def counted(input_ids, *args, **options):
        rows.append(input_ids.shape[0])
        return whole(input_ids, *args, **options)

    monkeypatch.setattr(model, "forward", counted)
    found = draw(model, [Draw(PROMPTS[0], seed, 12) for seed in range(12)])
    assert rows[1:] == sorted(rows[1:], reverse=True)
    assert rows[-1] < 12
    assert sum(d.ended for d in found.values()) > 6
    assert all(not set(d.tokens) & set(range(3, 40)) for d in found.values())


def test_frequencies_are_the_probabilities():
    """4,000 first tokens against the model's own distribution: chi-squared at 0.1 %."""
    from scipy.stats import chi2

    model = network("llama")
    with torch.no_grad():
        p = model(torch.tensor([PROMPTS[0]])).logits[0, -1].softmax(-1).double().numpy()
    found = draw(model, [Draw(PROMPTS[0], seed, 1) for seed in range(4000)])
    counts = torch.zeros(97)
    for d in found.values():
        for token in d.tokens:
            counts[token] += 1
    common = p * 4000 >= 5
    ends = model.generation_config.eos_token_id
    common[ends] = False
    observed, expected = counts.numpy()[common], 4000 * p[common]
    statistic = float(((observed - expected) ** 2 / expected).sum())
    assert statistic < chi2.isf(1e-3, int(common.sum()))


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    chances = torch.tensor([[0.1, 0.5, 0.3, 0.1], [0.25, 0.25, 0.25, 0.25]])
    kept = (_nucleus(chances, 0.7) > 0).tolist()
    assert kept[0] == [False, True, True, False]
    assert sum(kept[1]) == 3


def test_logits_that_are_not_finite_are_an_error():
    model = network("llama")
    with torch.no_grad():
        model.model.norm.weight[:] = float("nan")
    with pytest.raises(FloatingPointError):
        draw(model, [Draw(PROMPTS[0], 0, 3)])
