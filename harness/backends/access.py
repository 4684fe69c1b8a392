"""What a server is told that nobody else may read: the key, secret headers, a proxy's password.

Secrets come from the environment or from a key file that only its owner can read. They live as
long as requests are being sent, and are blotted out of everything that comes back.
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import orjson

from harness.backends.replies import data_of
from harness.errors import InputError
from harness.models import RemoteModel

BLOT = "[key]"
SHORTEST = 6
"""Letters from which a secret is blotted out: `EMPTY` or `x`, for servers that want any key, are
none, and shorter ones would tear holes into answers."""
PLACE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
TELLING = re.compile(r"auth|cookie|key|secret|token|password", re.IGNORECASE)
"""Names of headers whose value may not stand in a file."""
OURS = ("content-type", "content-length", "host", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Access:
    """How a server is reached. Printing one shows nothing."""

    key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def blot(self, words: str) -> str:
        """`words` without any secret, in small letters or capitals."""
        if not self.secrets:
            return words
        return re.sub("|".join(map(re.escape, self.secrets)), BLOT, words, flags=re.IGNORECASE)

    def blot_bytes(self, payload: bytes) -> bytes:
        """A reply without any secret, also where JSON escapes spell it."""
        if not self.secrets:
            return payload
        if b"\\u" in payload or b"\\/" in payload:
            with suppress(ValueError, TypeError):  # what cannot be read or written as JSON
                payload = orjson.dumps(data_of(payload))
        # byte by byte: what is no UTF-8 stays as it is
        return self.blot(payload.decode("latin-1")).encode("latin-1")


def _forms(secret: str) -> tuple[str, ...]:
    """How a server may spell a secret: as it was sent, quoted as in a URL, in base64."""
    coded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return secret, quote(secret, safe=""), coded


def access(model: RemoteModel, authorise: Mapping[str, str]) -> Access:
    """Key, headers and proxy of `model`.

    `authorise` are the protocol's headers, with `{key}` where the key stands; those without a
    key are left out when the model has none.

    Raises
    ------
    InputError
        A variable is not set, a key file can be read by others, or the definition holds a
        secret itself.
    """
    secrets: list[str] = []
    key = _key(model)
    if key:
        secrets.append(key)
    headers = {
        name: value.format(key=key) for name, value in authorise.items() if key or "{" not in value
    }
    for name, value in model.headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name.lower() in OURS:
            raise InputError(f"model '{model.name}': headers: '{name}' cannot be given as a header")
        if TELLING.search(name) and not PLACE.search(value):
            raise InputError(
                f"model '{model.name}': headers: the value of '{name}' looks like a secret; write "
                "${NAME} there and set that environment variable"
            )
        headers[name] = _filled(model, value, f"header '{name}'", secrets)
    proxy = None
    if model.proxy is not None:
        proxy = _filled(model, model.proxy, "proxy", secrets)
        _check_proxy(model, proxy)
    # the longest first: one secret may be part of another
    found = {form for s in secrets if len(s) >= SHORTEST for form in _forms(s)}
    return Access(key, headers, proxy, tuple(sorted(found, key=len, reverse=True)))


def _key(model: RemoteModel) -> str | None:
    if model.api_key_env is not None:
        return _variable(model, model.api_key_env, "its key")
    if model.api_key_file is None:
        return None
    path = Path(model.api_key_file).expanduser()
    path = path if path.is_absolute() else model.file.parent / path
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise InputError(f"model '{model.name}': key file {path} is no file")
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise InputError(
                    f"model '{model.name}': key file {path} can be read by others "
                    f"(mode {stat.S_IMODE(mode):03o}): chmod 600 it"
                )
            text = file.read(65536)
    except OSError as error:
        raise InputError(
            f"model '{model.name}': key file {path} cannot be read: {error.strerror}"
        ) from error
    return _checked(model, text.decode("utf-8", "replace").strip(), f"key file {path}")


def _variable(model: RemoteModel, name: str, what: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise InputError(
            f"model '{model.name}': the environment variable {name} holds {what} "
            "and is not set; set it and run again"
        )
    return _checked(model, value, f"environment variable {name}")


def _checked(model: RemoteModel, value: str, where: str) -> str:
    if not value:
        raise InputError(f"model '{model.name}': {where} is empty")
    if not (value.isascii() and value.isprintable()):
        raise InputError(
            f"model '{model.name}': the {where} holds characters "
            "that no key may have (a line break, or letters beyond ASCII)"
        )
    return value


def _filled(model: RemoteModel, text: str, what: str, secrets: list[str]) -> str:
    """`text` with every `${NAME}` replaced; what was filled in is a secret."""
    values = {name: _variable(model, name, what) for name in PLACE.findall(text)}
    secrets.extend(values.values())
    whole = PLACE.sub(lambda found: values[found[1]], text)
    if not (whole.isascii() and whole.isprintable()):
        raise InputError(f"model '{model.name}': {what} must be printable ASCII on one line")
    return whole


def _check_proxy(model: RemoteModel, proxy: str) -> None:
    if model.proxy and "@" in PLACE.sub("", model.proxy) and "${" not in model.proxy:
        raise InputError(
            f"model '{model.name}': proxy holds a password; write ${{NAME}} there and set that "
            "environment variable"
        )
    try:
        parts = urlsplit(proxy)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise InputError(
            f"model '{model.name}': proxy must be an address such as http://proxy:3128"
        )


def check_address(model: RemoteModel) -> None:
    """Refuse a `base_url` that is no address, or that holds more than one.

    Raises
    ------
    InputError
    """
    url = model.base_url
    if any(sign in url for sign in "@?#"):
        # Not quoted: it may hold a secret.
        raise InputError(
            f"model '{model.name}': base_url must be an address only, with no user, password, "
            "query or fragment; a key belongs into the variable that api_key_env names"
        )
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("http", "https")
    except ValueError:
        sound = False
    if not sound:
        raise InputError(f"model '{model.name}': base_url '{url}' is no web address")


def check_body(model: RemoteModel) -> None:
    """Refuse an `extra_body` that would take over what the harness itself decides.

    Raises
    ------
    InputError
    """
    ours = {"model", "messages", "prompt", "n", "stream", "logprobs", "top_logprobs", "echo"}
    taken = sorted(ours & set(model.extra_body))
    if taken:
        raise InputError(f"model '{model.name}': extra_body: '{taken[0]}' is the harness's own")
    decoding = {"temperature": model.decoding.temperature, "top_p": model.decoding.top_p}
    for name, value in decoding.items():
        if model.extra_body.get(name) is not None:
            raise InputError(
                f"model '{model.name}': extra_body: write {name} under decoding (now {value:g})"
            )
