"""The chat-completions protocol of OpenAI and its many followers: what is sent, what is read.

Pure functions between requests and JSON objects. Servers differ and some are careless, so
nothing that is read is trusted to have its shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from harness.backends import faults
from harness.models import RemoteModel
from harness.nouns import Finish, Message, Option, Record, Request, Response, Want

TOP = 20
"""Log-probabilities asked for at the first token: the most that the protocol allows."""
FEWER = 5
"""Asked for where a server refuses `TOP`; several allow no more."""
PATH = "/chat/completions"
AUTHORISE = {"Authorization": "Bearer {key}"}
FILTERS = ("content_filter", "sensitive", "safety")
"""Reasons to finish by which servers say that the answer was withheld."""
FAULTS = ("insufficient_system_resource", "network_error", "error", "abort")
"""Reasons to finish that are the server's own faults: asking again may help."""
UNKNOWN = -9999.0
"""What servers send in place of a log-probability that they did not compute."""


def body(model: RemoteModel, request: Request, top: int = TOP) -> Record:
    """The JSON object that asks `model` for `request`, a probability or a drawn text."""
    asked: Record = {
        "model": model.model,
        "messages": _messages(model, request),
        "seed": request.seed % 2**31,  # some servers keep it in 32 bits with a sign
    }
    if request.want is Want.NEXT_TOKEN:
        return asked | {"max_tokens": 1, "temperature": 1, "logprobs": True, "top_logprobs": top}
    drawn = asked | {
        "max_tokens": request.max_tokens + model.reasoning_tokens,
        "temperature": model.decoding.temperature,
        "top_p": model.decoding.top_p,
    }
    if request.want is Want.FORM:
        drawn["response_format"] = form([option.name for option in request.options])
    return drawn | ({"stop": list(request.stop)} if request.stop else {})


def form(names: Sequence[str]) -> Record:
    """The `response_format` that holds an answer to one of these names."""
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(names)}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    return {"type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema}}  # fmt: skip


def held(text: str | None) -> str | None:
    """The answer that a text in this form holds; None where it has another form."""
    try:
        data = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return None
    answer = data.get("answer") if isinstance(data, dict) else None
    return answer if isinstance(answer, str) else None


def _messages(model: RemoteModel, request: Request) -> list[dict[str, str]]:
    """The conversation; the system prompt goes first."""
    messages = request.messages
    if model.system_prompt is not None:
        messages = (Message("system", model.system_prompt), *messages)
    return [{"role": m.role, "content": m.content} for m in messages]


def scoring(model: RemoteModel, request: Request, spelling: str) -> Record:
    """The JSON object that asks for the log-likelihood of `spelling` as the answer (vLLM).

    The answer stands in the prompt, unfinished, and the log-probabilities of the prompt's own
    tokens come back.
    """
    return {
        "model": model.model,
        "messages": [*_messages(model, request), {"role": "assistant", "content": spelling}],
        "max_tokens": 1, "temperature": 1, "prompt_logprobs": 0,
        "add_generation_prompt": False, "continue_final_message": True,
    }  # fmt: skip


def scored(_: RemoteModel, request: Request, spelling: str, data: Record) -> Response:
    """The log-likelihood of `spelling` in what `scoring` brought back.

    The prompt ends with the spelling, so its tokens are taken from the end until they spell it.
    `logprobs` is empty where they do not: a token reaches over the border.

    Raises
    ------
    ValueError
        The server sent no log-probabilities of the prompt.
    """
    positions = as_list(data.get("prompt_logprobs") or first_choice(data).get("prompt_logprobs"))
    if not positions:
        raise ValueError("the server left out the log-probabilities of the prompt")
    prompt_tokens, completion_tokens = usage(data)
    answer = Response(request.prompt, Finish.STOP, logprobs={}, prompt_tokens=prompt_tokens,
                      completion_tokens=completion_tokens)  # fmt: skip
    wanted, spelled, total = spelling.strip(), "", 0.0
    for position in reversed(positions):
        token = next(iter(as_mapping(position).values()), None)  # the prompt's own comes first
        token = as_mapping(token)
        words, value = token.get("decoded_token"), token.get("logprob")
        if not isinstance(words, str) or not isinstance(value, int | float) or value > 0:
            raise ValueError("the server left out the log-probability of a token")
        spelled, total = words + spelled, total + value
        if spelled.strip() == wanted:
            return replace(answer, logprobs={spelling: total})
        if len(spelled.strip()) > len(wanted):
            break
    return answer


def response(request: Request, data: Record) -> Response:
    """What the server's completion says.

    For `Want.NEXT_TOKEN` with options, a completion with text but without log-probabilities is
    a fault; without options (the probe of a server) it is not.

    Raises
    ------
    ValueError
        It is no completion.
    """
    return read(request, data, first_choice(data), _text, top_tokens)


def read(
    request: Request,
    data: Record,
    choice: Record,
    text_of: Callable[[Record], tuple[str, str | None]],
    top_of: Callable[[Record], dict[str, float]],
) -> Response:
    """A choice as a response; `text_of` and `top_of` know where text and probabilities stand."""
    prompt_tokens, completion_tokens = usage(data)
    text, reasoning = text_of(choice)
    answer = Response(
        request.prompt,
        Finish.LENGTH if choice.get("finish_reason") == "length" else Finish.STOP,
        text=text,
        reasoning=reasoning,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )
    reason = choice.get("finish_reason")
    if reason in FILTERS:
        return replace(answer, finish=Finish.FILTER, detail=reason)
    if reason in FAULTS:
        raise ValueError(f"the server broke off: {reason}")
    if request.want is not Want.NEXT_TOKEN:
        return answer
    answer = replace(answer, finish=Finish.STOP)  # one token was asked for
    shown = top_of(choice)
    if shown:
        found = option_logprobs(shown, request.options)
        absent = [len(o.spellings) for o in request.options if o.name not in found]
        # Each spelling that is not in the list is no likelier than the last one that is.
        below = min(0.0, min(shown.values()) + math.log(max(absent))) if absent else None
        return replace(answer, logprobs=found, absent_below=below)
    if text and request.options:
        raise ValueError("the server left out the log-probabilities, or showed impossible ones")
    return answer


def shows(data: Record) -> bool:
    """Whether log-probabilities of the first token came back."""
    return bool(top_tokens(first_choice(data)))


def without_thoughts(text: str) -> tuple[str, str | None]:
    """The answer, and what a model wrote between `<think>` and `</think>` before it.

    Some templates open the block in the prompt, so only its end stands in the text. A block
    that never ends leaves no answer.
    """
    start = text.lstrip()
    if start.startswith("<think>"):
        thoughts, ended, answer = start.removeprefix("<think>").partition("</think>")
        return (answer.lstrip() if ended else ""), thoughts.strip() or None
    thoughts, ended, answer = text.partition("</think>")
    if ended and "<think>" not in thoughts:
        return answer.lstrip(), thoughts.strip() or None
    return text, None


def failure(request: Request, words: str, *, declined: bool) -> Response:
    """The response to a request that the server declined, or that was given up after retries.

    A declined request whose words name a filter ends as `Finish.FILTER`: the model's keeper
    would not have it answered, which is a finding, not a fault of the line.
    """
    filtered = declined and faults.filtered(words)
    return Response(
        request.prompt,
        Finish.FILTER if filtered else Finish.ERROR,
        detail=words,
        truncated=declined and faults.too_long(words),
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
    return {name: min(0.0, log_sum(values)) for name, values in found.items()}


def log_sum(values: Sequence[float]) -> float:
    """log(sum(exp(values))) without underflow."""
    most = max(values)
    return most + math.log(sum(math.exp(value - most) for value in values))


def top_tokens(choice: Record) -> dict[str, float]:
    """Log-probabilities of the likeliest first tokens, as many as are shown; empty where not.

    The drawn token, shown apart, is left out: it stands in the list, or is unlikelier than all
    that do and tells nothing of the others. A list whose probabilities sum to more than one
    holds something else, and is not used.
    """
    positions = as_list(as_mapping(choice.get("logprobs")).get("content"))
    first = as_mapping(positions[0]) if positions else {}
    entries = map(as_mapping, as_list(first.get("top_logprobs")))
    return usable((entry.get("token"), entry.get("logprob")) for entry in entries)


def usable(pairs: Iterable[tuple[Any, Any]]) -> dict[str, float]:
    """Tokens with their log-probabilities; empty where they can be none."""
    shown: dict[str, float] = {}
    for token, logprob in pairs:
        if isinstance(token, str) and isinstance(logprob, int | float) and logprob > UNKNOWN:
            shown[token] = float(logprob)  # a token that stands there twice counts once
    return shown if len(shown) > 1 and log_sum([*shown.values()]) <= 0.01 else {}


def first_choice(data: Record, key: str = "message", shape: type = dict) -> Record:
    """The first choice, which holds a `shape` under `key`.

    Raises
    ------
    ValueError
        There is none: a fault of the server, since even an empty answer is a choice.
    """
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices:
        raise ValueError("the answer has no choices")
    if not isinstance(choices[0], dict) or not isinstance(choices[0].get(key), shape):
        raise ValueError(f"the answer has a choice without a {key}")
    return choices[0]


def _text(choice: Record) -> tuple[str, str | None]:
    """The answer and the thoughts before it, wherever a server puts them."""
    message = as_mapping(choice.get("message"))
    text = message.get("content") or message.get("refusal") or ""
    if not isinstance(text, str):
        raise ValueError("the answer's content is no text")
    text, thoughts = without_thoughts(text)
    apart = message.get("reasoning_content") or message.get("reasoning")
    return text, apart if isinstance(apart, str) and apart else thoughts


def usage(data: Record) -> tuple[int, int]:
    """Tokens read and written; 0 where the server does not say."""
    used = as_mapping(data.get("usage"))
    return _count(used.get("prompt_tokens")), _count(used.get("completion_tokens"))


def as_mapping(value: Any) -> Record:
    """`value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """`value` where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
