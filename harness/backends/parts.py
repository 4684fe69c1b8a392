"""One HTTP request of a prompt, and the requests for all spellings of its options as one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.backends.chat import TOP, log_sum
from harness.nouns import Finish, Request, Response


@dataclass(frozen=True, slots=True)
class Part:
    """One HTTP request: a whole request, or one spelling of one of its options."""

    request: Request
    spelling: str | None = None
    top: int = TOP


class Gathering:
    """Puts the spellings of one request together again."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[int, list[tuple[str, Response]]]] = {}

    def expect(self, request: Request, count: int) -> None:
        self._waiting[request.prompt] = (count, [])

    def add(self, part: Part, response: Response) -> Response | None:
        """The whole request's response once its last part is there."""
        count, found = self._waiting[part.request.prompt]
        found.append((part.spelling or "", response))
        if len(found) < count:
            return None
        del self._waiting[part.request.prompt]
        return gathered(part.request, dict(found))


def gathered(request: Request, found: Mapping[str, Response]) -> Response:
    """The responses to all spellings as one.

    A failure of one is a failure of all. An option none of whose spellings has a likelihood of
    its own is an error too: there is no bound for it.
    """
    reads = sum(response.prompt_tokens for response in found.values())
    writes = sum(response.completion_tokens for response in found.values())
    whole = Response(
        request.prompt, Finish.STOP, logprobs={}, prompt_tokens=reads, completion_tokens=writes
    )
    for response in found.values():
        if response.finish in (Finish.ERROR, Finish.FILTER):
            return replace(response, prompt_tokens=reads, completion_tokens=writes)
    logprobs = {}
    for option in request.options:
        values = [v for s in option.spellings for v in (found[s].logprobs or {}).values()]
        if not values:
            said = f"the server's tokenizer cannot tell option '{option.name}' from the prompt"
            return replace(whole, finish=Finish.ERROR, logprobs=None, detail=said)
        logprobs[option.name] = min(0.0, log_sum(values))
    return replace(whole, logprobs=logprobs)
