"""The engine of the remote backend against a server that misbehaves when told to."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from harness.backends import http, replies
from harness.backends.faults import Fault
from harness.errors import ModelError
from harness.nouns import Finish, Request, Response, Want
from tests.backends.asking import answers, asks, backend
from tests.backends.fake_server import (
    Act,
    FakeServer,
    changed,
    drip,
    drop,
    good,
    half,
    raw,
    slow,
    status,
)

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]


# -- faults that pass ---------------------------------------------------------------------------


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
        changed(lambda answer: answer.update(choices=[])),
        changed(lambda answer: answer["choices"][0].update(finish_reason="network_error")),
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
    assert asked.facts()["usage"]["retries"] == 2


def test_half_a_surrogate_pair_is_read() -> None:
    assert replies.data_of(rb'{"a": "x\ud83d y \uD83D\uDE00"}') == {"a": "x\ufffd y \U0001f600"}
    for broken in (rb'{"a": "\ud83d', rb'["\ud83d", NaN]', b"[" * 100_000 + rb'"\ud83d"'):
        with pytest.raises(ValueError):
            replies.data_of(broken)


def test_a_slow_answer_is_asked_again(server: FakeServer) -> None:
    server.script.append(slow(30))
    asked = backend(server, timeout=0.3)
    assert answers(asked, 1)[0].finish is Finish.STOP
    assert asked.facts()["usage"]["retries"] == 1


def test_a_drip_of_bytes_ends_at_the_total_timeout(server: FakeServer) -> None:
    server.act = drip
    got = answers(backend(server, timeout=0.3, retries=0), 1)[0]
    assert got.finish is Finish.ERROR and got.detail == "no answer within 0.3 s (asked once)"


def test_retry_after_is_kept(server: FakeServer) -> None:
    server.script.append(status(429, Retry_After="0.4"))
    start = time.monotonic()
    answers(backend(server), 1)
    assert time.monotonic() - start >= 0.4


def test_a_server_that_wants_longer_than_the_total_timeout_is_not_waited_for(
    server: FakeServer,
) -> None:
    server.script.append(status(503, Retry_After="86400"))
    start = time.monotonic()
    got = answers(backend(server), 1)[0]
    assert got.finish is Finish.ERROR and got.detail == "503: no luck (asked once)"
    assert time.monotonic() - start < 5


def test_retry_after_may_be_a_date_or_nonsense() -> None:
    soon = formatdate(time.time() + 30, usegmt=True)
    assert 28 < replies.retry_after({"Retry-After": soon}) <= 30
    past = formatdate(time.time() - 30, usegmt=True)
    for value in (past, "-5", "nan", "inf", "", "tomorrow"):
        assert replies.retry_after({"Retry-After": value}) == 0
    assert replies.retry_after({}) == 0


def test_back_off_doubles_with_jitter_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_WAIT", 1.0)
    model = backend("http://localhost/v1").model
    engine: http.Engine[int, int] = http.Engine(model, "", None, lambda _: {}, lambda i, _: i)
    for attempt, longest in enumerate([1, 2, 4, 8, 16, 32, 60, 60]):
        waits = [engine._pause(attempt, 0.0) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


# -- faults of one prompt -----------------------------------------------------------------------


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


# -- the end of all -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_ends_the_run(
    server: FakeServer, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-wrong")
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
    with pytest.raises(ModelError, match=r"model_not_found: no such model.*model 'fake'") as caught:
        answers(backend(server, concurrency=2), 50)
    assert "/v1 missing" not in str(caught.value) and len(server.seen) <= 3


def test_a_missing_v1_is_hinted_at(server: FakeServer) -> None:
    with pytest.raises(ModelError, match="is a /v1 missing"):
        answers(backend(server.url.removesuffix("/v1")), 1)


def test_a_redirect_is_refused(server: FakeServer) -> None:
    with FakeServer() as other:
        server.act = status(307, Location=f"{other.url}/chat/completions")
        with pytest.raises(ModelError, match=r"redirects to 'http://127.0.0.1:.*refused"):
            answers(backend(server), 3)
        assert other.seen == []


def test_a_server_that_is_down_is_said_to_be_down(unused_port: int) -> None:
    asked = backend(f"http://127.0.0.1:{unused_port}/v1", logprobs=None)
    for ask in (lambda: answers(asked, 50), lambda: asked.offers(Want.NEXT_TOKEN)):
        with pytest.raises(ModelError, match="the server is down") as error:
            ask()
        assert f"Cannot connect to host 127.0.0.1:{unused_port} [" in str(error.value)  # no "ssl"


def test_a_server_that_dies_keeps_what_was_answered_and_may_come_back(unused_port: int) -> None:
    kept: list[Response] = []
    with FakeServer(port=unused_port) as server:
        server.latency = 0.01
        asked = backend(server, concurrency=4)
        with pytest.raises(ModelError, match="server is down"):
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
    with pytest.raises(ModelError, match=r"20 requests in a row failed.*an HTML page"):
        kept.extend(backend(server, concurrency=2, retries=1).answer([asks(200)]))
    assert len(server.seen) <= 44


def test_a_server_that_declines_everything_ends_the_run_and_a_filter_does_not(
    server: FakeServer,
) -> None:
    server.act = status(400, "Unsupported operand")
    with pytest.raises(ModelError, match=r"20 requests in a row failed.*Unsupported operand"):
        answers(backend(server, concurrency=2), 60)
    assert len(server.seen) < 30
    for words, finish in (("content_filter", Finish.FILTER), ("prompt is too long", Finish.ERROR)):
        server.act = status(400, words)
        assert {r.finish for r in answers(backend(server, concurrency=2), 60)} == {finish}


def test_a_server_that_takes_requests_and_never_answers_is_down(server: FakeServer) -> None:
    server.act = slow(60)
    with pytest.raises(ModelError, match=r"server is down \(no answer within 0.1 s\)"):
        answers(backend(server, timeout=0.1, retries=4), 50)
    assert len(server.seen) < 60


def test_good_answers_between_bad_ones_keep_the_run_going(server: FakeServer) -> None:
    server.script.extend(([status(500)] * 7 + [good]) * 5)
    found = answers(backend(server, concurrency=1, retries=0), 40)
    assert [r.finish for r in found].count(Finish.ERROR) == 35


def test_one_lost_connection_is_no_dead_server_while_others_are_answered(
    server: FakeServer,
) -> None:
    engine: http.Engine[int, Any] = http.Engine(
        backend(server).model, f"{server.url}/chat/completions", None,
        lambda _: {"messages": []}, lambda _, data: data,
    )  # fmt: skip
    began = time.monotonic()  # the clock of the loop
    fault = Fault("refused", unreachable=True)
    with pytest.raises(ModelError, match="server is down"):
        engine._check_up(fault, began, began)
    assert len(list(engine.post([1]))) == 1
    engine._check_up(fault, began, began)


def test_answers_that_came_before_the_end_are_handed_out(server: FakeServer) -> None:
    """The end is met while the caller is busy and more answers are waiting for it."""

    async def refuse_later(this: FakeServer, request: Any, body: Any) -> Any:
        await asyncio.sleep(0.1)
        return await status(401)(this, request, body)

    acts = {"Case 0.": good, "Case 1.": refuse_later, "Case 2.": slow(0.2), "Case 3.": slow(0.2)}

    async def act(this: FakeServer, request: Any, body: Any) -> Any:
        words = body["messages"][0]["content"]
        return await next(do for case, do in acts.items() if case in words)(this, request, body)

    server.act = act
    found = backend(server, concurrency=4).answer([asks(4)])
    kept = [next(found)]
    time.sleep(0.6)
    with pytest.raises(ModelError, match="access refused"):
        kept.extend(found)
    assert {r.prompt for r in kept} == {"p0", "p2", "p3"}


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


# -- stopping early -----------------------------------------------------------------------------


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
        [sys.executable, "-W", "error", "-c", INTERRUPTED, server.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    ) as child:  # fmt: skip
        try:
            end = time.monotonic() + 50
            while not server.seen and time.monotonic() < end:
                time.sleep(0.02)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=50)  # the answers would take 60 s
        finally:
            child.kill()
    assert (child.returncode, out.strip(), err) == (130, "interrupted 1", "")
