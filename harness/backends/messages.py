"""The Messages protocol of Anthropic: sampled text only, no seeds, no log-probabilities."""

from __future__ import annotations

from harness.backends.chat import as_mapping
from harness.errors import ModelError
from harness.models import RemoteModel
from harness.nouns import Finish, Record, Request, Response, Want

PATH = "/messages"
AUTHORISE = {"x-api-key": "{key}", "anthropic-version": "2023-06-01"}
FINISH = {"max_tokens": Finish.LENGTH, "refusal": Finish.FILTER}
"""How an answer ended, by `stop_reason`; everything else is a proper end."""


def body(model: RemoteModel, request: Request, top: int = 0) -> Record:
    """The JSON object that asks `model` for `request`.

    `top_p` is sent only where it says something: newer models refuse it beside `temperature`.
    """
    if request.want is not Want.TEXT:
        raise ModelError(f"model '{model.name}': this protocol gives no log-probabilities")
    system = [model.system_prompt] if model.system_prompt is not None else []
    system += [m.content for m in request.messages if m.role == "system"]
    asked: Record = {
        "model": model.model,
        "messages": [{"role": m.role, "content": m.content}
                     for m in request.messages if m.role != "system"],
        "max_tokens": request.max_tokens + model.reasoning_tokens,
        "temperature": model.decoding.temperature,
    }  # fmt: skip
    if system:
        asked["system"] = "\n\n".join(system)
    if model.decoding.top_p < 1:
        asked["top_p"] = model.decoding.top_p
    return asked


def scoring(model: RemoteModel, request: Request, spelling: str) -> Record:
    """Nothing of the kind is offered."""
    raise ModelError(f"model '{model.name}': this protocol gives no log-likelihoods")


def scored(model: RemoteModel, request: Request, spelling: str, data: Record) -> Response:
    """Nothing of the kind is offered."""
    raise ModelError(f"model '{model.name}': this protocol gives no log-likelihoods")


def response(request: Request, data: Record) -> Response:
    """What the server's message says: its texts joined, its thoughts apart.

    Raises
    ------
    ValueError
        It is no message.
    """
    content = data.get("content")
    if data.get("type") == "error" or not isinstance(content, list):
        raise ValueError("the answer has no list of content")
    parts = [part for part in content if isinstance(part, dict)]
    texts = [part.get("text") for part in parts if part.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("the answer's content is no text")
    thoughts = [part.get("thinking") for part in parts if part.get("type") == "thinking"]
    reason = data.get("stop_reason")
    finish = FINISH.get(reason, Finish.STOP) if isinstance(reason, str) else Finish.STOP
    used = as_mapping(data.get("usage"))
    return Response(
        request.prompt,
        finish,
        text="".join(map(str, texts)),
        detail="refusal" if finish is Finish.FILTER else None,
        reasoning="\n".join(t for t in thoughts if isinstance(t, str)) or None,
        prompt_tokens=_sum(used, "input_tokens", "cache_read_input_tokens",
                           "cache_creation_input_tokens"),
        completion_tokens=_sum(used, "output_tokens"),
    )  # fmt: skip


def shows(data: Record) -> bool:
    """Log-probabilities never come back."""
    return False


def _sum(used: Record, *names: str) -> int:
    values = [used.get(name) for name in names]
    return sum(value for value in values if isinstance(value, int) and value > 0)
