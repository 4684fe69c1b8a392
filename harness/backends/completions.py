"""The completions protocol of OpenAI and its followers: a text goes on, no chat template is used.

For base models. Messages are put as a local model with `prompt: plain` gets them.
"""

from __future__ import annotations

from dataclasses import replace

from harness.backends import chat
from harness.backends.chat import as_list, as_mapping, usage
from harness.backends.spelling import plain
from harness.models import RemoteModel
from harness.nouns import Finish, Message, Record, Request, Response, Want

PATH = "/completions"
AUTHORISE = chat.AUTHORISE


def text(model: RemoteModel, request: Request) -> str:
    """The prompt as one text; the system prompt goes first."""
    first = [Message("system", model.system_prompt)] if model.system_prompt else []
    return plain([*first, *request.messages])


def body(model: RemoteModel, request: Request, top: int = chat.TOP) -> Record:
    """The JSON object that asks `model` for `request`, a probability or a drawn text."""
    asked: Record = {
        "model": model.model, "prompt": text(model, request), "seed": request.seed % 2**31
    }  # fmt: skip
    if request.want is Want.NEXT_TOKEN:
        return asked | {"max_tokens": 1, "temperature": 1, "logprobs": top}
    return asked | {
        "max_tokens": request.max_tokens + model.reasoning_tokens,
        "temperature": model.decoding.temperature,
        "top_p": model.decoding.top_p,
    }


def scoring(model: RemoteModel, request: Request, spelling: str) -> Record:
    """The JSON object that asks for the log-likelihood of `spelling` after the prompt.

    The text comes back with the log-probability of each of its tokens; one more token is drawn,
    since some servers refuse to draw none.
    """
    return {
        "model": model.model, "prompt": text(model, request) + spelling,
        "max_tokens": 1, "temperature": 1, "logprobs": 1, "echo": True,
    }  # fmt: skip


def scored(model: RemoteModel, request: Request, spelling: str, data: Record) -> Response:
    """The log-likelihood of `spelling` in what `scoring` brought back.

    `logprobs` is empty where a token reaches over the border: then the prompt and this spelling
    are not read as two pieces, and the spelling has no likelihood of its own.

    Raises
    ------
    ValueError
        The server did not echo the prompt with log-probabilities.
    """
    choice = first_choice(data)
    shown = as_mapping(choice.get("logprobs"))
    tokens, values = as_list(shown.get("tokens")), as_list(shown.get("token_logprobs"))
    if not tokens or len(tokens) != len(values) or not all(isinstance(t, str) for t in tokens):
        raise ValueError("the server did not echo the prompt with its log-probabilities")
    start = len(text(model, request))
    end, at, total = start + len(spelling), 0, 0.0
    offsets = as_list(shown.get("text_offset"))
    if len(offsets) != len(tokens) or not all(isinstance(o, int) for o in offsets):
        offsets = []
        for token in tokens:
            offsets.append(at)
            at += len(token)
    borders = {*offsets, offsets[-1] + len(tokens[-1])}
    if max(borders) < end:
        raise ValueError("the server echoed less than it was sent")
    prompt_tokens, completion_tokens = usage(data)
    answer = Response(request.prompt, Finish.STOP, logprobs={}, prompt_tokens=prompt_tokens,
                      completion_tokens=completion_tokens)  # fmt: skip
    if start not in borders or end not in borders:
        return answer
    for offset, value in zip(offsets, values, strict=True):
        if start <= offset < end:
            if not isinstance(value, int | float) or value > 0:
                raise ValueError("the server left out the log-probability of a token")
            total += value
    return replace(answer, logprobs={spelling: total})


def response(request: Request, data: Record) -> Response:
    """What the server's completion says; as for `chat.response`.

    Raises
    ------
    ValueError
        It is no completion.
    """
    return chat.read(request, data, first_choice(data), _text, _top)


def first_choice(data: Record) -> Record:
    """The first choice, with its text."""
    return chat.first_choice(data, "text", str)


def _text(choice: Record) -> tuple[str, str | None]:
    return chat.without_thoughts(choice.get("text") or "")


def _top(choice: Record) -> dict[str, float]:
    """Log-probabilities of the likeliest first tokens, in either of the two shapes in use."""
    positions = as_list(as_mapping(choice.get("logprobs")).get("top_logprobs"))
    if positions and isinstance(positions[0], dict):
        return chat.usable(positions[0].items())
    return chat.top_tokens(choice)


def shows(data: Record) -> bool:
    """Whether log-probabilities of the first token came back."""
    return bool(_top(first_choice(data)))
