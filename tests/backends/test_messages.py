"""The Messages protocol of Anthropic."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harness.backends import messages
from harness.errors import ModelError
from harness.nouns import Finish, Message, Request, Want
from tests.backends.asking import answers, backend
from tests.backends.fake_server import FakeServer, status
from tests.backends.test_chat import model

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]

SAY = Request("p", (Message("user", "Hire?"),), Want.TEXT, max_tokens=8, seed=5)
CLAUDE = {"backend": "anthropic", "logprobs": None}


def reply(*content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "content": list(content), "stop_reason": "end_turn",
            "usage": {"input_tokens": 9, "output_tokens": 2}, **more}  # fmt: skip


def test_what_is_asked() -> None:
    body = messages.body(model(backend="anthropic", system_prompt="Be fair."), SAY)
    assert body == {
        "model": "served", "messages": [{"role": "user", "content": "Hire?"}], "max_tokens": 8,
        "temperature": 1.0, "system": "Be fair.",
    }  # fmt: skip
    assert messages.body(model(decoding={"top_p": 0.9}), SAY)["top_p"] == 0.9


def test_text_and_thoughts_are_kept_apart() -> None:
    said = reply({"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes"},
                 {"type": "text", "text": "."})  # fmt: skip
    got = messages.response(SAY, said)
    assert (got.text, got.reasoning, got.finish) == ("Yes.", "hm", Finish.STOP)
    assert (got.prompt_tokens, got.completion_tokens) == (9, 2)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_tokens", Finish.LENGTH), ("refusal", Finish.FILTER), ("stop_sequence", Finish.STOP),
     (None, Finish.STOP), (["x"], Finish.STOP)],
)  # fmt: skip
def test_finish_reasons(reason: Any, finish: Finish) -> None:
    assert messages.response(SAY, reply(stop_reason=reason)).finish is finish


@pytest.mark.parametrize(
    "data", [{}, {"content": "Yes"}, {"type": "error", "content": []},
             {"content": [{"type": "text"}]}]
)  # fmt: skip
def test_what_is_no_message_raises(data: Any) -> None:
    with pytest.raises(ValueError, match="the answer"):
        messages.response(SAY, data)


def test_a_run_of_samples(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-ant-0123456789")
    server.script.append(status(529, {"type": "overloaded_error", "message": "later"}))
    asked = backend(server, api_key_env="TEST_KEY", **CLAUDE)
    assert not asked.offers(Want.NEXT_TOKEN) and not asked.offers(Want.SEQUENCE)
    assert server.seen == []
    assert all(r.text and r.finish is Finish.STOP for r in answers(asked, 4, Want.TEXT))
    for headers in server.headers:
        assert headers["x-api-key"] == "sk-ant-0123456789" and "Authorization" not in headers
        assert headers["anthropic-version"] == "2023-06-01"
    assert asked.facts()["usage"]["retries"] == 1 and "no seeds" in asked.facts()["offer"]


def test_probabilities_are_not_to_be_had(server: FakeServer) -> None:
    with pytest.raises(ModelError, match="no log-probabilities"):
        answers(backend(server, **CLAUDE), 1)
    with pytest.raises(ModelError, match="no log-likelihoods"):
        answers(backend(server, **CLAUDE), 1, Want.SEQUENCE)


@pytest.mark.parametrize(
    ("keys", "words"),
    [({"endpoint": "completions"}, "no endpoint but chat"),
     ({"decoding": {"temperature": 1.5}}, "up to 1"), ({"logprobs": True}, "no log-prob")],
)  # fmt: skip
def test_definitions_it_cannot_follow(keys: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        model(backend="anthropic", **keys)
