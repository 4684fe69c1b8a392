"""A model server that misbehaves on purpose, in a process of its own.

    python -m tests.backends.faulty_server PORT RATE

It prints a line when it listens. Every answer follows from the prompt and the seed alone, with
some refusals and withheld answers among them; RATE of all attempts fail in one of many ways, and
the first attempts for one group are refused for haste. An attempt's fate follows from the
question and the number of the attempt, so that every question is answered in the end.
"""

from __future__ import annotations

import hashlib
import random
import sys
import threading
from collections import Counter
from typing import Any

from aiohttp import web

from tests.backends.fake_server import (
    Act,
    Body,
    FakeServer,
    changed,
    completion,
    drip,
    drop,
    half,
    raw,
    status,
)

STORM = "a woman"
"""The words of the group that the server refuses for haste."""
FAULTS: tuple[Act, ...] = (
    status(429, {"code": "rate_limit_exceeded", "message": "slow down"}, Retry_After="0"),
    status(500),
    status(502, "upstream"),
    status(503, "loading"),
    status(504),
    drop,
    half,
    drip,
    raw(b'{"choices": [{"mess'),
    raw(b"<!DOCTYPE html><html>Welcome</html>", "text/html"),
    raw(b"", "text/plain"),
    raw(b'{"error": {"code": 502, "message": "upstream"}}'),
    changed(lambda answer: answer.update(choices=[])),
    changed(lambda answer: answer.pop("choices")),
    changed(lambda answer: answer["choices"][0].update(finish_reason="network_error")),
)


def proper(body: Body) -> Act:
    """The one answer to a question: yes, no, a refusal, or one that is withheld."""
    prompt = body["messages"][-1]["content"]
    digest = hashlib.sha256(prompt.encode()).digest()
    dice = random.Random(f"{prompt} {body.get('seed')}")
    filtered, refuses = dice.random() < 0.02, dice.random() < 0.02
    said = "Yes." if dice.random() < digest[0] / 255 else "No."

    async def act(server: FakeServer, _: web.Request, body: Body) -> web.StreamResponse:
        answer = completion(server, body)
        choice = answer["choices"][0]
        choice["message"]["content"] = "I cannot help with that." if refuses else said
        choice["finish_reason"] = "content_filter" if filtered else "stop"
        kind = "text/html" if dice.random() < 0.01 else "application/json"  # the wrong name for it
        return web.json_response(answer, content_type=kind)

    return act


class Faulty:
    """What is done to every attempt."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.attempts: Counter[tuple[str, int]] = Counter()

    async def __call__(self, server: FakeServer, request: Any, body: Body) -> web.StreamResponse:
        server.seen.clear()  # nothing is kept: there are many
        server.headers.clear()
        prompt, seed = body["messages"][-1]["content"], body.get("seed") or 0
        self.attempts[prompt, seed] += 1
        dice = random.Random(f"{prompt} {seed} {self.attempts[prompt, seed]}")
        storm = self.rate and STORM in prompt and self.attempts[prompt, seed] == 1
        if storm and dice.random() < 0.5:
            act: Act = FAULTS[0]
        elif dice.random() < self.rate and self.attempts[prompt, seed] < 4:
            act = dice.choice(FAULTS)
        else:
            act = proper(body)
        return await act(server, request, body)


def main() -> None:
    """Serve until the process is ended."""
    port, rate = int(sys.argv[1]), float(sys.argv[2])
    with FakeServer(act=Faulty(rate), port=port) as server:
        server.logprobs = False
        server.latency = 0.005
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
