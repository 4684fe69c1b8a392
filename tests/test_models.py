"""Who is asked: references, sources, fingerprints."""

from __future__ import annotations

import pytest

from harness.documents import shipped
from harness.errors import InputError
from harness.models import LocalModel, RemoteModel, fingerprint, load, resolve

FOLDER = shipped("models")


def local(**changes) -> LocalModel:
    return LocalModel(
        **{"name": "m", "family": "m", "version": "1", "backend": "transformers",
           "path": "x", **changes}
    )  # fmt: skip


def test_every_shipped_definition_is_valid_and_named_like_its_file():
    for path in FOLDER.glob("*.yaml"):
        model = load(path)
        assert isinstance(model, LocalModel | RemoteModel)
        assert model.name == path.stem


def test_a_name_a_file_a_folder_and_a_hub_id_are_told_apart(tmp_path):
    assert resolve("smollm2-135m-instruct-q4_1", FOLDER).wheel
    assert resolve(str(FOLDER / "example-hub.yaml"), FOLDER).hub
    assert resolve(str(tmp_path), FOLDER).path == str(tmp_path.resolve())
    hub = resolve("owner/some-model@0123abc", FOLDER).hub
    assert (hub.id, hub.revision) == ("owner/some-model", "0123abc")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("smollm2-135m-instruct-q4", "did you mean 'smollm2-135m-instruct-q4_1'"),
        ("nothing-like-it-at-all-zzz", "known: "),
        ("./no/such/folder", "no such file or folder"),
        ("missing.yaml", "there is no such file"),
    ],
)
def test_an_unknown_model_gets_a_hint(reference, said):
    with pytest.raises(InputError, match=said):
        resolve(reference, FOLDER)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("backend: transformers\npath: a\nhub: {id: o/n}\n", "exactly one of path, hub, wheel"),
        ("backend: transformers\n", "exactly one of path, hub, wheel"),
        ("backend: telepathy\npath: a\n", "'backend'"),
        ("backend: openai\nbase_url: localhost\nmodel: m\n", "'base_url'"),
        ("backend: openai\nbase_url: http://h/v1\nmodel: m\npath: x\n", "unknown key 'path'"),
        ("backend: transformers\npath: a\ndtype: int3\n", "'dtype'"),
    ],
)
def test_bad_definitions_are_refused(tmp_path, text, said):
    path = tmp_path / "m.yaml"
    path.write_text("name: m\nfamily: m\nversion: '1'\n" + text)
    with pytest.raises(InputError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_fingerprint_follows_what_decides_an_answer():
    base = fingerprint(local(), {"w": 1})
    for changes in (
        {"dtype": "bfloat16"}, {"prompt": "plain"}, {"system_prompt": "be fair"},
        {"decoding": {"temperature": 0.5}},
    ):  # fmt: skip
        assert fingerprint(local(**changes), {"w": 1}) != base, changes
    assert fingerprint(local(), {"w": 2}) != base
    for changes in ({"name": "n"}, {"note": "x"}, {"path": "elsewhere"}, {"device": "cpu"}):
        assert fingerprint(local(**changes), {"w": 1}) == base, changes


def served(**changes) -> RemoteModel:
    return RemoteModel(
        **{"name": "m", "family": "m", "version": "1", "backend": "openai",
           "base_url": "http://localhost/v1", "model": "m", **changes}
    )  # fmt: skip


def test_the_fingerprint_of_a_served_model_follows_what_is_sent():
    base = fingerprint(served(), {})
    for changes in (
        {"endpoint": "completions"}, {"extra_body": {"top_k": 1}}, {"headers": {"X-A": "b"}},
        {"reasoning_tokens": 9}, {"model": "n"}, {"base_url": "http://other/v1"},
        {"backend": "anthropic"},
    ):  # fmt: skip
        assert fingerprint(served(**changes), {}) != base, changes
    for changes in (
        {"api_key_env": "A"}, {"concurrency": 3}, {"timeout": 3.0}, {"logprobs": True},
        {"prices": {"input": 1, "output": 2}}, {"proxy": "http://p:1"}, {"headers": {}},
        {"requests_per_minute": 3}, {"extra_body": {}},
    ):  # fmt: skip
        assert fingerprint(served(**changes), {}) == base, changes


@pytest.mark.parametrize("url", ["localhost:8000/v1", "www.example.org", "http//x", "http:///v1"])
def test_an_address_without_a_scheme_or_a_host_says_how_it_begins(url):
    with pytest.raises(ValueError, match="it begins with http:// or https://"):
        served(base_url=url)
