"""The transformers backend against plain batch-1 computations on a tiny random model."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.backends import weights
from harness.backends.local import LocalBackend
from harness.backends.spelling import plain as running_text
from harness.errors import InputError
from harness.models import LocalModel
from harness.nouns import Finish, Message, Option, Request, Status, Want

YES_NO = (Option("yes", ("Yes", " Yes", "yes", " yes")), Option("no", ("No", " No", "no", " no")))


def request(i: int, words: str, want=Want.NEXT_TOKEN, **changes) -> Request:
    return Request(
        **{"prompt": f"p{i}", "messages": (Message("user", words),), "want": want,
           "options": YES_NO, **changes}
    )  # fmt: skip


REQUESTS = [
    request(i, f"Should the bank lend to {who}? Answer Yes or No.")
    for i, who in enumerate(
        ["a nurse", "a courier", "a teacher", "a nurse who has paid every bill", "x", "x", "a"] * 3
    )
]


def answers(model, requests, blocks=None):
    backend = LocalBackend(model)
    return {r.prompt: r for r in backend.answer(blocks or [requests])}


def plain(folder, words: str, continuation: str = "", template: bool = True):
    """log p of every token after the prompt, by one forward pass of one row."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": words}], add_generation_prompt=True, tokenize=False
    ) if template else words  # fmt: skip
    ids = tokenizer(text, add_special_tokens=not template)["input_ids"]
    tail = tokenizer(continuation, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        rows = network(torch.tensor([ids + tail])).logits[0].log_softmax(-1)
    return tokenizer, rows[len(ids) - 1 :], tail


def test_next_token_probabilities_are_those_of_plain_batch_1(tiny, tiny_model):
    found = answers(tiny, REQUESTS)
    assert len(found) == len(REQUESTS)
    for asked in REQUESTS[:5]:
        tokenizer, rows, _ = plain(tiny_model, asked.messages[0].content)
        for option in YES_NO:
            ids = {tokenizer(s, add_special_tokens=False)["input_ids"][0]
                   for s in option.spellings
                   if len(tokenizer(s, add_special_tokens=False)["input_ids"]) == 1}  # fmt: skip
            expected = rows[0, sorted(ids)].exp().sum().log()
            got = found[asked.prompt].logprobs[option.name]
            assert got == pytest.approx(float(expected), abs=5e-4)
        assert found[asked.prompt].prompt_tokens > 10


def test_an_option_that_begins_as_all_do_counts_by_its_next_token(tiny, tiny_model):
    """A space and a digit are two tokens to many tokenizers: " 1" is then read after the space."""
    digits = tuple(Option(d, (f" as {d}",)) for d in "12")
    asked = request(0, "How many?", options=digits)
    found = answers(tiny, [asked, request(1, "How many more?", options=digits)])["p0"].logprobs
    for digit in "12":
        _, rows, tail = plain(tiny_model, "How many?", f" as {digit}")
        assert len(tail) > 1
        expected = sum(float(rows[i, t]) for i, t in enumerate(tail))
        assert found[digit] == pytest.approx(expected, abs=5e-4)
    both = tuple(Option(d, (d, f" as {d}")) for d in "12")  # the spellings' chances add up
    backend = LocalBackend(tiny)
    backend.ready()
    tail = plain(tiny_model, "x", " as 1")[2]
    logits = torch.zeros(len(tail), 512)
    for i, token in enumerate(tail[:-1]):
        logits[i, token] = math.log(511)  # half of the chance; at last all are alike
    read = backend._read(backend._parts(request(0, "x", options=both), (1,))[0], logits)
    assert isinstance(read, dict)
    longer = 0.5 ** (len(tail) - 1) / 512
    assert read["1"] == pytest.approx(math.log(1 / 1022 + longer), abs=1e-6)


def test_a_plain_prompt_asks_for_its_answer_in_its_own_language():
    assert running_text([Message("user", "Answer Yes or No.")]).endswith("\nAnswer:")
    chinese = [Message("system", "Be brief."), Message("user", "请只回答“是”或“否”。")]
    assert running_text(chinese) == "Be brief.\n\n请只回答“是”或“否”。\n回答："


def test_a_number_does_not_depend_on_the_neighbours(tiny):
    together = answers(tiny, REQUESTS)
    for asked in REQUESTS[:4]:
        alone = answers(tiny, [asked])[asked.prompt]
        for name, value in alone.logprobs.items():
            assert together[asked.prompt].logprobs[name] == pytest.approx(value, abs=5e-4)


def test_a_block_gives_the_same_digits_whatever_comes_before_it(tiny):
    whole = answers(tiny, [], blocks=[REQUESTS[:7], REQUESTS[7:]])
    second = answers(tiny, [], blocks=[REQUESTS[7:]])
    assert all(whole[name] == second[name] for name in second)


def test_sequence_log_likelihood_is_the_sum_over_the_continuation(tiny, tiny_model):
    options = (Option("a", (" the nurse has paid",)), Option("b", (" a teacher",)))
    asked = request(0, "Who?", Want.SEQUENCE, options=options)
    found = answers(tiny, [asked, request(1, "Who? A nurse?", Want.SEQUENCE, options=options)])
    for option in options:
        _, rows, tail = plain(tiny_model, "Who?", option.spellings[0])
        expected = sum(float(rows[i, token]) for i, token in enumerate(tail))
        assert found["p0"].logprobs[option.name] == pytest.approx(expected, abs=5e-4)


def test_samples_follow_their_own_seed(tiny):
    def drawn(*seeds):
        asked = [request(i, "Tell.", Want.TEXT, max_tokens=8, seed=s) for i, s in enumerate(seeds)]
        return [r.text for r in answers(tiny, asked).values()]

    alone = [drawn(seed)[0] for seed in (1, 2, 3)]
    assert drawn(1, 2, 3) == alone
    assert len(set(alone)) > 1


def test_a_stop_string_ends_the_text_and_is_left_out(tiny):
    asked = request(0, "Tell.", Want.TEXT, max_tokens=40, seed=5)
    [free] = answers(tiny, [asked]).values()
    middle = len(free.text) // 2
    stop = free.text[middle : middle + 2]
    told = replace(asked, stop=("never said", stop))
    cut = answers(tiny, [told, request(1, "Who?", Want.TEXT)])["p0"]
    assert cut.text == free.text[: free.text.index(stop)]
    assert cut.finish is Finish.STOP
    assert 0 < cut.completion_tokens < free.completion_tokens


def test_greedy_decoding_is_that_of_generate(tiny, tiny_model):
    greedy = tiny.model_copy(update={"decoding": {"temperature": 0.0}})
    greedy = LocalModel.model_validate({**tiny.model_dump(), "decoding": {"temperature": 0.0}})
    [found] = answers(greedy, [request(0, "Tell.", Want.TEXT, max_tokens=6)]).values()
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    network = AutoModelForCausalLM.from_pretrained(tiny_model).eval()
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Tell."}], add_generation_prompt=True, tokenize=False
    )
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    out = network.generate(ids, max_new_tokens=6, do_sample=False)[0, ids.shape[1] :]
    assert found.text == tokenizer.decode(out, skip_special_tokens=True)
    assert found.completion_tokens == len(out)


def test_a_system_prompt_comes_first_and_counts_its_tokens(tiny):
    told = LocalModel.model_validate({**tiny.model_dump(), "system_prompt": "Be a nurse."})
    [plainly] = answers(tiny, REQUESTS[:1]).values()
    [with_it] = answers(told, REQUESTS[:1]).values()
    assert with_it.prompt_tokens > plainly.prompt_tokens
    assert with_it.logprobs != plainly.logprobs


def test_plain_prompts_use_no_template(tiny, tiny_model):
    model = LocalModel.model_validate({**tiny.model_dump(), "prompt": "plain"})
    [found] = answers(model, REQUESTS[:1]).values()
    words = REQUESTS[0].messages[0].content + "\nAnswer:"
    tokenizer, rows, _ = plain(tiny_model, words, template=False)
    ids = {tokenizer(s, add_special_tokens=False)["input_ids"][0] for s in ("Yes", " Yes")}
    assert math.exp(found.logprobs["yes"]) >= float(rows[0, sorted(ids)].exp().sum()) - 1e-5


def test_an_over_long_prompt_is_truncated_not_scored(tiny):
    found = answers(tiny, [request(0, "the bank " * 400), *REQUESTS[1:3]])
    assert found["p0"].truncated
    assert found["p0"].finish is Finish.ERROR
    assert found["p0"].logprobs is None
    assert "do not fit the model's context of 256" in found["p0"].detail
    assert found["p1"].logprobs


def test_nan_logits_are_an_error_and_never_a_number(tiny, tiny_model, tmp_path):
    folder = tmp_path / "nan"
    shutil.copytree(tiny_model, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][:] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model = LocalModel.model_validate({**tiny.model_dump(), "path": str(folder)})
    for response in answers(model, REQUESTS[:3]).values():
        assert response.finish is Finish.ERROR
        assert response.logprobs is None
        assert response.detail == "the model's logits are not finite"
        from harness.design import Design
        from harness.kinds import score
        from harness.responses import Responses
        from tests.test_decision import PROMPT

        asked = Design.of([replace(PROMPT, id=response.prompt)])
        statuses = score(asked, Responses.of([response]))["status"].to_pylist()
        assert statuses == [Status.ERROR]


def broken(tmp_path, tiny_model, spoil):
    folder = tmp_path / "broken"
    shutil.copytree(tiny_model, folder)
    spoil(folder)
    return LocalModel(
        name="b", family="b", version="1", backend="transformers", path=str(folder)
    )  # fmt: skip


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def pickled(folder):
    no_weights(folder)
    torch.save({}, folder / "pytorch_model.bin")


def cut_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def no_layer(folder):
    tensors = load_file(folder / "model.safetensors")
    kept = {name: t for name, t in tensors.items() if ".layers.1." not in name}
    assert len(kept) < len(tensors)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def other_vocabulary(folder):
    config = json.loads((folder / "config.json").read_text())
    config["vocab_size"] += 7
    (folder / "config.json").write_text(json.dumps(config))


def no_template(folder):
    (folder / "chat_template.jinja").unlink()


def no_tokenizer(folder):
    for path in folder.glob("tokenizer*"):
        path.unlink()


def deaf_template(folder):
    (folder / "chat_template.jinja").write_text("{{ bos_token }}user says nothing")


def own_code(folder):
    config = json.loads((folder / "config.json").read_text())
    mapped = {"AutoConfig": "configuration_mine.Mine", "AutoModelForCausalLM": "modeling_mine.Mine"}
    config |= {"model_type": "mine", "auto_map": mapped}
    (folder / "config.json").write_text(json.dumps(config))


def strange_config(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "telepathy"}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_weights, "has no *.safetensors weights"),
        (pickled, "pickled weights are not loaded"),
        (cut_weights, "cannot be loaded"),
        (no_layer, "tensors are missing from its weights, as model.layers.1."),
        (other_vocabulary, "its config wants ("),
        (no_template, "no chat template; write `prompt: plain`"),
        (no_tokenizer, "no tokenizer.json is beside the weights"),
        (deaf_template, "its chat template leaves out what is said"),
        (own_code, "`trust_remote_code: true` in its definition"),
        (strange_config, "cannot be loaded"),
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (shutil.rmtree, "does not exist"),
    ],
)
def test_a_bad_folder_gets_a_clear_message(tmp_path, tiny_model, spoil, said):
    model = broken(tmp_path, tiny_model, spoil)
    with pytest.raises(InputError) as caught:
        weights.identity(model)
        backend = LocalBackend(model)
        backend.ready()
        list(backend.answer([REQUESTS[:1]]))
    assert said in str(caught.value)


def test_a_device_that_is_not_there_is_refused(tiny):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    for device in ("cuda", "banana", "meta"):
        model = LocalModel.model_validate({**tiny.model_dump(), "device": device})
        with pytest.raises(InputError, match=f"device '{device}' cannot be used; torch sees cpu"):
            list(LocalBackend(model).answer([REQUESTS[:1]]))


def test_options_a_tokenizer_cannot_tell_apart_are_refused(tiny):
    same = (Option("one", ("zzz1",)), Option("two", ("zzz22",)))
    with pytest.raises(InputError, match="cannot tell option"):
        answers(tiny, [request(0, "Which?", options=same)])


def test_identity_follows_the_files(tiny, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("BIAS_HARNESS_CACHE", str(tmp_path / "cache"))
    first = weights.identity(tiny)
    assert weights.identity(tiny) == first
    moved = tmp_path / "moved"
    shutil.copytree(tiny_model, moved)
    model = LocalModel.model_validate({**tiny.model_dump(), "path": str(moved)})
    assert weights.identity(model) == first
    (moved / "config.json").write_text((moved / "config.json").read_text() + " ")
    assert weights.identity(model) != first


def test_a_workload_is_counted_without_answering(tiny):
    from harness.backends import weights

    backend = LocalBackend(tiny)
    asked = REQUESTS[:2]
    work = backend.workload([asked])
    assert work.tokens == sum(len(backend.encode(r.messages)) for r in asked)
    assert 0 < work.computed < work.tokens  # the prompts share their beginning
    assert work.seconds > 0
    network = 2 * (32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 64 + 2 * 32) + 32
    assert weights.multiplied(weights.cached(tiny)) == network
