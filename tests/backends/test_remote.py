"""The remote backend against a server on loopback that misbehaves when told to."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from harness.backends import http
from harness.backends.remote import RemoteBackend
from harness.errors import InputError, ModelError
from harness.models import RemoteModel
from harness.nouns import Finish, Message, Option, Request, Response, Want
from tests.backends.fake_server import (
    Act,
    FakeServer,
    chances,
    changed,
    drip,
    drop,
    echo,
    good,
    half,
    raw,
    slow,
    status,
)

pytestmark = pytest.mark.filterwarnings("error")

YES_NO = (Option("yes", ("Yes", " Yes", "yes")), Option("no", ("No", " No", "no")))
KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short back-off, and no thread left behind by any test."""
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    yield
    assert [t.name for t in threading.enumerate() if t.name == "bias-harness-http"] == []


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


def backend(where: FakeServer | str, **keys: Any) -> RemoteBackend:
    url = where if isinstance(where, str) else where.url
    given = {"name": "m", "family": "f", "version": "1", "backend": "openai", "base_url": url,
             "model": "fake", "logprobs": True, "timeout": 5.0, "retries": 2}  # fmt: skip
    return RemoteBackend(RemoteModel.model_validate(given | keys))


def asks(count: int, want: Want = Want.NEXT_TOKEN) -> list[Request]:
    return [
        Request(f"p{i}", (Message("user", f"Case {i}. Hire?"),), want, YES_NO, 8, i, 1000 + i)
        for i in range(count)
    ]


def answers(asked: RemoteBackend, count: int, want: Want = Want.NEXT_TOKEN) -> list[Response]:
    requests = asks(count, want)
    half_way = len(requests) // 2
    found = list(asked.answer([requests[:half_way], requests[half_way:]]))
    assert sorted(r.prompt for r in found) == sorted(r.prompt for r in requests)
    return found


def logp(prompt: str, spellings: Sequence[str]) -> float:
    return math.log(sum(chances(prompt)[token] for token in spellings))


# -- answers -----------------------------------------------------------------------------------


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
        "requests": 4,
        "retries": 1,
        "prompt_tokens": sum(r.prompt_tokens for r in found),
        "completion_tokens": 4,
    }
    assert asked.identity() == {"base_url": server.url, "model": "fake"}
    assert asked.count_tokens(asks(2)) is None
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


def test_nothing_asked_nothing_answered(server: FakeServer) -> None:
    assert list(backend(server).answer([])) == []
    assert server.seen == []


def test_proxies_of_the_environment_are_not_used(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert answers(backend(server), 1)[0].finish is Finish.STOP


# -- faults that pass --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        status(429, {"code": "rate_limit_exceeded", "message": "slow down"}, Retry_After="0"),
        status(500),
        status(502),
        status(503, "loading"),
        status(504),
        drop,
        half,
        raw(b'{"choices": [{"mess'),
        raw(b"<!DOCTYPE html><html>Welcome</html>", "text/html"),
        raw(b""),
        raw(b"[]"),
        raw(b'{"error": {"code": 502, "message": "upstream"}}'),
        changed(lambda answer: answer.pop("choices")),
        changed(lambda answer: answer["choices"][0].pop("logprobs")),
    ],
)
def test_a_passing_fault_changes_nothing(server: FakeServer, fault: Act) -> None:
    clean = {r.prompt: r.logprobs for r in answers(backend(server), 6)}
    server.script.extend([fault, good, fault])
    asked = backend(server)
    found = answers(asked, 6)
    assert {r.prompt: r.logprobs for r in found} == clean
    assert {r.finish for r in found} == {Finish.STOP}
    assert asked.facts()["retries"] == 2


def test_a_slow_answer_is_asked_again(server: FakeServer) -> None:
    server.script.append(slow(30))
    asked = backend(server, timeout=0.3)
    assert answers(asked, 1)[0].finish is Finish.STOP
    assert asked.facts()["retries"] == 1


def test_a_drip_of_bytes_ends_at_the_total_timeout(server: FakeServer) -> None:
    server.act = drip
    got = answers(backend(server, timeout=0.3, retries=0), 1)[0]
    assert got.finish is Finish.ERROR and got.detail == "no answer within 0.3 s (asked 1 times)"


def test_retry_after_is_kept(server: FakeServer) -> None:
    server.script.append(status(429, Retry_After="0.4"))
    start = time.monotonic()
    answers(backend(server), 1)
    assert time.monotonic() - start >= 0.4


def test_retry_after_waits_no_longer_than_the_timeout(server: FakeServer) -> None:
    server.script.append(status(503, Retry_After="86400"))
    start = time.monotonic()
    answers(backend(server, timeout=0.5), 1)
    assert 0.5 <= time.monotonic() - start < 5


def test_retry_after_may_be_a_date_or_nonsense() -> None:
    soon = formatdate(time.time() + 30, usegmt=True)
    assert 28 < http._retry_after({"Retry-After": soon}) <= 30
    past = formatdate(time.time() - 30, usegmt=True)
    for value in (past, "-5", "nan", "inf", "", "tomorrow"):
        assert http._retry_after({"Retry-After": value}) == 0
    assert http._retry_after({}) == 0


def test_back_off_doubles_with_jitter_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_WAIT", 1.0)
    model = backend("http://localhost/v1").model
    engine: http.Engine[int, int] = http.Engine(model, "", None, lambda _: {}, lambda i, _: i)
    for attempt, longest in enumerate([1, 2, 4, 8, 16, 32, 60, 60]):
        waits = [engine._pause(attempt, 0.0) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


# -- faults of one prompt ----------------------------------------------------------------------


def test_a_fault_that_stays_is_an_error_with_its_words(server: FakeServer) -> None:
    server.act = status(500, {"message": "out of memory", "type": "server_error"})
    found = answers(backend(server), 3)
    assert {r.finish for r in found} == {Finish.ERROR}
    assert {r.detail for r in found} == {"500: server_error: out of memory (asked 3 times)"}
    assert {(r.text, r.logprobs, r.truncated) for r in found} == {(None, None, False)}
    assert len(server.seen) == 9


def test_one_bad_prompt_does_not_stop_the_others(server: FakeServer) -> None:
    async def act(this: FakeServer, request: Any, body: Any) -> Any:
        bad = "Case 3." in body["messages"][0]["content"]
        return await (status(500) if bad else good)(this, request, body)

    server.act = act
    found = {r.prompt: r.finish for r in answers(backend(server), 40)}
    assert [prompt for prompt, finish in found.items() if finish is Finish.ERROR] == ["p3"]


def test_a_prompt_that_is_too_long_is_truncated_and_not_asked_again(server: FakeServer) -> None:
    said = {"code": "context_length_exceeded", "message": "at most 4096 tokens"}
    server.script.append(status(400, said))
    got = answers(backend(server), 1)[0]
    assert got.finish is Finish.ERROR and got.truncated
    assert got.detail == "400: context_length_exceeded: at most 4096 tokens"
    assert len(server.seen) == 1


def test_a_bad_request_is_an_error_at_once_in_the_servers_words(server: FakeServer) -> None:
    server.script.append(status(422, "seed: unexpected \x1b[31mfield"))
    got = answers(backend(server), 1)[0]
    assert got.finish is Finish.ERROR and not got.truncated
    assert got.detail == "422: seed: unexpected [31mfield"
    assert len(server.seen) == 1


def test_filters_of_prompt_and_answer(server: FakeServer) -> None:
    server.script.append(status(400, {"code": "content_filter", "message": "blocked"}))
    server.script.append(
        changed(lambda answer: answer["choices"][0].update(finish_reason="content_filter"))
    )
    found = answers(backend(server), 2)
    assert {r.finish for r in found} == {Finish.FILTER}
    assert {r.detail for r in found} == {"400: content_filter: blocked", "content_filter"}


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer["choices"].clear(),
        lambda answer: answer["choices"][0].update(message={"content": ""}, logprobs=None),
        lambda answer: answer["choices"][0].update(message={"content": None}, logprobs=None),
    ],
)
def test_an_empty_answer_is_empty_text(server: FakeServer, change: Any) -> None:
    server.act = changed(change)
    got = answers(backend(server), 1)[0]
    assert (got.finish, got.text, got.logprobs) == (Finish.STOP, "", None)
    assert len(server.seen) == 1


def test_more_choices_than_asked_for_count_once(server: FakeServer) -> None:
    server.act = changed(lambda answer: answer["choices"].append(answer["choices"][0]))
    assert len(answers(backend(server), 3)) == 3


def test_a_huge_answer_is_not_read(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_REPLY", 2**20)
    server.act = raw(b" " * (2**20 + 1))
    got = answers(backend(server), 1)[0]
    assert got.finish is Finish.ERROR and got.detail == "the answer is larger than 1 MiB"
    assert len(server.seen) == 1


# -- the end of all ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_ends_the_run(
    server: FakeServer, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    server.act = status(code, {"message": "wrong key"})
    with pytest.raises(ModelError, match=rf"{code}: wrong key.*variable TEST_KEY"):
        answers(backend(server, api_key_env="TEST_KEY", concurrency=2), 200)
    assert len(server.seen) <= 3


def test_a_server_that_wants_a_key_says_how_to_give_one(server: FakeServer) -> None:
    server.act = status(401)
    with pytest.raises(ModelError, match="api_key_env"):
        answers(backend(server), 1)


def test_an_unknown_model_ends_the_run(server: FakeServer) -> None:
    server.act = status(404, {"code": "model_not_found", "message": "no such model"})
    with pytest.raises(ModelError, match="model_not_found: no such model.*model 'fake'") as caught:
        answers(backend(server, concurrency=2), 50)
    assert "/v1 missing" not in str(caught.value) and len(server.seen) <= 3


def test_a_missing_v1_is_hinted_at(server: FakeServer) -> None:
    with pytest.raises(ModelError, match="is a /v1 missing"):
        answers(backend(server.url.removesuffix("/v1")), 1)


def test_a_redirect_is_refused(server: FakeServer) -> None:
    with FakeServer() as other:
        server.act = status(307, Location=f"{other.url}/chat/completions")
        with pytest.raises(ModelError, match="redirects to 'http://127.0.0.1:.*refused"):
            answers(backend(server), 3)
        assert other.seen == []


def test_a_server_that_is_down_is_said_to_be_down(unused_port: int) -> None:
    asked = backend(f"http://127.0.0.1:{unused_port}/v1", logprobs=None)
    for ask in (lambda: answers(asked, 50), lambda: asked.offers(Want.NEXT_TOKEN)):
        with pytest.raises(ModelError, match="the server is down"):
            ask()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_that_dies_keeps_what_was_answered_and_may_come_back(unused_port: int) -> None:
    kept: list[Response] = []
    with FakeServer(port=unused_port) as server:
        server.latency = 0.01
        asked = backend(server, concurrency=4)
        with pytest.raises(ModelError, match=r"server is down.*run the same command again"):
            for got in asked.answer([asks(60)]):
                kept.append(got)
                if len(kept) == 10:
                    server.kill()
    assert 10 <= len(kept) < 60 and {r.finish for r in kept} == {Finish.STOP}
    done = {r.prompt for r in kept}
    with FakeServer(port=unused_port):
        rest = [request for request in asks(60) if request.prompt not in done]
        assert {r.finish for r in asked.answer([rest])} == {Finish.STOP}


def test_a_server_that_answers_nothing_usable_ends_the_run(server: FakeServer) -> None:
    server.act = raw(b"<html>log in to the wireless network</html>", "text/html")
    kept: list[Response] = []
    with pytest.raises(ModelError, match="20 requests in a row failed.*an HTML page"):
        kept.extend(backend(server, concurrency=2, retries=1).answer([asks(200)]))
    assert len(server.seen) <= 44


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with FakeServer(tls=tls) as server:
        with pytest.raises(ModelError, match="does not trust the server's certificate"):
            answers(backend(server), 3)
        assert server.seen == []


# -- what the server offers --------------------------------------------------------------------


def test_log_probabilities_are_looked_for_once(server: FakeServer) -> None:
    asked = backend(server, logprobs=None)
    assert asked.facts()["logprobs"] is None
    assert asked.offers(Want.NEXT_TOKEN) and asked.offers(Want.NEXT_TOKEN)
    assert len(server.seen) == 1 and asked.facts()["logprobs"] is True


def test_a_definition_that_says_is_not_checked(server: FakeServer) -> None:
    assert not backend(server, logprobs=False).offers(Want.NEXT_TOKEN)
    assert backend(server, logprobs=True).offers(Want.NEXT_TOKEN)
    assert backend(server).offers(Want.TEXT) and not backend(server).offers(Want.SEQUENCE)
    assert server.seen == []


def test_a_server_that_ignores_the_parameter_offers_none(server: FakeServer) -> None:
    server.logprobs = False
    assert not backend(server, logprobs=None).offers(Want.NEXT_TOKEN)


def test_a_server_that_refuses_the_parameter_offers_none(server: FakeServer) -> None:
    server.act = status(400, {"message": "Unrecognized request argument: top_logprobs"})
    assert not backend(server, logprobs=None).offers(Want.NEXT_TOKEN)


@pytest.mark.parametrize(
    "act, words",
    [
        (status(400, {"message": "use max_completion_tokens"}), "use max_completion_tokens"),
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


# -- bad input and secrets ---------------------------------------------------------------------


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


# -- stopping early ----------------------------------------------------------------------------


def test_closing_the_generator_cancels_what_is_open(server: FakeServer) -> None:
    server.script.append(good)
    server.act = slow(30)
    found = backend(server, timeout=60.0).answer([asks(20)])
    assert next(found).finish is Finish.STOP
    start = time.monotonic()
    found.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 2
    assert len(server.seen) <= 9  # eight at once and one in the freed slot


def test_leaving_the_loop_is_enough(server: FakeServer) -> None:
    for _ in backend(server).answer([asks(50)]):
        break
    assert len(server.seen) < 50


def test_a_design_that_fails_midway_passes_its_error_on(server: FakeServer) -> None:
    def blocks() -> Iterator[list[Request]]:
        yield asks(10)
        raise StopAsyncIteration("the design broke")

    with pytest.raises(StopAsyncIteration):
        list(backend(server, concurrency=2).answer(blocks()))


def test_sequence_requests_are_refused(server: FakeServer) -> None:
    with pytest.raises(ModelError, match="no log-likelihood"):
        answers(backend(server), 2, Want.SEQUENCE)


INTERRUPTED = """
import sys, threading
from harness.backends.remote import RemoteBackend
from harness.models import RemoteModel
from harness.nouns import Message, Request, Want
model = RemoteModel(name="m", family="f", version="1", backend="openai", base_url=sys.argv[1],
                    model="fake")
requests = [Request(f"p{i}", (Message("user", "x"),), Want.TEXT) for i in range(50)]
try:
    list(RemoteBackend(model).answer([requests]))
except KeyboardInterrupt:
    print("interrupted", threading.active_count())
    sys.exit(130)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_ends_at_once_and_without_a_word(server: FakeServer) -> None:
    server.act = slow(60)
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", INTERRUPTED, server.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    ) as child:  # fmt: skip
        try:
            end = time.monotonic() + 30
            while len(server.seen) < 8 and time.monotonic() < end:
                time.sleep(0.02)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=10)
        finally:
            child.kill()
    assert (child.returncode, out.strip(), err) == (130, "interrupted 1", "")
