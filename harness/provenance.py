"""What a run must say about itself to be repeated: versions, commit, machine, time."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import harness
from harness.documents import Document
from harness.nouns import Record

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "datasets", "pyarrow",
            "aiohttp", "safetensors")  # fmt: skip


def now() -> str:
    """The time, UTC, to the microsecond: runs of one second keep their order."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def document(document: Document, name: str, version: int) -> Record:
    """Name, version and content hash of a file that was read."""
    digest = hashlib.sha256(document.file.read_bytes()).hexdigest()
    return {"name": name, "version": version, "sha256": digest}


def here() -> Record:
    """Harness, packages, interpreter, platform, commit and time."""
    return {
        "harness_version": harness.__version__,
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git_commit": _commit(Path(harness.__file__).resolve().parent.parent),
        "created": now(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit(checkout: Path) -> str | None:
    """The harness's own commit, `-dirty` with local changes; None outside a checkout."""
    if not (checkout / ".git").exists():
        return None
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=checkout, capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip()
