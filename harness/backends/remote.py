"""Models behind an OpenAI-compatible HTTP interface.

Every prompt and every sample is one request to `base_url` + `/chat/completions`; `base_url` is
used as given, so it ends in `/v1` for most servers. `n` is never used, since some servers
ignore it. What is read of an answer:

- `Want.NEXT_TOKEN`: the `top_logprobs` of the first token, at temperature 1, so that a server
  which reports them after its sampler reports the model's own.
- `Want.TEXT`: the text, drawn with the definition's decoding and the request's seed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.backends import chat
from harness.errors import InputError, ModelError
from harness.models import RemoteModel
from harness.nouns import Message, Record, Request, Response, Want

if TYPE_CHECKING:
    from harness.backends.http import Outcome


EMPTY_PROBES = 3
"""How often a server is asked what it offers while it answers nothing."""


class RemoteBackend:
    """Answers for one `RemoteModel`; the server is asked when first needed.

    Raises
    ------
    InputError
        `base_url` is no address, or carries a password or a query.
    """

    whole_blocks = False

    def __init__(self, model: RemoteModel) -> None:
        _check_address(model)
        self.model = model
        self._logprobs = model.logprobs
        self._served: set[str] = set()
        self._systems: set[str] = set()
        self._counts = dict.fromkeys(
            ("requests", "retries", "prompt_tokens", "completion_tokens"), 0
        )

    # -- the protocol --------------------------------------------------------------------------

    def identity(self) -> Record:
        return {"base_url": self.model.base_url, "model": self.model.model}

    def offers(self, want: Want) -> bool:
        """Whether this can be measured; for NEXT_TOKEN the server may be asked once.

        Raises
        ------
        InputError
            The environment variable of the key is not set.
        ModelError
            The server is down, refuses the key, does not know the model, or answers nothing
            that could be used.
        """
        self._key()
        if want is Want.NEXT_TOKEN:
            if self._logprobs is None:
                self._logprobs = self._probe()
            return self._logprobs
        return want is Want.TEXT

    def ready(self) -> None:
        """A server is asked what it offers when the design is made; nothing more is needed."""

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        """Responses as they finish, `concurrency` requests at a time.

        For `Want.NEXT_TOKEN`, `Response.logprobs` holds the options that the server's list of
        likeliest tokens shows, possibly none. An absent option's probability is not zero: it is
        under `absent_below`.

        Raises
        ------
        InputError
            The environment variable of the key is not set.
        ModelError
            The key, the address or the model is refused, or the server is down.
        """
        requests = (request for block in blocks for request in block)
        for outcome in self._post(requests):
            self._note(outcome)
            yield outcome.value or chat.failure(
                outcome.item, outcome.error or "", declined=outcome.declined
            )

    def count_tokens(self, requests: Sequence[Request]) -> int | None:
        """None: the server's tokenizer is not at hand."""
        return None

    def facts(self) -> Record:
        """`requests` counts prompts asked, `retries` what was sent beyond; tokens are as billed."""
        return {
            **self.identity(),
            "served_models": sorted(self._served),
            "system_fingerprints": sorted(self._systems),
            "logprobs": self._logprobs,
            **self._counts,
        }

    def close(self) -> None:
        """Nothing: connections live only while `answer` is being read."""

    # -- asking --------------------------------------------------------------------------------

    def _post(self, requests: Iterable[Request]) -> Iterator[Outcome[Request, Response]]:
        from harness.backends.http import Engine

        url = self.model.base_url.rstrip("/") + "/chat/completions"
        body = partial(chat.body, self.model)
        return Engine(self.model, url, self._key(), body, chat.response).post(requests)

    def _key(self) -> str | None:
        name = self.model.api_key_env
        if name is None:
            return None
        key = os.environ.get(name, "").strip()
        if not key:
            raise InputError(
                f"model '{self.model.name}': the environment variable {name} holds its key "
                "and is not set; set it and run again"
            )
        if not (key.isascii() and key.isprintable()):
            raise InputError(
                f"model '{self.model.name}': the environment variable {name} holds characters "
                "that no key may have (a line break, or letters beyond ASCII)"
            )
        return key

    def _probe(self) -> bool:
        """Whether a tiny request brings log-probabilities back.

        An empty answer says nothing of that: it would change the design by chance.
        """
        question = Message("user", "Is water wet? Answer yes or no.")
        request = Request("probe", (question,), Want.NEXT_TOKEN)
        for _ in range(EMPTY_PROBES):
            [outcome] = self._post([request])
            self._note(outcome)
            if outcome.declined and "logprob" in (outcome.error or "").lower():
                return False
            if outcome.value is None:
                raise ModelError(
                    f"{self.model.base_url}: a first tiny request failed: {outcome.error}"
                )
            if chat.top_tokens(chat.first_choice(outcome.data)):
                return True
            if (outcome.value.text or "").strip():
                return False
        raise ModelError(
            f"{self.model.base_url}: {EMPTY_PROBES} tiny requests came back empty; write "
            "`logprobs: true` or `false` in the model's definition if that is usual there"
        )

    def _note(self, outcome: Outcome[Request, Response]) -> None:
        """Keep what the manifest wants to know."""
        self._counts["requests"] += 1
        self._counts["retries"] += outcome.retries
        if outcome.value is not None:
            self._counts["prompt_tokens"] += outcome.value.prompt_tokens
            self._counts["completion_tokens"] += outcome.value.completion_tokens
        for key, seen in (("model", self._served), ("system_fingerprint", self._systems)):
            if isinstance(name := outcome.data.get(key), str):
                seen.add(name)


def _check_address(model: RemoteModel) -> None:
    try:
        parts = urlsplit(model.base_url)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise InputError(f"model '{model.name}': base_url '{model.base_url}' is no web address")
    if parts.username or parts.password or parts.query or parts.fragment:
        # Not quoted: it may hold a secret.
        raise InputError(
            f"model '{model.name}': base_url must be an address only, with no user, password, "
            "query or fragment; a key belongs into the variable that api_key_env names"
        )
