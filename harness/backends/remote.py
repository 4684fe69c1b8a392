"""Models behind an HTTP interface.

Every prompt and every sample is one request to `base_url` + the protocol's path; `base_url` is
used as given, so it ends in `/v1` for most servers. `n` is never used, since some servers
ignore it. What is read of an answer:

- `Want.NEXT_TOKEN`: the log-probabilities of the likeliest first tokens, at temperature 1, so
  that a server which reports them after its sampler reports the model's own.
- `Want.SEQUENCE`: one request for every spelling of every option, whose tokens' log-probabilities
  the server gives as part of the prompt.
- `Want.TEXT`: the text, drawn with the definition's decoding and the request's seed.
- `Want.FORM`: the same, held by the server to one of the options (`response_format`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from harness.backends import chat, completions, messages
from harness.backends.access import Access, access, check_address, check_body
from harness.backends.budget import Budget
from harness.backends.parts import Gathering, Part
from harness.errors import InputError, ModelError
from harness.models import RemoteModel, fingerprint
from harness.nouns import Message, Option, Record, Request, Response, Want

if TYPE_CHECKING:
    from harness.backends.http import Engine, Outcome
    from harness.backends.response_cache import ResponseCache

EMPTY_PROBES = 3
"""How often a server is asked what it offers while it answers nothing."""
CHANGES = 2
"""Changes of a server's name or fingerprint that are said as they happen."""
PROTOCOLS: dict[tuple[str, str], ModuleType] = {
    ("openai", "chat"): chat,
    ("openai", "completions"): completions,
    ("anthropic", "chat"): messages,
}
"""The module that speaks what a definition names."""
QUESTION = (Message("user", "Is water wet? Answer yes or no."),)
COUNTED = ("requests", "retries", "cached", "prompt_tokens", "completion_tokens")


class RemoteBackend:
    """Answers for one `RemoteModel`; the server is asked when first needed.

    Parameters
    ----------
    say
        Is told when the server turns into another one.
    max_requests, max_cost
        What may be sent and spent before `BudgetError` ends the answering; cost needs prices.
    cache
        Whether answers are kept, and taken, from earlier runs of this very model.

    Raises
    ------
    InputError
        `base_url` is no address, or carries a password or a query; `extra_body` takes over what
        is the harness's own; `max_cost` without prices.
    """

    whole_blocks = False

    def __init__(
        self,
        model: RemoteModel,
        say: Callable[[str], None] = lambda _: None,
        *,
        max_requests: int | None = None,
        max_cost: float | None = None,
        cache: bool = False,
    ) -> None:
        check_address(model)
        check_body(model)
        if max_cost is not None and model.prices is None:
            raise InputError(
                f"--max-cost: model '{model.name}' has no prices; write "
                "`prices: {input: ..., output: ...}`, for a million tokens, into its definition"
            )
        self.model = model
        self._say = say
        self._budget = Budget(max_requests=max_requests, max_cost=max_cost, prices=model.prices)
        self._wants_cache = cache
        self._cache: ResponseCache | None = None
        self._protocol = PROTOCOLS[model.backend, model.endpoint]
        self._logprobs = model.logprobs
        if self._protocol is messages or model.reasoning_tokens:
            self._logprobs = False
        self._sequences: bool | None = None if self._logprobs is not False else False
        self._forms: bool | None = None if self._protocol is chat else False
        self._top = chat.TOP
        self._met = False
        self._served: list[str] = []
        self._systems: list[str] = []
        self._counts = dict.fromkeys(COUNTED, 0)
        self._cost = 0.0

    # -- the protocol --------------------------------------------------------------------------

    def identity(self) -> Record:
        return {"base_url": self.model.base_url, "model": self.model.model}

    def offers(self, want: Want) -> bool:
        """Whether this can be measured; the server may be asked once for each want.

        Raises
        ------
        InputError
            The key is not at hand.
        ModelError
            The server is down, refuses the key, does not know the model, or answers nothing
            that could be used.
        """
        self._access()
        if want is Want.NEXT_TOKEN:
            if self._logprobs is None:
                self._logprobs = self._probe()
            return self._logprobs
        if want is Want.SEQUENCE:
            if self._sequences is None:
                self._sequences = self._probe_sequence()
            return self._sequences
        if want is Want.FORM:
            if self._forms is None:
                self._forms = self._probe_form()
            return self._forms
        return want is Want.TEXT

    def ready(self) -> None:
        """A server is asked what it offers when the design is made; nothing more is needed."""

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        """Responses as they finish, `concurrency` requests at a time.

        The members of a counterfactual set, of one sample each, are sent one after another in an
        order drawn anew for every block, so that what changes with time falls on no one group.

        For `Want.NEXT_TOKEN`, `Response.logprobs` holds the options that the server's list of
        likeliest tokens shows, possibly none. An absent option's probability is not zero: it is
        under `absent_below`. For `Want.SEQUENCE` it holds the log of the sum over spellings.

        Raises
        ------
        InputError
            The key is not at hand.
        ModelError
            The key, the address or the model is refused, or the server is down.
        BudgetError
            The budget is used up; whatever was under way has been answered.
        """
        gathering = Gathering()
        fresh: list[Response] = []
        parts = self._parts(_shuffled(blocks, self.model.decoding.seed), gathering, fresh)
        for outcome in self._post(parts):
            yield from fresh
            fresh.clear()
            self._note(outcome)
            response = self._responded(outcome)
            if self._cache is not None:
                self._cache.keep(outcome.item, response)
            if outcome.item.spelling is None:
                yield response
            elif (whole := gathering.add(outcome.item, response)) is not None:
                yield whole
        yield from fresh

    def workload(self, blocks: Iterable[Sequence[Request]]) -> None:
        """None: the server's tokenizer is not at hand."""
        return None

    def facts(self) -> Record:
        """`usage` counts prompts asked, `retries` what was sent beyond; tokens are as billed."""
        priced = self.model.prices is not None
        return {
            **self.identity(),
            "served_models": list(self._served),
            "system_fingerprints": list(self._systems),
            "logprobs": self._logprobs,
            "sequences": self._sequences,
            "offer": self._offer(),
            "usage": {
                **self._counts,
                "retries": self._budget.requests - self._counts["requests"],
                "cost": self._cost if priced else None,
            },
        }

    def _offer(self) -> str:
        """What the server offers, in words, as far as it was asked."""
        if self._met:
            said = f"serves '{self._served[-1] if self._served else self.model.model}'"
        elif self._logprobs is None:
            return f"{self.model.base_url}, model '{self.model.model}': not asked what it offers"
        else:
            said = f"offers for '{self.model.model}', as its definition says"
        words = {True: f"first-token probabilities (top {self._top})",
                 False: "no first-token probabilities",
                 None: "first-token probabilities not looked for"}[self._logprobs]  # fmt: skip
        if self._sequences is not None and self._logprobs is not False:
            words += f", {'' if self._sequences else 'no '}likelihoods of whole answers"
        seeds = "" if self.model.backend == "openai" else ", no seeds"
        return f"{self.model.base_url} {said}: {words}, sampled text{seeds}"

    def close(self) -> None:
        """Connections live only while `answer` is being read; the cache is closed."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    # -- asking --------------------------------------------------------------------------------

    def _access(self) -> Access:
        return access(self.model, self._protocol.AUTHORISE)

    def _post(self, parts: Iterable[Part]) -> Iterator[Outcome[Part, Response]]:
        from harness.backends.http import Engine

        engine: Engine[Part, Response] = Engine(
            self.model,
            self.model.base_url.rstrip("/") + self._protocol.PATH,
            self._access(),
            self._body,
            self._read,
            budget=self._budget,
            tokens=self._writes,
            cost=lambda value: (
                self._budget.price(value.prompt_tokens, value.completion_tokens)
                if value.prompt_tokens
                else None
            ),
            met=self._met,
            say=self._say,
        )
        return engine.post(parts)

    def _body(self, part: Part) -> Record:
        if part.spelling is None:
            body: Record = self._protocol.body(self.model, part.request, part.top)
        else:
            body = self._protocol.scoring(self.model, part.request, part.spelling)
        whole = body | self.model.extra_body
        return {name: value for name, value in whole.items() if value is not None}

    def _read(self, part: Part, data: Record) -> Response:
        if part.spelling is None:
            read: Response = self._protocol.response(part.request, data)
        else:
            read = self._protocol.scored(self.model, part.request, part.spelling, data)
        return read

    def _writes(self, part: Part) -> int:
        """The most tokens that the answer may have."""
        if part.spelling is not None or part.request.want is Want.NEXT_TOKEN:
            return 1
        return part.request.max_tokens + self.model.reasoning_tokens

    def _parts(
        self, requests: Iterable[Request], gathering: Gathering, fresh: list[Response]
    ) -> Iterator[Part]:
        """What is to be sent; what the cache knows goes to `fresh` instead."""
        for i, request in enumerate(requests):
            if i == 0:
                self._get_to_know(request.want)
            spelled: Sequence[str | None] = [None]
            if request.want is Want.SEQUENCE:
                spelled = [s for option in request.options for s in option.spellings]
                gathering.expect(request, len(spelled))
            for spelling in spelled:
                part = Part(request, spelling, self._top)
                known = self._cache.find(part) if self._cache is not None else None
                if known is None:
                    yield part
                    continue
                self._counts["cached"] += 1
                whole = known if spelling is None else gathering.add(part, known)
                if whole is not None:
                    fresh.append(whole)

    def _get_to_know(self, want: Want) -> None:
        """Before the first request: what a run that goes on has not asked the server yet."""
        if want is Want.NEXT_TOKEN and self._logprobs is None:
            self._probe()
        if self._wants_cache and self._cache is None:
            from harness.backends.response_cache import ResponseCache

            if not self._served:
                self._probe()
            served = f"{self._served[-1:]} {self._systems[-1:]}"
            mark = fingerprint(self.model, self.identity())
            self._cache = ResponseCache.of(mark, self.model, served)

    def _responded(self, outcome: Outcome[Part, Response]) -> Response:
        if outcome.value is not None:
            return outcome.value
        return chat.failure(outcome.item.request, outcome.error or "", declined=outcome.declined)

    # -- what the server offers ----------------------------------------------------------------

    def _probe(self) -> bool:
        """Whether a tiny request brings log-probabilities back.

        An empty answer says nothing of that: it would change the design by chance.
        """
        want = Want.TEXT if self._logprobs is False else Want.NEXT_TOKEN
        request = Request("probe", QUESTION, want, max_tokens=1)
        for _ in range(EMPTY_PROBES):
            [outcome] = self._post([Part(request, None, self._top)])
            self._note(outcome)
            if outcome.declined and "logprob" in (outcome.error or "").lower():
                if self._top == chat.TOP:
                    self._top = chat.FEWER
                    return self._probe()
                self._top = chat.TOP
                return False
            if outcome.value is None:
                raise ModelError(
                    f"{self.model.base_url}: a first tiny request failed: {outcome.error}"
                    + self._advice(outcome)
                )
            if outcome.value.reasoning or (outcome.value.text or "").startswith("<think"):
                self._check_reasoning()
                return False
            if self._protocol.shows(outcome.data):
                return True
            if (outcome.value.text or "").strip():
                return False
        raise ModelError(
            f"{self.model.base_url}: {EMPTY_PROBES} tiny requests came back empty; write "
            "`logprobs: true` or `false` in the model's definition if that is usual there, "
            "and `reasoning_tokens` if it thinks before it answers"
        )

    def _probe_sequence(self) -> bool:
        """Whether the log-likelihood of a whole answer comes back."""
        request = Request("probe", QUESTION, Want.SEQUENCE, (Option("yes", ("Yes, it is",)),))
        [outcome] = self._post([Part(request, " Yes, it is")])
        self._note(outcome)
        if (
            outcome.value is None
            and not outcome.declined
            and "the server" not in (outcome.error or "")
        ):
            raise ModelError(f"{self.model.base_url}: a first tiny request failed: {outcome.error}")
        return outcome.value is not None and bool(outcome.value.logprobs)

    def _probe_form(self) -> bool:
        """Whether an answer can be held to a form; a server that does not know it may ignore it,
        or decline."""
        options = (Option("yes", ()), Option("no", ()))
        request = Request("probe", QUESTION, Want.FORM, options, max_tokens=24)
        [outcome] = self._post([Part(request, None, self._top)])
        self._note(outcome)
        if outcome.value is None and not outcome.declined:
            raise ModelError(f"{self.model.base_url}: a first tiny request failed: {outcome.error}")
        names = [option.name for option in options]
        return outcome.value is not None and chat.held(outcome.value.text) in names

    def _check_reasoning(self) -> None:
        if not self.model.reasoning_tokens:
            raise InputError(
                f"model '{self.model.name}' thinks before it answers: write `reasoning_tokens: N` "
                "into its definition, the tokens it may think for, or switch thinking off "
                "with extra_body"
            )

    def _advice(self, outcome: Outcome[Part, Response]) -> str:
        if not outcome.declined:
            return ""
        return (
            "; a parameter it does not know is left out with `extra_body: {NAME: null}` in the "
            "model's definition"
        )

    def _note(self, outcome: Outcome[Part, Response]) -> None:
        """Keep what the manifest wants to know."""
        self._met = True
        counts = self._counts
        counts["requests"] += 1
        if outcome.value is not None:
            counts["prompt_tokens"] += outcome.value.prompt_tokens
            counts["completion_tokens"] += outcome.value.completion_tokens
            self._cost = self._budget.cost
        for key, seen in (("model", self._served), ("system_fingerprint", self._systems)):
            name = outcome.data.get(key)
            if isinstance(name, str) and name[:200] not in seen:
                seen.append(name[:200])
                self._tell(key, seen)

    def _tell(self, key: str, seen: Sequence[str]) -> None:
        """Say a change as it happens, but not for ever: how many there were is said in the end."""
        if 1 < len(seen) <= 1 + CHANGES:
            self._say(
                f"! the server is not the same any more: its {key} was '{seen[-2]}' and is "
                f"'{seen[-1]}'; answers of both are in this run"
            )
        elif len(seen) == 2 + CHANGES:
            self._say(f"! its {key} goes on changing; how often is said in the end")


def _shuffled(blocks: Iterable[Sequence[Request]], seed: int) -> Iterator[Request]:
    """Sample by sample, the requests of a block in an order drawn from `seed` and the block."""
    for block in blocks:
        by_sample: dict[int, list[Request]] = {}
        for request in block:
            by_sample.setdefault(request.sample, []).append(request)
        for sample in sorted(by_sample):
            some = by_sample[sample]
            random.Random(f"{seed} {sample} {some[0].prompt}").shuffle(some)
            yield from some
