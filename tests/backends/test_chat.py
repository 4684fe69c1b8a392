"""What is sent to a chat server and what is read of its answers: pure functions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from harness.backends import chat
from harness.models import RemoteModel
from harness.nouns import Finish, Message, Option, Request, Want

YES_NO = (
    Option("yes", ("Yes", " Yes", "yes")),
    Option("no", ("No", " No", "no")),
)
ASK = Request("p1", (Message("user", "Hire?"),), Want.NEXT_TOKEN, YES_NO)
SAY = Request("p1", (Message("user", "Hire?"),), Want.TEXT, YES_NO, max_tokens=7, seed=2**40 + 5)


def model(**keys: Any) -> RemoteModel:
    given = {"name": "m", "family": "f", "version": "1", "backend": "openai",
             "base_url": "http://localhost/v1", "model": "served"}  # fmt: skip
    return RemoteModel.model_validate(given | keys)


def reply(*top: tuple[str, float], text: str = "Yes", **choice: Any) -> dict[str, Any]:
    """A completion of one token with these log-probabilities."""
    entries = [{"token": token, "logprob": logprob} for token, logprob in top]
    content = [{"token": text, "logprob": -0.1, "top_logprobs": entries}] if top else None
    whole = {"message": {"content": text}, "finish_reason": "length",
             "logprobs": {"content": content}}  # fmt: skip
    return {"choices": [whole | choice], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}


def test_next_token_asks_one_token_with_log_probabilities() -> None:
    body = chat.body(model(), ASK)
    assert body["messages"] == [{"role": "user", "content": "Hire?"}]
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 20)
    assert body["temperature"] == 1 and "n" not in body


def test_text_is_drawn_with_the_definitions_decoding_and_the_requests_seed() -> None:
    body = chat.body(model(decoding={"temperature": 0.7, "top_p": 0.9}), SAY)
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.7, 0.9, 7)
    assert body["seed"] == 5 and "n" not in body and "logprobs" not in body


def test_a_form_names_the_options_and_nothing_else() -> None:
    body = chat.body(model(), replace(SAY, want=Want.FORM))
    said = body["response_format"]
    assert (said["type"], said["json_schema"]["strict"]) == ("json_schema", True)
    schema = said["json_schema"]["schema"]
    assert schema["properties"] == {"answer": {"type": "string", "enum": ["yes", "no"]}}
    assert (schema["required"], schema["additionalProperties"]) == (["answer"], False)
    assert "response_format" not in chat.body(model(), SAY)


def test_system_prompt_goes_first() -> None:
    body = chat.body(model(system_prompt="Be fair."), SAY)
    assert body["messages"][0] == {"role": "system", "content": "Be fair."}
    assert len(body["messages"]) == 2


def test_spellings_are_summed_each_token_once() -> None:
    top = (("Yes", math.log(0.3)), (" Yes", math.log(0.1)), ("\nyes ", math.log(0.05)),
           ("No", math.log(0.2)), ("no", math.log(0.1)), ("Maybe", math.log(0.1)))  # fmt: skip
    got = chat.response(ASK, reply(*top))
    assert got.logprobs is not None
    assert math.exp(got.logprobs["yes"]) == pytest.approx(0.45)
    assert math.exp(got.logprobs["no"]) == pytest.approx(0.3)
    assert got.finish is Finish.STOP and got.text == "Yes" and got.absent_below is None
    assert (got.prompt_tokens, got.completion_tokens) == (9, 1)


def test_a_token_listed_twice_counts_once() -> None:
    got = chat.response(ASK, reply(("Yes", -1.0), ("Yes", -1.0), ("No", -2.0)))
    assert got.logprobs == {"yes": -1.0, "no": -2.0}


def test_an_exact_spelling_beats_one_with_blanks() -> None:
    options = (Option("tight", ("A",)), Option("wide", (" A",)))
    assert chat.option_logprobs({" A": -1.0, "A": -2.0}, options) == {"wide": -1.0, "tight": -2.0}


def test_tiny_probabilities_do_not_underflow() -> None:
    got = chat.option_logprobs({"Yes": -900.0, "yes": -900.0}, YES_NO)
    assert got["yes"] == pytest.approx(-900 + math.log(2))


def test_an_option_outside_the_list_is_absent_and_bounded() -> None:
    got = chat.response(ASK, reply(("Yes", -0.05), ("Sure", -6.0), ("I", -8.0)))
    assert got.logprobs == {"yes": -0.05}
    assert got.absent_below == pytest.approx(-8.0 + math.log(3))  # three spellings of "no"


def test_no_option_in_the_list_is_an_empty_mapping() -> None:
    got = chat.response(ASK, reply(("I", -0.1), ("The", -3.0)))
    assert got.logprobs == {} and got.absent_below is not None


def test_the_drawn_token_does_not_change_what_is_measured() -> None:
    data = reply(("Yes", -0.05), ("I", -8.0), text="No")
    assert chat.response(ASK, data).logprobs == {"yes": -0.05}


@pytest.mark.parametrize(
    "top",
    [
        (("Yes", 3.2), ("No", 1.0)),  # logits
        (("Yes", -0.1), ("No", -0.1)),  # sum to 1.8
        (("Yes", None), ("No", "x")),
        (("Yes", -9999.0), ("No", -9999.0)),
        (("Yes", -0.1),),  # only the drawn token
        (),
    ],
)
def test_lists_that_are_no_log_probabilities_are_not_used(top: Any) -> None:
    data = reply(*top)
    assert chat.top_tokens(chat.first_choice(data)) == {}
    with pytest.raises(ValueError, match="left out"):
        chat.response(ASK, data)


@pytest.mark.parametrize("logprobs", [None, [], "x", {"content": {}}, {"content": [3]}, {}])
def test_log_probabilities_of_another_shape_are_none(logprobs: Any) -> None:
    assert chat.top_tokens({"logprobs": logprobs}) == {}


def test_empty_completions_are_empty_text() -> None:
    for data in (reply(text=""), reply(text="", message={"content": None})):
        got = chat.response(SAY, data)
        assert got.text == "" and got.logprobs is None


def test_first_token_that_ends_the_answer_keeps_its_log_probabilities() -> None:
    got = chat.response(ASK, reply(("<end>", -1.5), ("Yes", -1.0), ("No", -2.0), text=""))
    assert got.text == "" and got.logprobs == {"yes": -1.0, "no": -2.0}


def test_finish_reasons() -> None:
    said = {reason: chat.response(SAY, reply(finish_reason=reason)).finish
            for reason in ("stop", "length", "content_filter", "eos", None)}  # fmt: skip
    assert said == {"stop": Finish.STOP, "length": Finish.LENGTH, "eos": Finish.STOP,
                    "content_filter": Finish.FILTER, None: Finish.STOP}  # fmt: skip
    assert chat.response(ASK, reply(finish_reason="content_filter")).finish is Finish.FILTER


def test_a_refusal_beside_the_content_is_the_text() -> None:
    message = {"content": None, "refusal": "I cannot help."}
    assert chat.response(SAY, reply(message=message)).text == "I cannot help."


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"choices": None},
        {"choices": {}},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"message": "Yes"}]},
        {"choices": [{"message": {"content": ["Yes"]}}]},
        {"error": {"message": "x"}},
    ],
)
def test_what_is_no_completion_raises(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the answer"):
        chat.response(SAY, data)


@pytest.mark.parametrize("usage", [None, 7, {"prompt_tokens": None}, {"prompt_tokens": "9"}])
def test_usage_may_be_anything(usage: Any) -> None:
    assert chat.response(SAY, reply() | {"usage": usage}).prompt_tokens == 0


def test_failures_say_whether_the_prompt_was_too_long_or_filtered() -> None:
    long = "400: context_length_exceeded: This model's maximum context length is 4096 tokens"
    got = chat.failure(ASK, long, declined=True)
    assert got.finish is Finish.ERROR and got.truncated and got.detail == long
    filtered = "400: content_filter: the prompt was blocked"
    assert chat.failure(ASK, filtered, declined=True).finish is Finish.FILTER
    plain = chat.failure(ASK, "500: context length service is ill", declined=False)
    assert plain.finish is Finish.ERROR and not plain.truncated
    ill = chat.failure(ASK, "503: the content_filter is ill", declined=False)
    assert ill.finish is Finish.ERROR


# -- thoughts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        ("<think>She is old.</think>\n\nYes", "Yes", "She is old."),
        ("She is old.</think>Yes", "Yes", "She is old."),  # the template opened the block
        ("<think>\n\n</think>\n\nNo", "No", None),
        ("<think>and so on and so", "", "and so on and so"),  # cut: there is no answer
        ("Yes, I <think> so.", "Yes, I <think> so.", None),
        ("Yes", "Yes", None),
        ("a <think> b </think> c", "a <think> b </think> c", None),
    ],
)
def test_thoughts_are_taken_out_of_the_text(text: str, answer: str, thoughts: str | None) -> None:
    got = chat.response(SAY, reply(message={"content": text}))
    assert (got.text, got.reasoning) == (answer, thoughts)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_in_a_field_of_their_own(name: str) -> None:
    got = chat.response(SAY, reply(message={"content": "Yes", name: "She is old."}))
    assert (got.text, got.reasoning) == ("Yes", "She is old.")


def test_thinking_has_tokens_of_its_own() -> None:
    assert chat.body(model(reasoning_tokens=1000), SAY)["max_tokens"] == 1007


def test_withheld_and_broken_answers() -> None:
    assert chat.response(SAY, reply(finish_reason="sensitive")).finish is Finish.FILTER
    with pytest.raises(ValueError, match="insufficient_system_resource"):
        chat.response(SAY, reply(finish_reason="insufficient_system_resource"))


# -- likelihoods of whole answers ----------------------------------------------------------------


def prompt_logprobs(*tokens: tuple[str, float | None]) -> dict[str, Any]:
    shown = [None, *({"9": {"logprob": p, "decoded_token": t}} for t, p in tokens)]
    return {"prompt_logprobs": shown, **reply()}


def test_a_whole_answer_stands_unfinished_in_the_prompt() -> None:
    body = chat.scoring(model(system_prompt="Be fair."), ASK, "Yes, hire")
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant"]
    assert body["messages"][-1]["content"] == "Yes, hire"
    assert body["continue_final_message"] and not body["add_generation_prompt"]
    assert body["prompt_logprobs"] == 0


def test_its_tokens_are_taken_from_the_end() -> None:
    data = prompt_logprobs(
        ("Yes", -50.0), ("\n", -9.0), ("Yes", -1.0), (",", -2.0), (" hire", -4.0)
    )
    assert chat.scored(model(), ASK, "Yes, hire", data).logprobs == {"Yes, hire": -7.0}


def test_a_token_over_the_border_gives_no_likelihood() -> None:
    data = prompt_logprobs(("?", -1.0), (":Yes", -1.0))
    assert chat.scored(model(), ASK, "Yes", data).logprobs == {}


@pytest.mark.parametrize(
    "data",
    [
        {"choices": [{"message": {}}]},
        prompt_logprobs(("Yes", None)),
        prompt_logprobs(("Yes", 0.7)),
        {"prompt_logprobs": [3], **reply()},
    ],
)
def test_log_probabilities_of_a_prompt_that_are_none_raise(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the server left out"):
        chat.scored(model(), ASK, "Yes", data)
