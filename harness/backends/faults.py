"""What can go wrong with one request, and what it means: ask again, give up, or end all."""

from __future__ import annotations

from collections.abc import Mapping

from harness.backends.access import Access
from harness.backends.replies import retry_after, short
from harness.errors import ModelError
from harness.models import RemoteModel

BROKE = ("insufficient_quota", "insufficient balance", "billing", "credit balance")
"""Words by which servers say that waiting will not help, whatever the status."""

# Servers have no common code for these two, so their words are searched, in small letters.
TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "context size",
    "exceed_context",
    "prompt is too long",
    "input is too long",
    "too many tokens",
)
FILTERED = ("content_filter", "content_policy", "data_inspection_failed", "content exists risk")


class Fault(Exception):
    """One attempt that failed."""

    def __init__(
        self,
        words: str,
        *,
        again: bool = True,
        after: float = 0.0,
        hasty: bool = False,
        unreachable: bool = False,
        silent: bool = False,
        billed: bool = True,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.again = again  # whether another attempt may help
        self.after = after  # seconds the server asks to wait
        self.hasty = hasty  # it only wants fewer requests
        self.unreachable = unreachable  # no connection was made
        self.silent = silent  # nothing came back in time
        self.billed = billed  # the server may have worked on it


def filtered(words: str) -> bool:
    """Whether a server that declined a request names a filter of contents."""
    return any(sign in words.lower() for sign in FILTERED)


def too_long(words: str) -> bool:
    """Whether it says that the prompt does not fit."""
    return any(sign in words.lower() for sign in TOO_LONG)


def declined(
    model: RemoteModel,
    access: Access,
    url: str,
    status: int,
    headers: Mapping[str, str],
    said: str,
) -> Fault | ModelError:
    """What an answer with a status that is no success means: the end of all, or one fault."""
    if status == 402 or (status in (400, 403, 429) and any(w in said.lower() for w in BROKE)):
        return ModelError(f"{model.base_url}: the account has no credit left ({status}: {said})")
    if status in (401, 403):
        if model.api_key_env:
            advice = f"check the key in the environment variable {model.api_key_env}"
        elif model.api_key_file:
            advice = f"check the key in {model.api_key_file}"
        else:
            advice = "it wants a key: name the environment variable that holds it as api_key_env"
        return ModelError(f"{model.base_url}: access refused ({status}: {said}); {advice}")
    if status in (404, 405):
        hint = "" if model.base_url.rstrip("/").endswith("/v1") else " (is a /v1 missing?)"
        return ModelError(
            f"{url}: not found ({status}: {said}); check base_url{hint} and model '{model.model}'"
        )
    if 300 <= status < 400:
        target = access.blot(headers.get("Location", ""))
        return ModelError(
            f"{url}: redirects to '{short(target)}', which "
            "is refused because the key must not follow; put the final address into base_url"
        )
    return Fault(
        f"{status}: {said}",
        again=status in (408, 409, 425, 429) or status >= 500,
        after=retry_after(headers),
        hasty=status == 429,
        billed=False,
    )
