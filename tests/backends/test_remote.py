"""The remote backend against a server on loopback: answers, what is offered, secrets."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import threading
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from harness.errors import InputError, ModelError
from harness.nouns import Finish, Request, Response, Want
from tests.backends.asking import YES_NO, answers, asks, backend
from tests.backends.fake_server import (
    Act,
    FakeServer,
    chances,
    changed,
    drop,
    echo,
    good,
    half,
    raw,
    status,
)

KEY = "sk-very-secret-0123456789"

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]


def logp(prompt: str, spellings: Sequence[str]) -> float:
    return math.log(sum(chances(prompt)[token] for token in spellings))


# -- answers ------------------------------------------------------------------------------------


def test_probabilities_of_every_prompt_over_all_spellings(server: FakeServer) -> None:
    for got in answers(backend(server), 20):
        prompt = f"Case {got.prompt[1:]}. Hire?"
        assert got.finish is Finish.STOP and got.logprobs is not None
        for option in YES_NO:
            assert got.logprobs[option.name] == pytest.approx(logp(prompt, option.spellings))


def test_every_sample_is_a_request_with_its_own_seed(server: FakeServer) -> None:
    found = answers(backend(server), 12, Want.TEXT)
    assert sorted(body["seed"] for body in server.seen) == list(range(1000, 1012))
    assert all("n" not in body and body["max_tokens"] == 8 for body in server.seen)
    assert all(r.text and r.logprobs is None for r in found)


def test_system_prompt_is_sent(server: FakeServer) -> None:
    answers(backend(server, system_prompt="Be fair."), 1)
    assert [m["role"] for m in server.seen[0]["messages"]] == ["system", "user"]


def test_facts_say_what_was_served_and_used(server: FakeServer) -> None:
    server.script.append(status(500))
    asked = backend(server)
    found = answers(asked, 4)
    assert asked.facts() == {
        "base_url": server.url,
        "model": "fake",
        "served_models": ["fake-2024-05-01"],
        "system_fingerprints": ["fp_1"],
        "logprobs": True,
        "sequences": None,
        "offer": f"{server.url} serves 'fake-2024-05-01': first-token probabilities (top 20), "
        "sampled text",
        "usage": {
            "requests": 4,
            "retries": 1,
            "cached": 0,
            "prompt_tokens": sum(r.prompt_tokens for r in found),
            "completion_tokens": 4,
            "cost": None,
        },
    }
    assert asked.identity() == {"base_url": server.url, "model": "fake"}
    assert asked.workload([asks(2)]) is None
    asked.close()


def test_never_more_requests_at_once_than_allowed(server: FakeServer) -> None:
    server.latency = 0.01
    answers(backend(server, concurrency=5), 60)
    assert server.most == 5


def test_blocks_are_drawn_only_as_slots_fall_free(server: FakeServer) -> None:
    drawn: list[int] = []

    def blocks() -> Iterator[list[Request]]:
        for i, request in enumerate(asks(50)):
            drawn.append(i)
            yield [request]

    found = backend(server, concurrency=3).answer(blocks())
    assert drawn == []
    next(found)
    assert len(drawn) == 4
    found.close()  # type: ignore[attr-defined]


def test_works_inside_a_running_loop(server: FakeServer) -> None:
    async def notebook() -> list[Response]:
        return answers(backend(server), 3)

    assert len(asyncio.run(notebook())) == 3


def test_a_slash_at_the_end_of_the_address_does_no_harm(server: FakeServer) -> None:
    assert answers(backend(server.url + "/"), 1)[0].finish is Finish.STOP


def test_nothing_asked_nothing_answered(server: FakeServer) -> None:
    assert list(backend(server).answer([])) == []
    assert server.seen == []


def test_proxies_of_the_environment_are_not_used(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert answers(backend(server), 1)[0].finish is Finish.STOP


# -- what the server offers ---------------------------------------------------------------------


def test_log_probabilities_are_looked_for_once(server: FakeServer) -> None:
    asked = backend(server, logprobs=None)
    assert asked.facts()["logprobs"] is None
    assert asked.offers(Want.NEXT_TOKEN) and asked.offers(Want.NEXT_TOKEN)
    assert len(server.seen) == 1 and asked.facts()["logprobs"] is True


def test_a_definition_that_says_is_not_checked(server: FakeServer) -> None:
    assert not backend(server, logprobs=False).offers(Want.NEXT_TOKEN)
    assert backend(server, logprobs=True).offers(Want.NEXT_TOKEN)
    assert backend(server).offers(Want.TEXT)
    assert server.seen == []


def test_a_server_that_ignores_the_parameter_offers_none(server: FakeServer) -> None:
    server.logprobs = False
    assert not backend(server, logprobs=None).offers(Want.NEXT_TOKEN)


def test_a_server_that_refuses_the_parameter_offers_none(server: FakeServer) -> None:
    server.act = status(400, {"message": "Unrecognized request argument: top_logprobs"})
    assert not backend(server, logprobs=None).offers(Want.NEXT_TOKEN)


@pytest.mark.parametrize(
    ("text", "held"),
    [('{"answer": "no"}', True), ('{"answer": "maybe"}', False), ("Yes.", False), ("[1]", False)],
)
def test_forms_are_offered_where_a_tiny_request_keeps_one(
    server: FakeServer, text: str, held: bool
) -> None:
    server.act = changed(lambda body: body["choices"][0]["message"].update(content=text))
    judge = backend(server)
    assert judge.offers(Want.FORM) == judge.offers(Want.FORM) == held
    assert [body["response_format"]["type"] for body in server.seen] == ["json_schema"]


def test_a_server_that_refuses_forms_offers_none(server: FakeServer) -> None:
    server.act = status(400, {"message": "response_format is not supported"})
    assert not backend(server).offers(Want.FORM)


def test_one_empty_answer_does_not_change_what_is_measured(server: FakeServer) -> None:
    """The first reply has no choices, the second an empty text, the third is whole."""
    replies = iter([changed(lambda b: b.update(choices=[])), changed(_emptied), good])

    async def act(*given: Any) -> Any:
        return await next(replies)(*given)

    server.act = act
    assert backend(server, logprobs=None).offers(Want.NEXT_TOKEN)
    server.act = changed(_emptied)
    with pytest.raises(ModelError, match="3 tiny requests came back empty"):
        backend(server, logprobs=None).offers(Want.NEXT_TOKEN)


def _emptied(body: dict[str, Any]) -> None:
    body["choices"][0]["message"]["content"] = ""
    body["choices"][0].pop("logprobs", None)


@pytest.mark.parametrize(
    "act, words",
    [
        (
            status(400, {"message": "use max_completion_tokens"}),
            "use max_completion_tokens; a parameter it does not know is left out",
        ),
        (raw(b"<html></html>", "text/html"), "an HTML page"),
        (status(500), "500: no luck"),
        (status(401), "access refused"),
        (status(404), "not found"),
    ],
)
def test_a_server_that_cannot_be_used_is_found_out_early(
    server: FakeServer, act: Act, words: str
) -> None:
    server.act = act
    with pytest.raises(ModelError, match=words):
        backend(server, logprobs=None).offers(Want.NEXT_TOKEN)


# -- bad input and secrets ----------------------------------------------------------------------


def test_a_missing_key_is_named_before_any_request(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = backend(server, api_key_env="TEST_KEY", logprobs=None)
    for value in (None, "  ", "sk-\nsecret", "sk-ключ"):
        if value is None:
            monkeypatch.delenv("TEST_KEY", raising=False)
        else:
            monkeypatch.setenv("TEST_KEY", value)
        for ask in (lambda: asked.offers(Want.TEXT), lambda: answers(asked, 1)):
            with pytest.raises(InputError, match="TEST_KEY") as caught:
                ask()
            assert "secret" not in str(caught.value)
    assert server.seen == []


@pytest.mark.parametrize(
    "url", ["http://:80/v1", "http://host:99999/v1", "http://[::1/v1", "http://host:0/v1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no web address"):
        backend(url)


@pytest.mark.parametrize("url", ["https://me:pa55@host/v1", "https://host/v1?key=pa55"])
def test_an_address_with_a_secret_is_refused_unquoted(url: str) -> None:
    with pytest.raises(InputError, match="address only") as caught:
        backend(url)
    assert "pa55" not in str(caught.value)


def test_the_key_is_sent_and_never_told(
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    told: list[object] = []
    for act in (good, echo, status(401, f"bad key {KEY}"), status(500, KEY), drop, half,
                changed(lambda answer: answer.update(model=KEY, system_fingerprint=KEY)),
                raw(f"<html>{KEY}</html>".encode())):  # fmt: skip
        server.act = act
        asked = backend(server, api_key_env="TEST_KEY", retries=1)
        try:
            told.extend(answers(asked, 2))
        except ModelError as error:
            told.extend((repr(error), "".join(traceback.format_exception(error))))
        told.extend((repr(asked), asked.facts(), asked.identity(), vars(asked)))
    assert all(headers["Authorization"] == f"Bearer {KEY}" for headers in server.headers)
    assert KEY not in repr(told) + caplog.text + "".join(capfd.readouterr())
    assert "[key]" in repr(told)


def test_a_line_that_only_echoes_does_not_tell_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No HTTP at all: the client's own words come back and end up in an exception's text."""
    monkeypatch.setenv("TEST_KEY", KEY)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(2):
                line, _ = listening.accept()
                with line:
                    line.sendall(line.recv(65536).split(b"Authorization: ")[1])

        thread = threading.Thread(target=serve)
        thread.start()
        asked = backend(f"http://127.0.0.1:{listening.getsockname()[1]}/v1",
                        api_key_env="TEST_KEY", retries=1)  # fmt: skip
        got = answers(asked, 1)[0]
        thread.join()
    assert got.finish is Finish.ERROR and got.detail is not None
    assert "Bearer" in got.detail and KEY not in got.detail


# -- likelihoods, thoughts, parameters ----------------------------------------------------------


def test_the_likelihood_of_a_whole_answer(server: FakeServer) -> None:
    server.prompt_logprobs = True
    asked = backend(server)
    assert asked.offers(Want.SEQUENCE)
    before = len(server.seen)
    for got in answers(asked, 5, Want.SEQUENCE):
        # a word's log-probability is -1 - length / 10, the blank before it included
        yes = math.log(2 * math.exp(-1.4) + math.exp(-1.4))  # "Yes", " Yes", "yes"
        assert got.logprobs is not None and got.logprobs["yes"] == pytest.approx(yes)
        assert got.logprobs["no"] == pytest.approx(math.log(3 * math.exp(-1.3)))
    assert len(server.seen) - before == 5 * 6  # one request a spelling


def test_a_server_without_likelihoods_offers_none(server: FakeServer) -> None:
    assert not backend(server).offers(Want.SEQUENCE)
    server.act = status(400, "prompt_logprobs: unknown field")
    assert not backend(server).offers(Want.SEQUENCE)
    server.act = status(500)
    with pytest.raises(ModelError, match="500: no luck"):
        backend(server).offers(Want.SEQUENCE)


def test_a_failure_of_one_spelling_is_a_failure_of_the_prompt(server: FakeServer) -> None:
    server.prompt_logprobs = True

    async def act(this: FakeServer, request: Any, body: Any) -> Any:
        bad = (
            body["messages"][-1]["content"] == "no" and "Case 1." in body["messages"][0]["content"]
        )
        return await (status(400, "context length exceeded") if bad else good)(this, request, body)

    server.act = act
    found = {r.prompt: r for r in answers(backend(server), 3, Want.SEQUENCE)}
    assert found["p1"].finish is Finish.ERROR and found["p1"].truncated
    assert found["p1"].logprobs is None and found["p0"].finish is Finish.STOP


def test_fewer_log_probabilities_where_a_server_refuses_twenty(server: FakeServer) -> None:
    server.most_logprobs = 5
    asked = backend(server, logprobs=None)
    assert asked.offers(Want.NEXT_TOKEN) and "(top 5)" in asked.facts()["offer"]
    found = answers(asked, 3)
    assert {body["top_logprobs"] for body in server.seen[2:]} == {5}
    # ten tokens are possible and five are shown: what is not shown is bounded, not zero
    for got in found:
        assert got.logprobs is not None
        prompt = f"Case {got.prompt[1:]}. Hire?"
        for option in YES_NO:
            if option.name not in got.logprobs:
                assert got.absent_below is not None
                assert logp(prompt, option.spellings) < got.absent_below


def test_a_resumed_run_finds_out_how_many_are_shown(server: FakeServer) -> None:
    """The design is known from the manifest, so nobody asked what the server offers."""
    server.most_logprobs = 5
    assert {r.finish for r in answers(backend(server, logprobs=None), 3)} == {Finish.STOP}


def test_a_model_that_thinks_is_told_apart(server: FakeServer) -> None:
    def thinks(answer: dict[str, Any]) -> None:
        answer["choices"][0]["message"] = {"content": "", "reasoning_content": "Let me"}

    server.act = changed(thinks)
    with pytest.raises(InputError, match="thinks before it answers: write `reasoning_tokens"):
        backend(server, logprobs=None).offers(Want.NEXT_TOKEN)
    assert not backend(server, logprobs=None, reasoning_tokens=500).offers(Want.NEXT_TOKEN)
    server.act = changed(lambda answer: answer["choices"][0]["message"].update(reasoning="hm"))
    got = answers(backend(server, logprobs=None, reasoning_tokens=500), 2, Want.TEXT)
    assert {r.reasoning for r in got} == {"hm"} and server.seen[-1]["max_tokens"] == 508


def test_what_the_definition_adds_and_takes_away(server: FakeServer) -> None:
    extra = {"seed": None, "chat_template_kwargs": {"enable_thinking": False}}
    asked = backend(server, extra_body=extra, headers={"X-Team": "fairness"})
    answers(asked, 1, Want.TEXT)
    assert "seed" not in server.seen[0]
    assert server.seen[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert server.headers[0]["X-Team"] == "fairness"


@pytest.mark.parametrize("extra", [{"n": 4}, {"messages": []}, {"temperature": 0.5}])
def test_what_the_harness_decides_is_not_to_be_taken_over(extra: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="extra_body"):
        backend("http://localhost/v1", extra_body=extra)


# -- the order of asking ------------------------------------------------------------------------


def test_members_of_a_set_are_asked_together_in_a_drawn_order(server: FakeServer) -> None:
    block = [
        Request(
            f"p{g}-{s}", asks(1)[0].messages, Want.TEXT, max_tokens=4, sample=s, seed=10 * s + g
        )
        for g in range(10)
        for s in range(3)
    ]
    orders = []
    for seed in (0, 0, 1):
        server.seen.clear()
        list(backend(server, concurrency=1, decoding={"seed": seed}).answer([block]))
        orders.append([body["seed"] for body in server.seen])
    first, again, other = orders
    assert first == again != other
    for order in orders:
        assert [seed // 10 for seed in order] == [0] * 10 + [1] * 10 + [2] * 10
        assert order != sorted(order)


# -- a server that turns into another -----------------------------------------------------------


def test_a_server_that_changes_is_noticed(server: FakeServer) -> None:
    from harness.backends.remote import RemoteBackend

    told: list[str] = []
    asked = RemoteBackend(backend(server).model, told.append)
    server.script.extend([good] * 3)
    server.act = changed(lambda answer: answer.update(system_fingerprint="fp_2"))
    list(asked.answer([asks(8)]))
    assert len(told) == 1 and "system_fingerprint was 'fp_1' and is 'fp_2'" in told[0]
    assert asked.facts()["system_fingerprints"] == ["fp_1", "fp_2"]


def test_a_server_that_goes_on_changing_is_said_twice_and_counted(server: FakeServer) -> None:
    from itertools import count

    from harness.backends.remote import RemoteBackend
    from harness.meter import changed as summary

    told: list[str] = []
    asked = RemoteBackend(backend(server).model, told.append)
    number = count()
    server.act = changed(lambda answer: answer.update(system_fingerprint=f"fp_{next(number)}"))
    list(asked.answer([asks(20)]))
    assert len(told) == 3
    assert "system_fingerprint was" in told[0] and "system_fingerprint was" in told[1]
    assert told[2] == "! its system_fingerprint goes on changing; how often is said in the end"
    seen = asked.facts()["system_fingerprints"]
    assert len(seen) >= 20
    assert summary({"backend": asked.facts()}) == [
        "! not one server answered this run: system fingerprints "
        f"{', '.join(seen[:5])} and {len(seen) - 5} more"
    ]
    told.clear()
    asked = RemoteBackend(backend(server).model, told.append)
    server.act = changed(lambda answer: answer.update(system_fingerprint="x" * 300))
    list(asked.answer([asks(8)]))
    assert told == [] and len(asked.facts()["system_fingerprints"]) == 1
