"""Many JSON requests to one address: bounded in number, patient with faults, stopped in time.

The requests run on an asyncio loop in a thread that lives exactly as long as `Engine.post` is
being read. So the caller stays synchronous, may itself run inside a loop (a notebook), and
Ctrl-C or closing the generator leaves nothing behind. Items are drawn and outcomes handed out
in the caller's thread only.
"""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import aiohttp
import orjson

from harness.backends.access import Access
from harness.backends.budget import Budget
from harness.backends.faults import Fault, declined, filtered, too_long
from harness.backends.pace import Pace
from harness.backends.replies import data_of, short, sort_of, words
from harness.errors import BudgetError, ModelError
from harness.models import RemoteModel
from harness.nouns import Record

FIRST_WAIT = 1.0
"""Seconds before the first retry; doubled for each further one, with jitter."""
LONGEST_WAIT = 60.0
LONGEST_CONNECT = 30.0
LONG = 5.0
"""Seconds of being told to slow down after which whoever watches should hear why nothing moves."""
LARGEST_REPLY = 16 * 2**20
"""Bytes of an unpacked response; no chat completion comes near it."""
UNUSED = re.compile(r" ssl:(?:default|None|True|False)")
"""What aiohttp says of every address, encrypted or not."""
SILENCE = 3
"""Timeouts in a row without any answer after which a server that takes connections is down."""

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


Done = SimpleQueue[Outcome[K, T] | Exception | str]
"""What the loop tells the caller: an outcome, an end of all, or words for whoever watches."""


class Engine(Generic[K, T]):
    """Posts JSON to `url` and reads what comes back.

    Parameters
    ----------
    model
        Gives `concurrency`, `timeout` (seconds, per attempt), `total_timeout` (all attempts),
        `retries`, the limits per minute, and what messages name.
    url
        The whole address.
    access
        Headers and proxy; its secrets are blotted out of everything the server says.
    body
        The JSON object to send for an item.
    read
        The value of an item from the server's JSON object. Raises ValueError where the object
        is not what the protocol says; that counts as a fault and is retried.
    budget
        What may be sent and spent; without one, nothing is held back.
    tokens
        Tokens that an item may write, for limits of tokens and money.
    cost
        What an item cost, from its value; None where the server did not say.
    met
        Whether this server has answered before; else one request goes alone first.
    say
        Is told, once a `post`, when the server keeps asking to slow down.
    """

    def __init__(
        self,
        model: RemoteModel,
        url: str,
        access: Access | None,
        body: Callable[[K], Record],
        read: Callable[[K, Record], T],
        *,
        budget: Budget | None = None,
        tokens: Callable[[K], int] = lambda _: 0,
        cost: Callable[[T], float | None] = lambda _: 0.0,
        met: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._model = model
        self._url = url
        self._access = access or Access()
        self._body = body
        self._read = read
        self._budget = budget or Budget()
        self._tokens = tokens
        self._cost = cost
        self._met = met
        self._tell = say
        self._slowed = False  # said that the server asks to slow down
        self._over = False  # an end of all was met: nothing more is sent
        self._pace = Pace(model, met=met)
        self._last_reply = -1.0  # loop time of the last HTTP answer of any kind
        self._misses = 0  # requests given up in a row, with no good answer between
        self._patience = max(20, 3 * model.concurrency)

    def post(self, items: Iterable[K]) -> Iterator[Outcome[K, T]]:
        """Outcomes in the order in which they finish; items are drawn only as slots fall free.

        Raises
        ------
        ModelError
            The key or the address is refused, or the server is down.
        BudgetError
            The budget is used up; whatever was under way has been waited for.
        """
        waiting = iter(items)
        done: Done[K, T] = SimpleQueue()
        spent: BudgetError | None = None
        self._pace, self._over = Pace(self._model, met=self._met), False
        self._slowed = False
        with self._running(done) as send:
            # a few more than may be open, so that a free slot need not wait for this thread
            most = self._model.concurrency + self._model.concurrency // 8
            asked = sum(map(send, islice(waiting, most)))
            while asked:
                got = _next(done)
                if isinstance(got, str):
                    self._tell(got)
                    continue
                asked -= 1
                if isinstance(got, BudgetError):
                    spent = got
                    continue
                if isinstance(got, Exception):
                    yield from _finished(done)
                    raise got
                if spent is None:
                    asked += sum(map(send, islice(waiting, 1)))
                yield got
        if spent is not None:
            raise spent

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
        headers.update(self._access.headers)
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
            done.put(await self._persist(session, item, done))
        except Exception as error:  # whatever it is, the caller must hear of it, not wait
            self._over = self._over or not isinstance(error, BudgetError)
            done.put(error)

    async def _persist(
        self, session: aiohttp.ClientSession, item: K, done: Done[K, T]
    ) -> Outcome[K, T]:
        """One item, asked until it is answered, declined or given up.

        Being told to slow down is no failed attempt: that is waited out until `total_timeout`.
        """
        body = orjson.dumps(self._body(item))
        clock = asyncio.get_running_loop().time
        began, deadline = 0.0, 0.0
        tried = hasty = 0
        while True:
            try:
                value, data = await self._attempt(session, item, body)
                return Outcome(item, value, data, None, False)
            except Fault as caught:
                fault = caught
            if not fault.again:
                if filtered(fault.words) or too_long(fault.words):  # of this very request
                    self._misses = 0
                else:
                    self._count_miss(fault)
                return Outcome(item, None, {}, fault.words, True)
            if not deadline:
                began, deadline = clock(), clock() + self._model.total_timeout
            pause = self._pause(hasty if fault.hasty else tried, fault.after)
            tried, hasty = tried + (not fault.hasty), hasty + fault.hasty
            if tried > self._model.retries or clock() + pause > deadline:
                break
            if fault.hasty and not self._slowed and clock() + pause - began >= LONG:
                self._slowed = True
                done.put(
                    f"{self._model.base_url} asks to slow down ({fault.words}); every prompt is "
                    f"waited for, up to {self._model.total_timeout:g} s"
                )
            await asyncio.sleep(pause)
        self._check_up(fault, began, clock())
        self._count_miss(fault)
        times = "once" if tried + hasty == 1 else f"{tried + hasty} times"
        said = f"{fault.words} (asked {times})"
        return Outcome(item, None, {}, said, False)

    async def _attempt(
        self, session: aiohttp.ClientSession, item: K, body: bytes
    ) -> tuple[T, Record]:
        """One attempt within pace and budget: what the server's answer says, and the answer."""
        reads, writes = len(body) // 4, self._tokens(item)
        await self._pace.enter(reads + writes)
        try:
            if self._over:
                raise asyncio.CancelledError
            most = self._budget.price(reads, writes)
            while not self._budget.take(most):
                await asyncio.sleep(0.02)  # until an open request ends and gives some back
            spent = most
            try:
                data = await self._once(session, body)
                value = self._understand(item, data)
                told = self._cost(value)
                spent = most if told is None else told
            except Fault as fault:
                spent = most if fault.billed else 0.0
                if fault.hasty:
                    self._pace.refused(min(fault.after, self._model.total_timeout))
                elif not fault.again:
                    self._pace.answered()
                raise
            finally:
                self._budget.settle(most, spent)
            self._misses = 0
            self._pace.answered()
            return value, data
        finally:
            self._pace.leave()

    def _pause(self, attempt: int, after: float) -> float:
        """Seconds to wait: doubling, jittered, never less than the server asks for."""
        own = min(FIRST_WAIT * 2.0 ** min(attempt, 30), LONGEST_WAIT) * random.uniform(0.5, 1.0)
        return max(own, after)

    def _check_up(self, fault: Fault, began: float, now: float) -> None:
        """Stop everything where the server is down.

        It is down when no request has had any answer since this one first failed at `began`, or
        for several timeouts.
        """
        quiet = now - max(began, self._last_reply) >= SILENCE * self._model.timeout
        if (fault.unreachable and self._last_reply < began) or (fault.silent and quiet):
            raise ModelError(f"{self._model.base_url}: the server is down ({fault.words})")

    def _count_miss(self, fault: Fault) -> None:
        """Stop everything where not one request but the server is at fault."""
        self._misses += 1
        if self._misses >= self._patience:
            raise ModelError(
                f"{self._model.base_url}: {self._misses} requests in a row failed, the last one "
                f"with: {fault.words}"
            )

    async def _once(self, session: aiohttp.ClientSession, body: bytes) -> Record:
        """One attempt: the server's JSON object."""
        try:
            async with session.post(
                self._url, data=body, allow_redirects=False, proxy=self._access.proxy
            ) as reply:
                payload = await _payload(reply)
        except aiohttp.ClientConnectorCertificateError as error:
            raise ModelError(
                f"{self._model.base_url}: this machine does not trust the server's certificate: "
                f"{self._say(error)}; add its issuer to the system's certificates"
            ) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            said = f"no connection: {UNUSED.sub('', self._say(error))}"
            raise Fault(said, unreachable=True, billed=False) from None
        except aiohttp.ClientHttpProxyError as error:
            raise ModelError(
                f"{self._model.base_url}: the proxy refuses ({error.status}: "
                f"{short(error.message)}); check `proxy` in the model's definition"
            ) from None
        except TimeoutError:
            raise Fault(f"no answer within {self._model.timeout:g} s", silent=True) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Fault(f"the connection broke: {self._say(error)}") from None
        self._last_reply = asyncio.get_running_loop().time()
        payload = self._access.blot_bytes(payload)
        try:
            data = data_of(payload)
        except ValueError:
            data = None
        if not 200 <= reply.status < 300:
            raise declined(
                self._model,
                self._access,
                self._url,
                reply.status,
                reply.headers,
                words(data) or sort_of(payload),
            )
        if not isinstance(data, dict):
            raise Fault(f"the server answered {sort_of(payload)} where a JSON object was due")
        return data

    def _say(self, error: Exception) -> str:
        """An exception's own words, never its repr: that may show the headers."""
        return short(self._access.blot(str(error))) or type(error).__name__

    def _understand(self, item: K, data: Record) -> T:
        try:
            return self._read(item, data)
        except ValueError as error:
            said = words(data)
            raise Fault(f"{error}{': ' + said if said else ''}") from None


def _next(done: Done[K, T]) -> Outcome[K, T] | Exception | str:
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
            raise Fault(f"the answer is larger than {LARGEST_REPLY // 2**20} MiB", again=False)
        parts.append(part)
    return b"".join(parts)
