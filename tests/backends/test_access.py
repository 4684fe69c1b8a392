"""Keys, secret headers, proxies: where they come from and where they never go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.backends.access import Access, access
from harness.backends.chat import AUTHORISE
from harness.errors import InputError, ModelError
from harness.models import RemoteModel, load
from tests.backends.asking import answers, backend
from tests.backends.fake_server import FakeServer, raw, status
from tests.backends.test_chat import model

KEY = "sk-very-secret/0123456789"

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("fast")]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return path


def test_a_key_file_of_the_owner_alone(server: FakeServer, key_file: Path) -> None:
    answers(backend(server, api_key_file=str(key_file)), 1)
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_key_file_lies_beside_the_definition(tmp_path: Path, key_file: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "name: m\nfamily: m\nversion: '1'\nbackend: openai\nbase_url: http://h/v1\nmodel: m\n"
        "api_key_file: key\n"
    )
    found = load(path)
    assert isinstance(found, RemoteModel) and access(found, AUTHORISE).key == KEY


def test_a_key_in_escapes_beside_half_a_surrogate_pair_is_blotted_out() -> None:
    found = Access(secrets=("abcdefgh/1",))
    payload = rb'{"error": "\ud800 you sent \u0061bcdefgh\/1"}'
    assert b"bcdefgh" not in found.blot_bytes(payload)


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_file_that_others_can_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(InputError, match=r"can be read by others .*chmod 600") as caught:
        access(model(api_key_file=str(key_file)), AUTHORISE)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("content", ["", "two\nlines", "ключ"])
def test_a_key_file_without_a_key(key_file: Path, content: str) -> None:
    key_file.write_text(content)
    with pytest.raises(InputError, match="key file"):
        access(model(api_key_file=str(key_file)), AUTHORISE)
    key_file.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        access(model(api_key_file=str(key_file)), AUTHORISE)


def test_secret_headers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "secret-0123")
    found = access(model(headers={"X-Api-Key": "key ${PASS}", "X-Team": "us"}), AUTHORISE)
    assert found.headers == {"X-Api-Key": "key secret-0123", "X-Team": "us"}
    assert found.blot("got key secret-0123") == "got key [key]"
    assert found.blot("SECRET-0123, c2VjcmV0LTAxMjM=") == "[key], [key]="
    said = "忘れ secret-0123".encode() + b"\xff"
    assert found.blot_bytes(said) == "忘れ [key]".encode() + b"\xff"
    assert "secret" not in repr(found)
    monkeypatch.delenv("PASS")
    with pytest.raises(InputError, match="variable PASS holds header 'X-Api-Key'"):
        access(model(headers={"X-Api-Key": "${PASS}"}), AUTHORISE)


@pytest.mark.parametrize("name", ["Authorization", "api-key", "Cookie", "X-Token", "My-Secret"])
def test_a_secret_that_stands_in_the_definition_is_refused_unquoted(name: str) -> None:
    with pytest.raises(InputError, match="looks like a secret") as caught:
        access(model(headers={name: "abc123"}), AUTHORISE)
    assert "abc123" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "x:y", "Host", "content-length", "x\ny"])
def test_headers_that_are_none(name: str) -> None:
    with pytest.raises(InputError, match="cannot be given as a header"):
        access(model(headers={name: "v"}), AUTHORISE)
    with pytest.raises(InputError, match="printable"):
        access(model(headers={"X-A": "v\nInjected: 1"}), AUTHORISE)


def test_a_key_is_blotted_out_however_json_spells_it() -> None:
    found = Access(KEY, secrets=(KEY,))
    plain, slashed = f'{{"a": "{KEY}"}}', KEY.replace("/", "\\/")
    spelled = "".join(f"\\u{ord(c):04x}" for c in KEY)
    for payload in (plain, f'{{"a": "{slashed}"}}', f'{{"a": "x {spelled}"}}'):
        assert b"secret" not in found.blot_bytes(payload.encode())
    assert found.blot_bytes(b'{"broken \\u0041') == b'{"broken \\u0041'


def test_a_key_that_is_none_tears_no_holes(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local servers are given any word; here it is one that stands in every answer."""
    monkeypatch.setenv("TEST_KEY", "e")
    assert answers(backend(server, api_key_env="TEST_KEY"), 2)[0].logprobs


def test_a_proxy_is_used_only_where_it_is_named(server: FakeServer) -> None:
    with FakeServer(act=raw(b"{}")) as proxy:
        address = proxy.url.removesuffix("/v1")
        got = answers(backend(server, proxy=address, retries=0), 1)[0]
        assert got.detail is not None and server.seen == []


def test_a_password_of_a_proxy_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "secret-0123")
    found = access(model(proxy="http://me:${PASS}@proxy:3128"), AUTHORISE)
    assert found.proxy == "http://me:secret-0123@proxy:3128"
    for bad in ("http://me:pa55@proxy:3128", "proxy:3128", "socks5://proxy:1", "http://:1"):
        with pytest.raises(InputError, match="proxy") as caught:
            access(model(proxy=bad), AUTHORISE)
        assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (402, "Insufficient Balance"),
        (429, {"code": "insufficient_quota", "message": "You exceeded your current quota"}),
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low"}),
    ],
)
def test_an_account_without_credit_ends_the_run_at_once(
    server: FakeServer, code: int, said: object
) -> None:
    server.act = status(code, said)
    with pytest.raises(ModelError, match="no credit left"):
        answers(backend(server, concurrency=32), 500)
    assert len(server.seen) == 1


def test_a_refused_key_file_is_named(server: FakeServer, key_file: Path) -> None:
    server.act = status(401, f"bad key {KEY}")
    with pytest.raises(ModelError, match=r"check the key in .*key") as caught:
        answers(backend(server, api_key_file=str(key_file)), 5)
    assert KEY not in str(caught.value) and len(server.seen) == 1
