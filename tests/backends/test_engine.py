"""The prefix-tree engine gives the numbers of plain batch 1, on every architecture it serves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from harness.backends.engine import Engine, TokenSequence, attention, tree
from harness.backends.engine.tree import packs

SMALL = {
    "vocab_size": 97, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
    "head_dim": 8, "initializer_range": 0.3, "bos_token_id": 1, "eos_token_id": 2,
    "pad_token_id": 0,
}  # fmt: skip
GPT2 = {
    "vocab_size": 97, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 512,
    "initializer_range": 0.3, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
ONE_KEY_HEAD = {**SMALL, "num_key_value_heads": 1}
ARCHITECTURES = {
    "llama": SMALL,
    "qwen2": SMALL,
    "qwen3": SMALL,
    "mistral": {**SMALL, "sliding_window": None},
    "gemma": ONE_KEY_HEAD,
    "gemma3_text": {**ONE_KEY_HEAD, "sliding_window": 64},
    "phi3": {**SMALL, "sliding_window": None},
    "gpt_neox": {k: v for k, v in SMALL.items() if k not in ("num_key_value_heads", "head_dim")},
    "gpt2": GPT2,
}


def network(kind: str, **changes):
    torch.manual_seed(1)
    config = CONFIG_MAPPING[kind](**{**ARCHITECTURES.get(kind, SMALL), **changes})
    return AutoModelForCausalLM.from_config(config).eval()


def one_by_one(model, sequences):
    """Plain batch 1, eager attention, all logits."""
    used = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.no_grad():
        rows = [
            model(torch.tensor([s.tokens])).logits[0, s.read :].log_softmax(-1) for s in sequences
        ]
    model.set_attn_implementation(used)
    return rows


def apart(engine: Engine, model, sequences) -> float:
    found = {i: rows.log_softmax(-1) for i, rows in engine.logits(sequences)}
    assert sorted(found) == list(range(len(sequences)))
    expected = one_by_one(model, sequences)
    return max(
        float((found[i] - rows).abs().max()) for i, rows in enumerate(expected) if len(rows)
    )  # fmt: skip


def forest(seed: int = 0, count: int = 60) -> list[TokenSequence]:
    """Sequences that share prefixes as counterfactual prompts do."""
    rng = torch.Generator().manual_seed(seed)

    def draw(n: int) -> tuple[int, ...]:
        return tuple(torch.randint(3, 97, (n,), generator=rng).tolist())

    frames = [draw(30), draw(12)]
    cues = [draw(int(n)) for n in torch.randint(1, 6, (12,), generator=rng)]
    tails = [draw(9), draw(4)]
    made = [f + c + t for f in frames for c in cues for t in tails]
    return [TokenSequence(tokens, len(tokens) - 3) for tokens in made][:count]


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_the_tree_gives_the_numbers_of_batch_1(kind):
    model = network(kind)
    engine = Engine(model)
    assert engine.path.startswith("prefix tree"), engine.path
    assert apart(engine, model, forest()) <= 5e-4


NO_TREE = {
    "t5-like flag": ("llama", {"is_encoder_decoder": True}, "encoder-decoder"),
    "soft-capped": ("gemma2", {**ONE_KEY_HEAD, "attn_logit_softcapping": 5.0}, "eager"),
    "hybrid": ("llama", {"layer_types": ["full_attention", "linear_attention", "mamba"]}, "layers"),
}


@pytest.mark.parametrize("name", NO_TREE)
def test_what_the_tree_cannot_serve_takes_the_plain_path(name):
    kind, changes, said = NO_TREE[name]
    model = network(kind)
    for key, value in changes.items():
        if name != "soft-capped":
            setattr(model.config, key, value)
    engine = Engine(model)
    assert engine.path.startswith("plain: ")
    assert said in engine.path
    if name == "soft-capped":
        assert apart(engine, model, forest()) <= 5e-4


def test_custom_code_takes_the_plain_path():
    engine = Engine(network("llama"), custom_code=True)
    assert engine.path == "plain: its code is its own"


def test_a_tree_that_gave_other_numbers_would_be_found_out(monkeypatch):
    """Attention that looks at all tokens instead of the ancestors."""
    whole = tree.Pack.segments.func

    def leaky(pack):
        return tuple(
            tree.Segment(s.start, s.end, s.ancestors, None if s.mask is None else s.mask | True)
            for s in whole(pack)
        )

    monkeypatch.setattr(tree.Pack, "segments", property(leaky))
    engine = Engine(network("llama"))
    assert "other numbers in a trial" in engine.path


def test_beyond_a_sliding_window_the_plain_path_is_taken():
    model = network("gemma3_text", sliding_window=24)
    engine = Engine(model)
    assert engine.path.startswith("prefix tree")
    calls = []
    original = engine._plainly
    engine._plainly = lambda s: (calls.append(len(s)), original(s))[1]
    long, short = forest(), [TokenSequence(s.tokens[:20], 18) for s in forest()]
    assert apart(engine, model, long) <= 5e-4
    assert calls == [len(long)]
    assert apart(engine, model, short) <= 5e-4
    assert calls == [len(long)]


MODEL = network("llama")
ENGINE = Engine(MODEL)


def fresh_engine() -> Engine:
    return Engine(MODEL)


token = st.integers(3, 9)  # few tokens, so that prefixes are shared and sequences nested
sequence = st.lists(token, min_size=1, max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(sequence, st.integers(0, 39)), min_size=1, max_size=25))
def test_random_tries(drawn):
    """Nested, duplicate, one-token and long sequences, read from any position on."""
    sequences = [TokenSequence(tuple(t), min(read, len(t) - 1)) for t, read in drawn]
    assert apart(ENGINE, MODEL, sequences) <= 5e-4


@settings(max_examples=100, deadline=None)
@given(st.lists(sequence, min_size=1, max_size=40), st.integers(1, 60))
def test_packs_hold_every_sequence_once_within_their_limit(drawn, limit):
    sequences = [tuple(s) for s in drawn]
    made = list(packs(sequences, [0] * len(sequences), limit=limit))
    assert sorted(i for pack in made for i in pack.members) == list(range(len(sequences)))
    for pack in made:
        assert len(pack.tokens) <= max(limit, max(len(sequences[i]) for i in pack.members))
        for i, path in zip(pack.members, pack.paths, strict=True):
            assert tuple(pack.tokens[path]) == sequences[i]
            assert list(pack.depths[path]) == list(range(len(sequences[i])))
        covered = [node for s in pack.segments for node in range(s.start, s.end)]
        assert sorted(covered) == list(range(len(pack.tokens)))


@settings(max_examples=60, deadline=None)
@given(st.lists(sequence, min_size=1, max_size=30))
def test_a_token_sees_its_ancestors_and_itself_and_nothing_else(drawn):
    sequences = [tuple(s) for s in drawn]
    for pack in packs(sequences, [0] * len(sequences), limit=10_000):
        seen: dict[int, set[int]] = {}
        for s in pack.segments:
            for row in range(s.end - s.start):
                own = (
                    range(row + 1) if s.mask is None
                    else [c for c in range(s.end - s.start) if s.mask[row, c]]
                )  # fmt: skip
                seen[s.start + row] = {*s.ancestors.tolist(), *(s.start + c for c in own)}
        for path in pack.paths:
            for i, node in enumerate(path):
                assert seen[int(node)] == set(path[: i + 1].tolist())


def test_large_trees_are_cut_into_segments_and_stay_exact(monkeypatch):
    monkeypatch.setattr(tree, "SEGMENT", 16)
    for limit in (10_000, 120, 50):
        engine = fresh_engine()
        engine._limit = limit
        assert apart(engine, MODEL, forest(3)) <= 5e-4


def test_the_same_prompt_has_the_same_number_in_any_company():
    whole = dict(ENGINE.logits(forest(1)))
    for i in (0, 7, 20):
        alone = dict(ENGINE.logits([forest(1)[i]]))[0]
        assert float((whole[i].log_softmax(-1) - alone.log_softmax(-1)).abs().max()) <= 5e-4


def test_out_of_memory_halves_the_pack_and_goes_on(monkeypatch):
    engine = fresh_engine()
    whole = Engine._compute

    def short_of_memory(self, pack):
        if len(pack.tokens) > 40:
            raise torch.OutOfMemoryError("planted")
        return whole(self, pack)

    monkeypatch.setattr(Engine, "_compute", short_of_memory)
    assert apart(engine, MODEL, [TokenSequence(s.tokens[:30], 20) for s in forest(2)]) <= 5e-4
    assert "halved" in engine.path
    monkeypatch.setattr(
        Engine, "_compute", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("planted"))
    )
    with pytest.raises(torch.OutOfMemoryError):
        list(engine.logits(forest(2)))


def test_outside_a_pack_the_model_attends_as_usual():
    """Generation and plain passes of a network whose trees are being computed."""
    assert MODEL.config._attn_implementation == attention.NAME
    ids = torch.tensor([forest()[0].tokens])
    with torch.no_grad():
        mixed = MODEL(ids).logits
        made = MODEL.generate(ids, max_new_tokens=4, do_sample=False)
        MODEL.set_attn_implementation("sdpa")
        assert torch.equal(MODEL(ids).logits, mixed)
        assert torch.equal(MODEL.generate(ids, max_new_tokens=4, do_sample=False), made)
    MODEL.set_attn_implementation(attention.NAME)


def test_threads_compute_trees_of_their_own():
    from concurrent.futures import ThreadPoolExecutor

    alone = [dict(ENGINE.logits(forest(seed))) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda seed: dict(ENGINE.logits(forest(seed))), range(6)))
    for a, b in zip(alone, together, strict=True):
        assert all(torch.allclose(a[i], b[i], atol=1e-4) for i in a)


def test_unique_tokens_count_every_shared_beginning_once():
    from harness.backends.engine.tree import unique_tokens

    assert unique_tokens([(1, 2, 3), (1, 2, 4), (1, 2, 3), (5,)]) == 5
    assert unique_tokens([]) == 0
