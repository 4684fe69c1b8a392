"""Whether an error says that memory ran short, on whatever device."""

from __future__ import annotations

import torch


def ran_short(error: BaseException) -> bool:
    """True for what torch raises where a tensor does not fit; a CPU has no class of its own."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        "DefaultCPUAllocator" in str(error)
    )
