"""The completions protocol: a text goes on, and its own log-probabilities come back."""

from __future__ import annotations

import math
from typing import Any

import pytest

from harness.backends import completions
from harness.nouns import Finish, Message, Request, Want
from tests.backends.asking import YES_NO, answers, backend
from tests.backends.fake_server import FakeServer, chances, echoed, words
from tests.backends.test_chat import model

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]

ASK = Request("p", (Message("user", "Hire?"),), Want.NEXT_TOKEN, YES_NO)


def test_the_prompt_is_put_as_a_local_model_gets_it() -> None:
    body = completions.body(model(system_prompt="Be fair."), ASK)
    assert body["prompt"] == "Be fair.\n\nHire?\nAnswer:"
    assert body["logprobs"] == 20 and body["max_tokens"] == 1 and "messages" not in body


def test_first_token_probabilities(server: FakeServer) -> None:
    for got in answers(backend(server, endpoint="completions"), 5):
        prompt = f"Case {got.prompt[1:]}. Hire?\nAnswer:"
        yes = sum(chances(prompt)[token] for token in ("Yes", " Yes", "yes"))
        assert got.logprobs is not None
        assert math.exp(got.logprobs["yes"]) == pytest.approx(yes)


def test_sampled_text(server: FakeServer) -> None:
    got = answers(backend(server, endpoint="completions"), 3, Want.TEXT)
    assert all(r.text for r in got) and {b["max_tokens"] for b in server.seen} == {8}


def test_the_likelihood_of_every_spelling_is_read_from_the_echo(server: FakeServer) -> None:
    asked = backend(server, endpoint="completions")
    assert asked.offers(Want.SEQUENCE)
    for got in answers(asked, 4, Want.SEQUENCE):
        prompt = f"Case {got.prompt[1:]}. Hire?\nAnswer:"
        # only " Yes" and " No" begin a token; "Yes" would be read as one with "Answer:"
        assert words(prompt + " Yes")[-1] == " Yes"
        assert got.logprobs == {
            "yes": echoed(prompt + " Yes")[-1],
            "no": echoed(prompt + " No")[-1],
        }


ECHO: dict[str, Any] = {
    "tokens": ["Hire", "?\nAnswer:", " Yes", " it", "."],
    "token_logprobs": [None, -1.0, -2.0, -4.0, -8.0],
    "text_offset": [0, 4, 13, 17, 20],
}


def scored(**changes: Any) -> Any:
    data = {"choices": [{"text": "", "logprobs": ECHO | changes}]}
    return completions.scored(model(), ASK, " Yes it", data)


@pytest.mark.parametrize("offsets", [ECHO["text_offset"], None, [1]])
def test_only_the_tokens_of_the_answer_count(offsets: Any) -> None:
    assert scored(text_offset=offsets).logprobs == {" Yes it": -6.0}


def test_a_token_over_the_border_gives_no_likelihood() -> None:
    got = scored(tokens=["Hire", "?\nAns", "wer: Yes", " it", "."], text_offset=[0, 4, 9, 17, 20])
    assert got.logprobs == {} and got.finish is Finish.STOP


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": None},
        {"tokens": ["Hire"], "token_logprobs": [None]},
        {"token_logprobs": [None, -1.0, None, -4.0, -8.0]},
        {"token_logprobs": [None, -1.0, 2.5, -4.0, -8.0]},
        {"token_logprobs": [-1.0]},
    ],
)
def test_an_echo_that_is_none_raises(changes: Any) -> None:
    with pytest.raises(ValueError, match="the server"):
        scored(**changes)


@pytest.mark.parametrize(
    "data", [{}, {"choices": []}, {"choices": [{}]}, {"choices": [{"text": 1}]}]
)
def test_what_is_no_completion_raises(data: Any) -> None:
    with pytest.raises(ValueError, match="the answer has"):
        completions.response(ASK, data)
