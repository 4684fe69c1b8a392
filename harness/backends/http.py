"""Many JSON requests to one address: bounded in number, patient with faults, stopped in time.

The requests run on an asyncio loop in a thread that lives exactly as long as `Engine.post` is
being read. So the caller stays synchronous, may itself run inside a loop (a notebook), and
Ctrl-C or closing the generator leaves nothing behind. Items are drawn and outcomes handed out
in the caller's thread only.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Generic, NoReturn, TypeVar

import aiohttp
import orjson

from harness.errors import ModelError
from harness.models import RemoteModel
from harness.nouns import Record

FIRST_WAIT = 1.0
"""Seconds before the first retry; doubled for each further one, with jitter."""
LONGEST_WAIT = 60.0
LONGEST_CONNECT = 30.0
LARGEST_REPLY = 16 * 2**20
"""Bytes of an unpacked response; no chat completion comes near it."""

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[K, T]):
    """What came of one item: a `value`, or the words of why there is none."""

    item: K
    value: T | None
    data: Record  # the server's JSON object; empty where there is no value
    error: str | None  # what went wrong, in the server's words where it gave some
    declined: bool  # the server said no to this very request: asking again would not help
    retries: int


Done = SimpleQueue[Outcome[K, T] | Exception]


class _Fault(Exception):
    """One attempt that failed."""

    def __init__(
        self, words: str, *, again: bool = True, after: float = 0.0, unreachable: bool = False
    ) -> None:
        super().__init__(words)
        self.words = words
        self.again = again  # whether another attempt may help
        self.after = after  # seconds the server asks to wait
        self.unreachable = unreachable  # no connection was made


class Engine(Generic[K, T]):
    """Posts JSON to `url` and reads what comes back.

    Parameters
    ----------
    model
        Gives `concurrency`, `timeout` (seconds, per attempt), `retries` and what messages name.
    url
        The whole address.
    key
        Sent as a bearer token; blotted out of everything the server says.
    body
        The JSON object to send for an item.
    read
        The value of an item from the server's JSON object. Raises ValueError where the object
        is not what the protocol says; that counts as a fault and is retried.
    """

    def __init__(
        self,
        model: RemoteModel,
        url: str,
        key: str | None,
        body: Callable[[K], Record],
        read: Callable[[K, Record], T],
    ) -> None:
        self._model = model
        self._url = url
        self._key = key
        self._body = body
        self._read = read
        self._last_reply = -1.0  # loop time of the last HTTP answer of any kind
        self._misses = 0  # requests given up in a row, with no good answer between
        self._patience = max(20, 3 * model.concurrency)

    def post(self, items: Iterable[K]) -> Iterator[Outcome[K, T]]:
        """Outcomes in the order in which they finish; items are drawn only as slots fall free.

        Raises
        ------
        ModelError
            The key or the address is refused, or the server is down.
        """
        waiting = iter(items)
        done: Done[K, T] = SimpleQueue()
        with self._running(done) as send:
            asked = sum(map(send, islice(waiting, self._model.concurrency)))
            while asked:
                got = _next(done)
                if isinstance(got, Exception):
                    yield from _finished(done)
                    raise got
                asked += sum(map(send, islice(waiting, 1))) - 1
                yield got

    @contextmanager
    def _running(self, done: Done[K, T]) -> Iterator[Callable[[K], int]]:
        """The thread with its loop; gives a function that starts one item (and returns 1)."""
        loop = asyncio.new_event_loop()
        inbox: asyncio.Queue[tuple[K] | None] = asyncio.Queue()

        def drive() -> None:
            try:
                with asyncio.Runner(loop_factory=lambda: loop) as runner:
                    runner.run(self._serve(inbox, done))
            except Exception as error:
                done.put(error)

        def send(item: K) -> int:
            loop.call_soon_threadsafe(inbox.put_nowait, (item,))
            return 1

        thread = threading.Thread(target=drive, name="bias-harness-http", daemon=True)
        thread.start()
        try:
            yield send
        finally:
            loop.call_soon_threadsafe(inbox.put_nowait, None)
            thread.join()

    async def _serve(self, inbox: asyncio.Queue[tuple[K] | None], done: Done[K, T]) -> None:
        """Start whatever comes in, until None comes; then cancel what is unfinished."""
        headers = {"Content-Type": "application/json", "User-Agent": "bias-harness"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        seconds = self._model.timeout
        tasks: set[asyncio.Task[None]] = set()
        async with aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=0),  # `post` bounds them
            timeout=aiohttp.ClientTimeout(seconds, sock_connect=min(seconds, LONGEST_CONNECT)),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        ) as session:
            while (item := await inbox.get()) is not None:
                task = asyncio.create_task(self._finish(session, item[0], done))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _finish(self, session: aiohttp.ClientSession, item: K, done: Done[K, T]) -> None:
        try:
            done.put(await self._persist(session, item))
        except Exception as error:  # whatever it is, the caller must hear of it, not wait
            done.put(error)

    async def _persist(self, session: aiohttp.ClientSession, item: K) -> Outcome[K, T]:
        """One item, asked until it is answered, declined or given up."""
        body = orjson.dumps(self._body(item))
        began = 0.0
        for attempt in range(self._model.retries + 1):
            try:
                data = await self._once(session, body)
                value = self._understand(item, data)
                self._misses = 0
                return Outcome(item, value, data, None, False, attempt)
            except _Fault as caught:
                fault = caught
            if not fault.again:
                self._misses = 0
                return Outcome(item, None, {}, fault.words, True, attempt)
            if attempt == 0:
                began = asyncio.get_running_loop().time()
            if attempt < self._model.retries:
                await asyncio.sleep(self._pause(attempt, fault.after))
        self._count_miss(fault, began)
        words = f"{fault.words} (asked {attempt + 1} times)"
        return Outcome(item, None, {}, words, False, attempt)

    def _pause(self, attempt: int, after: float) -> float:
        """Seconds to wait: doubling, jittered, never less than the server asks for."""
        own = min(FIRST_WAIT * 2.0**attempt, LONGEST_WAIT) * random.uniform(0.5, 1.0)
        return max(own, min(after, self._model.timeout))

    def _count_miss(self, fault: _Fault, began: float) -> None:
        """Stop everything where not this request but the server is at fault.

        It is down when no request has had any answer since this one first failed at `began`.
        """
        where = self._model.base_url
        if fault.unreachable and self._last_reply < began:
            raise ModelError(f"{where}: the server is down ({fault.words})")
        self._misses += 1
        if self._misses >= self._patience:
            raise ModelError(
                f"{where}: {self._misses} requests in a row failed, the last one with: "
                f"{fault.words}"
            )

    async def _once(self, session: aiohttp.ClientSession, body: bytes) -> Record:
        """One attempt: the server's JSON object."""
        try:
            async with session.post(self._url, data=body, allow_redirects=False) as reply:
                payload = await _payload(reply)
        except aiohttp.ClientConnectorCertificateError as error:
            raise ModelError(
                f"{self._model.base_url}: this machine does not trust the server's certificate: "
                f"{self._say(error)}; add its issuer to the system's certificates"
            ) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _Fault(f"no connection: {self._say(error)}", unreachable=True) from None
        except TimeoutError:
            raise _Fault(f"no answer within {self._model.timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _Fault(f"the connection broke: {self._say(error)}") from None
        self._last_reply = asyncio.get_running_loop().time()
        if self._key:
            payload = payload.replace(self._key.encode(), b"[key]")
        try:
            data = orjson.loads(payload)
        except orjson.JSONDecodeError:
            data = None
        if not 200 <= reply.status < 300:
            self._decline(reply, _words(data) or _sort_of(payload))
        if not isinstance(data, dict):
            raise _Fault(f"the server answered {_sort_of(payload)} where a JSON object was due")
        return data

    def _say(self, error: Exception) -> str:
        """An exception's own words, never its repr: that may show the headers."""
        words = str(error)
        return _short(words.replace(self._key, "[key]") if self._key else words) or (
            type(error).__name__
        )

    def _understand(self, item: K, data: Record) -> T:
        try:
            return self._read(item, data)
        except ValueError as error:
            said = _words(data)
            raise _Fault(f"{error}{': ' + said if said else ''}") from None

    def _decline(self, reply: aiohttp.ClientResponse, said: str) -> NoReturn:
        """Sort an answer that is no success: end of all, end of this one, or try again."""
        status, model = reply.status, self._model
        if status in (401, 403):
            advice = (
                f"check the key in the environment variable {model.api_key_env}"
                if model.api_key_env
                else "it wants a key: name the environment variable that holds it as api_key_env"
            )
            raise ModelError(f"{model.base_url}: access refused ({status}: {said}); {advice}")
        if status in (404, 405):
            hint = "" if model.base_url.rstrip("/").endswith("/v1") else " (is a /v1 missing?)"
            raise ModelError(
                f"{self._url}: not found ({status}: {said}); "
                f"check base_url{hint} and model '{model.model}'"
            )
        if 300 <= status < 400:
            raise ModelError(
                f"{self._url}: redirects to '{_short(reply.headers.get('Location', ''))}', which "
                "is refused because the key must not follow; put the final address into base_url"
            )
        again = status in (408, 429) or status >= 500
        raise _Fault(f"{status}: {said}", again=again, after=_retry_after(reply.headers))


def _next(done: Done[K, T]) -> Outcome[K, T] | Exception:
    """Waits in short turns: Ctrl-C in the instant before a wait begins would not end it."""
    while True:
        with suppress(Empty):
            return done.get(timeout=0.5)


def _finished(done: Done[K, T]) -> Iterator[Outcome[K, T]]:
    """Answers that are already there when the end comes: they are paid for."""
    while not done.empty():
        got = done.get()
        if isinstance(got, Outcome):
            yield got


async def _payload(reply: aiohttp.ClientResponse) -> bytes:
    """The whole body, unpacked."""
    parts: list[bytes] = []
    size = 0
    async for part in reply.content.iter_any():
        size += len(part)
        if size > LARGEST_REPLY:
            raise _Fault(f"the answer is larger than {LARGEST_REPLY // 2**20} MiB", again=False)
        parts.append(part)
    return b"".join(parts)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a Retry-After header (a number or an HTTP date) asks for; 0 without one."""
    given = headers.get("Retry-After", "").strip()
    try:
        seconds = float(given)
    except ValueError:
        try:
            when = parsedate_to_datetime(given)
        except ValueError:
            return 0.0
        seconds = when.replace(tzinfo=when.tzinfo or UTC).timestamp() - time.time()
    return seconds if 0 < seconds < float("inf") else 0.0


def _words(data: Any) -> str:
    """What a server's error object says, its code first; "" where it says nothing."""
    if not isinstance(data, dict):
        return ""
    error = data.get("error") or data.get("detail") or data.get("message") or ""
    if isinstance(error, str):
        return _short(error)
    if not isinstance(error, dict):
        return _short(orjson.dumps(error).decode())
    parts = (error.get("code") or error.get("type"), error.get("message"))
    return _short(": ".join(str(part) for part in parts if part))


def _sort_of(payload: bytes) -> str:
    """In words, what a body is that is not the JSON that was due."""
    start = payload[:400].decode("utf-8", "replace").strip()
    if not start:
        return "nothing"
    if start.lower().startswith(("<!doctype", "<html", "<?xml")):
        return "an HTML page"
    if start.startswith("{"):
        return "broken JSON"
    return f"'{_short(start)}'"


def _short(words: str) -> str:
    """One printable line of at most 300 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return line if len(line) <= 300 else line[:297] + "..."
