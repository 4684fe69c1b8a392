"""What a run would send to a server and cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable

from harness.models import RemoteModel
from harness.nouns import Record, Request, Want

LETTERS = {"cjk": 1.0, "other": 4.0}
"""Letters to a token, of Chinese, Japanese and Korean writing and of others: a rough mean."""
OVERHEAD = 8
"""Tokens that a chat template puts around a prompt, about."""


def bill(model: RemoteModel, asked: Iterable[Request]) -> Record:
    """HTTP requests, tokens read (estimated), the most written, and with prices the most it costs.

    A request is one prompt and sample, or one spelling of a whole answer; retries are not in it.
    What is asked is read once and not kept.
    """
    sent = reads = writes = 0
    system = tokens(model.system_prompt or "")
    for request in asked:
        prompt = system + OVERHEAD + sum(tokens(m.content) for m in request.messages)
        if request.want is Want.SEQUENCE:
            spellings = [s for o in request.options for s in o.spellings]
            sent += len(spellings)
            reads += sum(prompt + tokens(s) for s in spellings)
            writes += len(spellings)
        else:
            sent += 1
            reads += prompt
            text = request.want in (Want.TEXT, Want.FORM)
            writes += request.max_tokens + model.reasoning_tokens if text else 1
    prices = model.prices
    cost = None if prices is None else (reads * prices.input + writes * prices.output) / 1e6
    return {"requests": sent, "prompt_tokens": reads, "completion_tokens": writes, "cost": cost,
            "currency": prices.currency if prices else None}  # fmt: skip


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    wide = sum("\u2e80" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7af" for letter in text)
    return round(wide / LETTERS["cjk"] + (len(text) - wide) / LETTERS["other"])
