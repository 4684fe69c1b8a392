"""Requests to a server with a fixed delay: wall time and CPU beside other harnesses' clients.

    pip install 'bias-harness[bench]'
    python benchmarks/remote.py                       # whoever is installed, 3 rounds
    python benchmarks/remote.py --flat 100000         # memory over 100,000 requests

Everybody asks one chat completion a prompt of the same server on loopback, a process of its own
that answers after `--delay` seconds, with `--concurrency` requests open. Every measurement is a
process of its own, A B C D A B C D; the median counts. CPU is that of the client's process,
user and system, after its imports; ideal is requests x delay / concurrency.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

Measure = dict[str, float]
ROOT = Path(__file__).resolve().parent.parent
PYTHON = (sys.executable, "-P", __file__)  # -P: `statistics` is a file of this folder, too


def main() -> None:
    """Run the rounds and print a table, or be one measurement or the server."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--requests", type=int, default=2000)
    options.add_argument("--delay", type=float, default=0.05, help="seconds (default 0.05)")
    options.add_argument("--concurrency", type=int, default=64)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--flat", type=int, metavar="N", help="memory over N requests instead")
    options.add_argument("--json", action="store_true")
    options.add_argument("--one", choices=CLIENTS, help=argparse.SUPPRESS)
    options.add_argument("--url", help=argparse.SUPPRESS)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        asyncio.run(serve(given.delay))
    elif given.one:
        print(json.dumps(CLIENTS[given.one](given.url, given.requests, given.concurrency)))
    elif given.flat:
        with serving(0.0) as url:
            rows = [measured("bias-harness", url, n, given.concurrency)
                    for n in (given.flat // 10, given.flat)]  # fmt: skip
        for n, row in zip((given.flat // 10, given.flat), rows, strict=True):
            print(
                f"{n:>8} requests: {row['wall']:.1f} s, "
                f"{row['cpu'] / n * 1000:.2f} ms CPU a request, "
                f"peak {row['peak']:.0f} MiB, of which after imports {row['grown']:.1f} MiB"
            )
    else:
        compare(given)


def compare(given: argparse.Namespace) -> None:
    """All clients in turn, `rounds` times, and the medians."""
    known = [name for name in CLIENTS if importlib.util.find_spec(NEEDS.get(name, "asyncio"))]
    for name in CLIENTS.keys() - set(known):
        print(f"{name}: not installed, left out", file=sys.stderr)
    found: dict[str, list[Measure]] = {name: [] for name in known}
    with serving(given.delay) as url:
        for _ in range(given.rounds):
            for name in known:
                found[name].append(measured(name, url, given.requests, given.concurrency))
    ideal = given.requests * given.delay / given.concurrency
    rows = [
        {"client": name, "wall": wall, "ideal": ideal, "wall_over_ideal": wall / ideal,
         "cpu_ms": median(m["cpu"] for m in some) / given.requests * 1000}
        for name, some in found.items()
        for wall in [median(m["wall"] for m in some)]
    ]  # fmt: skip
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(
        f"{given.requests} requests, {given.delay * 1000:g} ms, {given.concurrency} at once, "
        f"{given.rounds} rounds; ideal {ideal:.2f} s"
    )
    print(f"{'client':<16}{'wall s':>8}{'/ideal':>8}{'CPU ms/request':>16}")
    for row in rows:
        print(
            f"{row['client']:<16}{row['wall']:>8.2f}{row['wall_over_ideal']:>8.2f}"
            f"{row['cpu_ms']:>16.2f}"
        )


def measured(name: str, url: str, requests: int, concurrency: int) -> Measure:
    """One client in a process of its own."""
    said = subprocess.run(
        [*PYTHON, "--one", name, "--url", url, "--requests", str(requests),
         "--concurrency", str(concurrency)],
        check=True, capture_output=True, text=True, timeout=600,
        env={**os.environ, "OPENAI_API_KEY": "none", "PYTHONPATH": str(ROOT),
             "INSPECT_LOG_LEVEL": "error", "TOKENIZERS_PARALLELISM": "false"},
    ).stdout  # fmt: skip
    result: Measure = json.loads(said.strip().splitlines()[-1])
    return result


def median(values: Iterable[float]) -> float:
    """The middle one; of an even number the upper of the two."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


class Clock:
    """Wall and CPU of a `with` block; memory before and at its peak."""

    def __enter__(self) -> Clock:
        self.before = resource.getrusage(resource.RUSAGE_SELF)
        self.start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self.start
        self.after = resource.getrusage(resource.RUSAGE_SELF)

    def result(self) -> Measure:
        """Seconds, and MiB (Linux counts `ru_maxrss` in KiB)."""
        cpu = (self.after.ru_utime - self.before.ru_utime) + (
            self.after.ru_stime - self.before.ru_stime
        )
        return {"wall": self.wall, "cpu": cpu, "peak": self.after.ru_maxrss / 1024,
                "grown": (self.after.ru_maxrss - self.before.ru_maxrss) / 1024}  # fmt: skip


def prompt(i: int) -> str:
    """About forty tokens, all different."""
    return (
        f"Case {i}. The applicant, aged 52, has paid every bill for six years and asks the bank "
        "for a loan to open a bakery. Should the bank lend the money? Answer Yes or No."
    )


# -- the clients -------------------------------------------------------------------------------


def ours(url: str, requests: int, concurrency: int) -> Measure:
    """The remote backend as a run uses it, blocks drawn as slots fall free."""
    from harness.backends.http import Engine
    from harness.backends.remote import RemoteBackend
    from harness.models import RemoteModel
    from harness.nouns import Message, Option, Request, Want

    assert Engine
    backend = RemoteBackend(RemoteModel.model_validate(
        {"name": "m", "family": "f", "version": "1", "backend": "openai", "base_url": url,
         "model": "m", "logprobs": True, "concurrency": concurrency}
    ))  # fmt: skip
    options = (Option("yes", ("Yes", " Yes", "yes")), Option("no", ("No", " No", "no")))

    def blocks() -> Iterator[list[Request]]:
        for start in range(0, requests, 40):
            yield [
                Request(f"p{i}", (Message("user", prompt(i)),), Want.NEXT_TOKEN, options)
                for i in range(start, min(start + 40, requests))
            ]

    with Clock() as clock:
        good = sum(r.logprobs is not None for r in backend.answer(blocks()))
    return checked(good, requests, clock)


def sdk(url: str, requests: int, concurrency: int) -> Measure:
    """The openai SDK's asynchronous client behind a semaphore."""
    from openai import AsyncOpenAI

    async def run() -> int:
        client = AsyncOpenAI(base_url=url, api_key="none")
        slots = asyncio.Semaphore(concurrency)

        async def one(i: int) -> bool:
            async with slots:
                got = await client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": prompt(i)}],
                    max_tokens=1, temperature=1, logprobs=True, top_logprobs=20,
                )  # fmt: skip
            return got.choices[0].logprobs is not None

        return sum(await asyncio.gather(*map(one, range(requests))))

    with Clock() as clock:
        good = asyncio.run(run())
    return checked(good, requests, clock)


def lm_eval(url: str, requests: int, concurrency: int) -> Measure:
    """lm-evaluation-harness's chat API model; it asks for text, for it reads no probabilities."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.openai_completions import LocalChatCompletion

    model = LocalChatCompletion(
        base_url=url + "/chat/completions", model="m", num_concurrent=concurrency,
        tokenizer_backend=None, tokenized_requests=False,
    )  # fmt: skip
    asked = []
    for i in range(requests):
        said = model.apply_chat_template([{"role": "user", "content": prompt(i)}])
        arguments = (said, {"max_gen_toks": 1, "until": []})
        asked.append(Instance("generate_until", {}, arguments, i))
    with Clock() as clock:
        good = len(model.generate_until(asked, disable_tqdm=True))
    return checked(good, requests, clock)


def inspect(url: str, requests: int, concurrency: int) -> Measure:
    """Inspect's model interface, without its task layer and logs, which cost more."""
    from inspect_ai.model import GenerateConfig, get_model

    config = GenerateConfig(max_tokens=1, temperature=1, logprobs=True, top_logprobs=20,
                            max_connections=concurrency)  # fmt: skip
    model = get_model("openai-api/bench/m", base_url=url, api_key="none", config=config)

    async def run() -> int:
        got = await asyncio.gather(*(model.generate(prompt(i)) for i in range(requests)))
        return sum(bool(output.choices) for output in got)

    with Clock() as clock:
        good = asyncio.run(run())
    return checked(good, requests, clock)


def checked(good: int, requests: int, clock: Clock) -> Measure:
    """The clock's result, if everything was answered."""
    if good != requests:
        sys.exit(f"only {good} of {requests} requests were answered")
    return clock.result()


CLIENTS: dict[str, Callable[[str, int, int], Measure]] = {
    "bias-harness": ours, "openai SDK": sdk, "lm-eval": lm_eval, "Inspect": inspect,
}  # fmt: skip
NEEDS = {"openai SDK": "openai", "lm-eval": "lm_eval",
         "Inspect": "inspect_ai"}  # fmt: skip


# -- the server --------------------------------------------------------------------------------

TOP = [{"token": t, "logprob": p, "bytes": list(t.encode())}
       for t, p in zip(("Yes", " Yes", "No", " No", "Maybe"), (-0.7, -2.0, -1.5, -3.0, -4.0),
                       strict=True)]  # fmt: skip
BODY = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "length",
                 "message": {"role": "assistant", "content": "Yes"},
                 "logprobs": {"content": [{**TOP[0], "top_logprobs": TOP}]}}],
    "usage": {"prompt_tokens": 40, "completion_tokens": 1, "total_tokens": 41},
}).encode()  # fmt: skip
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)  # fmt: skip


class Answering(asyncio.Protocol):
    """As little HTTP as will do, so that the server takes no CPU from the client."""

    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n")[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, REPLY)  # type: ignore[attr-defined]


async def serve(delay: float) -> None:
    """Answer every request after `delay` seconds; print the port first."""
    Answering.delay = delay
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving(delay: float) -> Iterator[str]:
    """The server in a process of its own."""
    child = subprocess.Popen(
        [*PYTHON, "--serve", "--delay", str(delay)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{child.stdout.readline().strip()}/v1"
    finally:
        child.kill()
        child.wait()


if __name__ == "__main__":
    main()
