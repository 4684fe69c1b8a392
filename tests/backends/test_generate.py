"""Generation against transformers' own `generate`, and samples that ignore their neighbours."""

from __future__ import annotations

import pytest
import torch

from harness.backends.engine import Engine, decoding, sampling
from harness.backends.engine.decoding import generate, one_prompt_at_a_time
from harness.backends.engine.sampling import Draw, Drawn, choose, nucleus
from tests.backends.test_engine import ARCHITECTURES, network

PROMPTS = [(5, 6, 7, 8), (5, 6, 7, 9, 10), (11, 12)]


def draw(model, draws, temperature=1.0, top_p=1.0):
    return dict(Engine(model).generate(draws, temperature=temperature, top_p=top_p))


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


def test_a_sample_is_the_same_whatever_the_number_of_rows():
    """Rounding aside, which a fixed seed leaves without effect here."""
    model = network("llama")
    draws = {i: Draw(p, i, 9) for i, p in enumerate(PROMPTS * 6)}
    engine = Engine(model)
    settings = {"temperature": 1.0, "top_p": 1.0}
    whole = dict(engine.generate(list(draws.values()), **settings))
    for rows in (1, 2, 5):
        few = generate(model, engine._prefill, 512, draws, rows=rows, **settings)
        assert dict(few) == whole
    assert dict(one_prompt_at_a_time(model, draws, **settings)) == whole


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_the_probabilities_drawn_from_are_those_of_batch_1(kind, monkeypatch):
    """Log p at every step of every row, prompts of several lengths side by side."""
    model = network(kind)
    engine = Engine(model)
    seen: dict[tuple[int, ...], torch.Tensor] = {}

    def watched(logits, rows, *settings):
        for row, scores in zip(rows, logits.log_softmax(-1), strict=True):
            seen[row.draw.tokens + tuple(row.tokens)] = scores
        return choose(logits, rows, *settings)

    monkeypatch.setattr(decoding, "choose", watched)
    list(engine.generate([Draw(p, i, 8) for i, p in enumerate(PROMPTS * 3)],
                         temperature=1.0, top_p=1.0))  # fmt: skip
    assert len(seen) > 40
    for tokens, scores in seen.items():
        with torch.no_grad():
            expected = model(torch.tensor([tokens])).logits[0, -1].log_softmax(-1)
        assert float((scores - expected).abs().max()) <= 5e-4


def shapes(monkeypatch, model) -> list[int]:
    """Tokens computed in every call of the network from now on."""
    whole, sizes = model.forward, []

    def counted(input_ids, *args, **options):
        sizes.append(input_ids.numel())
        return whole(input_ids, *args, **options)

    monkeypatch.setattr(model, "forward", counted)
    return sizes


def test_a_prompt_and_what_prompts_share_is_computed_once(monkeypatch):
    model = network("llama")
    engine = Engine(model)
    sizes = shapes(monkeypatch, model)
    draws = [Draw(p, seed, 6) for p in PROMPTS for seed in range(7)]
    found = dict(engine.generate(draws, temperature=1.0, top_p=1.0))
    computed = sum(len(d.tokens) - (not d.ended) for d in found.values())
    assert sum(sizes) == 4 + 2 + 2 + computed


def test_rows_leave_when_they_end_and_new_rows_enter(monkeypatch):
    """More samples than rows, many end tokens: the places of those that ended are taken."""
    model = network("llama")
    model.generation_config.eos_token_id = list(range(3, 20))
    engine = Engine(model)
    sizes = shapes(monkeypatch, model)
    draws = {i: Draw((5 + i, 50, 51), i, 12) for i in range(60)}
    found = dict(generate(model, engine._prefill, 512, draws, temperature=1.0, top_p=1.0, rows=8))
    assert sorted(found) == list(range(60))
    assert all(not set(d.tokens) & set(range(3, 20)) for d in found.values())
    steps = [size for size in sizes if size <= 8]
    assert sum(steps) / len(steps) > 6
    assert len({len(d.tokens) for d in found.values()}) > 5


def test_a_full_grid_is_left_row_by_row(monkeypatch):
    model = network("llama")
    model.generation_config.eos_token_id = list(range(3, 40))
    engine = Engine(model)
    sizes = shapes(monkeypatch, model)
    list(engine.generate([Draw(PROMPTS[0], seed, 12) for seed in range(12)],
                         temperature=1.0, top_p=1.0))  # fmt: skip
    assert sizes[1:] == sorted(sizes[1:], reverse=True)
    assert sizes[-1] < 12


def test_a_stop_rule_ends_a_sample():
    model = network("llama")
    free = draw(model, [Draw(PROMPTS[0], 3, 12)])[0]
    told = Draw(PROMPTS[0], 3, 12, stopped=lambda tokens: len(tokens) == 4)
    assert draw(model, [told])[0] == Drawn(free.tokens[:4], True)


def test_out_of_memory_halves_the_rows_and_goes_on(monkeypatch):
    model = network("llama")
    engine = Engine(model)
    draws = [Draw(p, seed, 8) for p in PROMPTS for seed in range(5)]
    whole = dict(engine.generate(draws, temperature=1.0, top_p=1.0))
    forward = model.forward

    def short_of_memory(input_ids, *args, **options):
        if input_ids.numel() > 9:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: planted")
        return forward(input_ids, *args, **options)

    monkeypatch.setattr(model, "forward", short_of_memory)
    assert dict(engine.generate(draws, temperature=1.0, top_p=1.0)) == whole
    assert "down to 8 for lack of memory" in engine.sampling

    def hopeless(*_, **__):
        raise torch.OutOfMemoryError("planted")

    monkeypatch.setattr(model, "forward", hopeless)
    with pytest.raises(torch.OutOfMemoryError):
        list(engine.generate(draws, temperature=1.0, top_p=1.0))


def test_beyond_a_sliding_window_text_is_generated_plainly(monkeypatch):
    model = network("gemma3_text", sliding_window=8)
    engine = Engine(model)
    assert engine.path.startswith("prefix tree")
    found = dict(engine.generate([Draw(PROMPTS[0], 0, 12)], temperature=0.0, top_p=1.0))
    assert "plain in blocks" in engine.path
    ids = torch.tensor([PROMPTS[0]])
    made = model.generate(ids, max_new_tokens=12, do_sample=False, pad_token_id=0)[0, 4:].tolist()
    assert list(found[0].tokens) == made[: len(found[0].tokens)]


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


def test_top_p_keeps_the_smallest_set_that_reaches_it(monkeypatch):
    chances = torch.tensor([[0.1, 0.5, 0.3, 0.1], [0.25, 0.25, 0.25, 0.25]])
    for top in (1024, 2):  # the second row needs more than two: all are sorted
        monkeypatch.setattr(sampling, "TOP", top)
        kept, places = nucleus(chances, 0.7)
        assert sorted(places[0][kept[0] > 0].tolist()) == [1, 2]
        assert int((kept[1] > 0).sum()) == 3


def test_top_p_draws_only_what_it_keeps():
    model = network("llama")
    with torch.no_grad():
        chances = model(torch.tensor([PROMPTS[0]])).logits[:, -1].softmax(-1)
    kept, places = nucleus(chances, 0.5)
    allowed = set(places[0][kept[0] > 0].tolist())
    found = draw(model, [Draw(PROMPTS[0], seed, 1) for seed in range(300)], top_p=0.5)
    assert {t for d in found.values() for t in d.tokens} <= allowed
    assert 1 < len(allowed) < 97


def test_a_row_whose_logits_are_not_finite_fails_alone(monkeypatch):
    model = network("llama")
    engine = Engine(model)
    draws = [Draw(p, seed, 8) for p in PROMPTS for seed in range(3)]
    whole = dict(engine.generate(draws, temperature=1.0, top_p=1.0))

    def spoiled(logits, rows, *settings):
        logits = logits.clone()
        for place, row in enumerate(rows):
            if row.index == 4 and len(row.tokens) == 2:
                logits[place, 7] = float("nan")
        return choose(logits, rows, *settings)

    monkeypatch.setattr(decoding, "choose", spoiled)
    found = dict(engine.generate(draws, temperature=1.0, top_p=1.0))
    assert found.pop(4) == Drawn(whole[4].tokens[:2], False, failed=True)
    assert found == {i: d for i, d in whole.items() if i != 4}


def test_a_network_of_nan_fails_every_row():
    model = network("llama")
    engine = Engine(model)
    with torch.no_grad():
        model.model.norm.weight[:] = float("nan")
    for settings in ({"temperature": 0.0}, {"temperature": 1.0}):
        found = dict(engine.generate([Draw(p, 0, 3) for p in PROMPTS], top_p=0.9, **settings))
        assert all(d.failed and not d.tokens for d in found.values())
