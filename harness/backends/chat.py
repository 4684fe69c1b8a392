"""The chat-completions protocol of OpenAI and its many followers: what is sent, what is read.

Pure functions between requests and JSON objects. Servers differ and some are careless, so
nothing that is read is trusted to have its shape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.errors import ModelError
from harness.models import RemoteModel
from harness.nouns import Finish, Message, Option, Record, Request, Response, Want

TOP = 20
"""Log-probabilities asked for at the first token: the most that the protocol allows."""
UNKNOWN = -9999.0
"""What servers send in place of a log-probability that they did not compute."""

# Servers have no common code for these two, so their words are searched, in small letters.
_TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "context size",
    "exceed_context",
    "prompt is too long",
    "input is too long",
    "too many tokens",
)
_FILTERED = ("content_filter", "content_policy", "data_inspection_failed", "content exists risk")


def body(model: RemoteModel, request: Request) -> Record:
    """The JSON object that asks `model` for `request`; the system prompt goes first."""
    messages = request.messages
    if model.system_prompt is not None:
        messages = (Message("system", model.system_prompt), *messages)
    asked: Record = {
        "model": model.model,
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        "seed": request.seed % 2**31,  # some servers keep it in 32 bits with a sign
    }
    if request.want is Want.NEXT_TOKEN:
        return asked | {"max_tokens": 1, "temperature": 1, "logprobs": True, "top_logprobs": TOP}
    if request.want is Want.TEXT:
        drawn = asked | {
            "max_tokens": request.max_tokens,
            "temperature": model.decoding.temperature,
            "top_p": model.decoding.top_p,
        }
        return drawn | ({"stop": list(request.stop)} if request.stop else {})
    raise ModelError(
        f"model '{model.name}': a chat server gives no log-likelihood of a whole answer"
    )


def response(request: Request, data: Record) -> Response:
    """What the server's completion says.

    For `Want.NEXT_TOKEN` with options, a completion with text but without log-probabilities is
    a fault; without options (the probe of a server) it is not.

    Raises
    ------
    ValueError
        It is no completion.
    """
    choice = first_choice(data)
    usage = _mapping(data.get("usage"))
    text = _text(choice)
    answer = Response(
        request.prompt,
        Finish.LENGTH if choice.get("finish_reason") == "length" else Finish.STOP,
        text=text,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )
    if choice.get("finish_reason") == "content_filter":
        return replace(answer, finish=Finish.FILTER, detail="content_filter")
    if request.want is not Want.NEXT_TOKEN:
        return answer
    answer = replace(answer, finish=Finish.STOP)  # one token was asked for
    shown = top_tokens(choice)
    if shown:
        found = option_logprobs(shown, request.options)
        absent = [len(o.spellings) for o in request.options if o.name not in found]
        # Each spelling that is not in the list is no likelier than the last one that is.
        below = min(0.0, min(shown.values()) + math.log(max(absent))) if absent else None
        return replace(answer, logprobs=found, absent_below=below)
    if text and request.options:
        raise ValueError("the server left out the log-probabilities")
    return answer


def failure(request: Request, words: str, *, declined: bool) -> Response:
    """The response to a request that the server declined, or that was given up after retries.

    A declined request whose words name a filter ends as `Finish.FILTER`: the model's keeper
    would not have it answered, which is a finding, not a fault of the line.
    """
    small = words.lower()
    filtered = declined and any(sign in small for sign in _FILTERED)
    return Response(
        request.prompt,
        Finish.FILTER if filtered else Finish.ERROR,
        detail=words,
        truncated=declined and any(sign in small for sign in _TOO_LONG),
    )


def option_logprobs(top: Mapping[str, float], options: Sequence[Option]) -> dict[str, float]:
    """Natural-log probability of each option, summed over the tokens that spell it.

    A token counts for the option that has it as a spelling, else for the one that has it but
    for blanks around it, and never twice. Options that no token spells are absent.
    """
    exact = {spelling: option.name for option in options for spelling in option.spellings}
    loose = {spelling.strip(): name for spelling, name in exact.items()}
    found: dict[str, list[float]] = {}
    for token, logprob in top.items():
        name = exact.get(token) or loose.get(token.strip())
        if name is not None:
            found.setdefault(name, []).append(logprob)
    return {name: min(0.0, _log_sum(values)) for name, values in found.items()}


def _log_sum(values: Sequence[float]) -> float:
    """log(sum(exp(values))) without underflow."""
    most = max(values)
    return most + math.log(sum(math.exp(value - most) for value in values))


def top_tokens(choice: Record) -> dict[str, float]:
    """Log-probabilities of the likeliest first tokens, as many as are shown; empty where not.

    The drawn token, shown apart, is left out: it stands in the list, or is unlikelier than all
    that do and tells nothing of the others. A list whose probabilities sum to more than one
    holds something else, and is not used.
    """
    positions = _list(_mapping(choice.get("logprobs")).get("content"))
    first = _mapping(positions[0]) if positions else {}
    shown: dict[str, float] = {}
    for entry in map(_mapping, _list(first.get("top_logprobs"))):
        token, logprob = entry.get("token"), entry.get("logprob")
        if isinstance(token, str) and isinstance(logprob, int | float) and logprob > UNKNOWN:
            shown[token] = float(logprob)  # a token that stands there twice counts once
    usable = len(shown) > 1 and _log_sum([*shown.values()]) <= 0.01
    return shown if usable else {}


def first_choice(data: Record) -> Record:
    """The first choice; empty where the server gave an empty list."""
    choices = data.get("choices")
    if not isinstance(choices, list):
        raise ValueError("the answer has no list of choices")
    if not choices:
        return {}
    if not isinstance(choices[0], dict) or not isinstance(choices[0].get("message"), dict):
        raise ValueError("the answer has a choice without a message")
    return choices[0]


def _text(choice: Record) -> str:
    message = _mapping(choice.get("message"))
    text = message.get("content") or message.get("refusal") or ""
    if not isinstance(text, str):
        raise ValueError("the answer's content is no text")
    return text


def _mapping(value: Any) -> Record:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
