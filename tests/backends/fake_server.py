"""A chat-completions server for tests: the whole protocol on loopback, with faults on request.

    with FakeServer() as server:
        server.script.extend([status(500), drop])   # the first two requests fail
        ...                                         # server.url, server.seen, server.most

The model behind it knows a handful of tokens; how likely each is follows from the prompt's
words alone, so answers do not depend on order, and log-probabilities, samples and `n` agree.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import random
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

import orjson
from aiohttp import web

Body = dict[str, Any]
Act = Callable[["FakeServer", web.Request, Body], Awaitable[web.StreamResponse]]

TOKENS = ("Yes", " Yes", "yes", "No", " No", "no", "Maybe", "I", "The", "\n")


def chances(prompt: str) -> dict[str, float]:
    """Probability of every token after `prompt`; they sum to one."""
    digest = hashlib.sha256(prompt.encode()).digest()
    weights = [1 + digest[i] for i in range(len(TOKENS))]
    return {token: weight / sum(weights) for token, weight in zip(TOKENS, weights, strict=True)}


class FakeServer:
    """Answers until the `with` block ends or `kill` is called."""

    def __init__(
        self,
        *,
        act: Act | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.act: Act = act or good  # what to do once the script is over
        self.script: deque[Act] = deque()
        self.chances: Callable[[str], Mapping[str, float]] = chances
        self.logprobs = True
        self.most_logprobs = 20  # more are refused
        self.prompt_logprobs = False  # whether the prompt's own are shown, as vLLM does
        self.latency = 0.0  # seconds
        self.seen: list[Body] = []
        self.headers: list[Mapping[str, str]] = []
        self.most = 0  # requests open at one time
        self._open = 0
        self._port = port
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-server")
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def kill(self) -> None:
        """Stop listening and break every open connection, as a server that dies does."""
        asyncio.run_coroutine_threadsafe(self._die(), self._loop).result(10)

    async def _listen(self) -> None:
        app = web.Application()
        for path in ("chat/completions", "completions", "messages"):
            app.router.add_post(f"/v1/{path}", self._handle)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _die(self) -> None:
        if self._runner and self._runner.server:
            await asyncio.sleep(0.3 if self._tls else 0.03)  # connections still being made
            for connection in self._runner.server.connections:
                if connection.transport:
                    connection.transport.abort()
            await self._runner.cleanup()
        self._runner = None
        mine = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not mine]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "fake", "object": "model"}]})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        self.seen.append(body)
        self.headers.append(dict(request.headers))
        self._open += 1
        self.most = max(self.most, self._open)
        try:
            await asyncio.sleep(self.latency)
            act = self.script.popleft() if self.script else self.act
            return await act(self, request, body)
        finally:
            self._open -= 1


# -- what a server may do ----------------------------------------------------------------------


async def good(server: FakeServer, request: web.Request, body: Body) -> web.StreamResponse:
    """A proper answer in the protocol of the path that was asked."""
    top = body.get("top_logprobs", body.get("logprobs"))
    if server.logprobs and isinstance(top, int) and top > server.most_logprobs:
        return await status(400, f"logprobs: at most {server.most_logprobs}")(server, request, body)
    speaks = {"completions": completion, "messages": message}
    kind = "chat" if "/chat/" in request.path else request.path.rpartition("/")[2]
    return web.json_response(speaks.get(kind, completion)(server, body))


def free_port() -> int:
    """A port that is free until a server takes it: the system gives none of these by itself."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def words(text: str) -> list[str]:
    """A text as the server's tokens: words with the blank before them."""
    return re.findall(r" ?[^ ]+| +", text)


def echoed(prompt: str) -> list[float]:
    """A log-probability for every token of `words(prompt)`: that of the word, whatever precedes."""
    return [-1 - len(word) / 10 for word in words(prompt)]


def message(server: FakeServer, body: Body) -> Body:
    """What the Messages protocol answers: the same draw, since it knows no seeds."""
    prompt = "\n".join(m["content"] for m in body["messages"])
    likely = server.chances(prompt)
    drawn = random.Random(prompt).choices(list(likely), list(likely.values()), k=1)[0]
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"] + "-2026",
        "content": [{"type": "text", "text": drawn}], "stop_reason": "end_turn",
        "usage": {"input_tokens": len(prompt.split()), "output_tokens": 1},
    }  # fmt: skip


def completion(server: FakeServer, body: Body) -> Body:
    """What the protocol answers to `body`: `n` choices, log-probabilities where asked for."""
    if "prompt" in body:
        prompt = body["prompt"]
    else:
        prompt = "\n".join(message["content"] for message in body["messages"])
    likely = server.chances(prompt)
    dice = random.Random(f"{body.get('seed')}")
    longest = body.get("max_tokens") or 16
    choices = []
    for index in range(body.get("n") or 1):
        drawn = dice.choices(list(likely), list(likely.values()), k=min(longest, 2))
        choice: Body = {
            "index": index,
            "message": {"role": "assistant", "content": "".join(drawn)},
            "finish_reason": "length" if longest < 3 else "stop",
        }
        if "prompt" in body:
            choice["text"] = choice.pop("message")["content"]
            if server.logprobs and body.get("logprobs"):
                choice["logprobs"] = _legacy(body, likely, drawn[0])
        elif server.logprobs and body.get("logprobs"):
            choice["logprobs"] = {"content": [_shown(likely, drawn[0], body["top_logprobs"])]}
        choices.append(choice)
    return {
        **_scored(server, body),
        "id": "chatcmpl-always-the-same",
        "object": "chat.completion",
        "model": "fake-2024-05-01",
        "system_fingerprint": "fp_1",
        "choices": choices,
        "usage": {"prompt_tokens": len(prompt.split()), "completion_tokens": min(longest, 2)},
    }


def _legacy(body: Body, likely: Mapping[str, float], drawn: str) -> Body:
    """Log-probabilities as the completions protocol has them, of the echo too where asked for."""
    top = sorted(likely.items(), key=lambda item: -item[1])[: body["logprobs"]]
    last = {token: math.log(p) for token, p in top}
    echo = words(body["prompt"]) if body.get("echo") else []
    tokens = [*echo, drawn]
    return {
        "tokens": tokens,
        "token_logprobs": [None, *echoed(body["prompt"])[1:], -0.5] if echo else [-0.5],
        "text_offset": [sum(map(len, tokens[:i])) for i in range(len(tokens))],
        "top_logprobs": [*(None for _ in echo), last],
    }


def _scored(server: FakeServer, body: Body) -> Body:
    """vLLM's log-probabilities of the prompt; the others pass the parameter over."""
    if not server.prompt_logprobs or body.get("prompt_logprobs") is None:
        return {}
    prompt = " ".join(message["content"].strip() for message in body["messages"])
    return {
        "prompt_logprobs": [
            None,
            *(
                {"7": {"logprob": value, "rank": 1, "decoded_token": word}}
                for word, value in zip(words(prompt)[1:], echoed(prompt)[1:], strict=True)
            ),
        ]
    }


def _shown(likely: Mapping[str, float], drawn: str, top: int) -> Body:
    """The log-probabilities of one position: of the drawn token and of the `top` likeliest."""
    entries = [
        {"token": token, "logprob": math.log(p), "bytes": list(token.encode())}
        for token, p in sorted(likely.items(), key=lambda item: -item[1])
    ]
    first = next(entry for entry in entries if entry["token"] == drawn)
    return {**first, "top_logprobs": entries[:top]}


def status(code: int, said: object = "no luck", **headers: str) -> Act:
    """An HTTP status with an error object; header names with _ for -."""

    async def act(_: FakeServer, __: web.Request, ___: Body) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": said}, status=code, headers=named)

    return act


def raw(payload: bytes, content_type: str = "application/json") -> Act:
    """Status 200 with any bytes."""

    async def act(_: FakeServer, __: web.Request, ___: Body) -> web.StreamResponse:
        return web.Response(body=payload, content_type=content_type)

    return act


def changed(change: Callable[[Body], object]) -> Act:
    """A proper completion, after `change` had its way with it."""

    async def act(server: FakeServer, _: web.Request, body: Body) -> web.StreamResponse:
        answer = completion(server, body)
        change(answer)
        return web.json_response(answer)

    return act


def slow(seconds: float) -> Act:
    """A proper completion, later."""

    async def act(server: FakeServer, request: web.Request, body: Body) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await good(server, request, body)

    return act


async def drop(_: FakeServer, request: web.Request, __: Body) -> web.StreamResponse:
    """Break the connection without a word."""
    if request.transport:
        request.transport.abort()
    return web.Response()


async def half(server: FakeServer, request: web.Request, body: Body) -> web.StreamResponse:
    """Half of the announced bytes, then the connection breaks."""
    payload = orjson.dumps(completion(server, body))
    response = web.StreamResponse(headers={"Content-Length": str(len(payload))})
    await response.prepare(request)
    await response.write(payload[: len(payload) // 2])
    if request.transport:
        request.transport.abort()
    return response


async def drip(server: FakeServer, request: web.Request, body: Body) -> web.StreamResponse:
    """One byte now and then, so that the connection never looks dead."""
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in orjson.dumps(completion(server, body)):
        await response.write(bytes([byte]))
        await asyncio.sleep(0.05)
    return response


async def echo(_: FakeServer, request: web.Request, __: Body) -> web.StreamResponse:
    """An error that shows what the client sent, its key included."""
    words = f"bad key: {request.headers.get('Authorization')}"
    return web.json_response({"error": {"message": words}}, status=400)
