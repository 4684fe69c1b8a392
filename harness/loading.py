"""Weights loaded whole or not at all."""

from __future__ import annotations

from typing import Any


def load_whole(architecture: Any, place: Any, **options: Any) -> Any:
    """`architecture.from_pretrained(place, **options)`, where every tensor comes from its files.

    transformers draws tensors that are missing at random and goes on: such a model answers, and
    such a classifier scores.

    Raises
    ------
    ValueError
        Tensors are missing, or have another shape than the configuration wants.
    """
    network, loaded = architecture.from_pretrained(
        place, output_loading_info=True, ignore_mismatched_sizes=True, **options
    )
    if missing := sorted(loaded["missing_keys"]):
        raise ValueError(f"{len(missing)} tensors are missing from its weights, as {missing[0]}")
    for name, stored, wanted in sorted(loaded["mismatched_keys"]):
        raise ValueError(f"tensor {name} is {tuple(stored)}, its config wants {tuple(wanted)}")
    return network
