"""Scorer by a sequence classifier: toxicity, regard, or whatever its classes say.

The weights come from a local folder or from the Hub at a pinned commit; only safetensors are
loaded and no code of the repository is run. Loaded when the first text is measured.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import InputError, ModelError
from harness.loading import load_whole
from harness.quiet import quiet_transformers
from harness.scorers.definitions import Classifier
from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import tokens

LONGEST = 512
"""Tokens of a text that are read, fewer where the classifier takes fewer."""


def scorer(definition: Classifier) -> Scorer:
    """The scorer of a definition; its range goes from its lowest to its highest class."""
    low, high = min(definition.labels.values()), max(definition.labels.values())

    @cache
    def loaded() -> tuple[Any, Any]:
        return _load(definition)

    def measure(text: str, language: str) -> float | None:
        return _measure(text, language, definition, *loaded())

    return Scorer(
        definition.version, "value of its classes", (low, high), high - low, measure,
        frozenset(definition.languages),
    )  # fmt: skip


def _load(definition: Classifier) -> tuple[Any, Any]:
    """Tokenizer and network, and the classes checked against the definition's.

    Raises
    ------
    InputError
        There is no such folder; a class without a value, or a value without a class.
    ModelError
        The weights cannot be loaded.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    place = definition.path or definition.hub.id  # type: ignore[union-attr]
    if definition.path and not Path(definition.path).is_dir():
        raise InputError(f"{definition.place('path')}: there is no folder '{definition.path}'")
    options: dict[str, Any] = {"trust_remote_code": False}
    if definition.hub is not None:
        options["revision"] = definition.hub.revision
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(place, **options)
            network = load_whole(
                AutoModelForSequenceClassification, place, use_safetensors=True, **options
            )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"classifier '{definition.name}': {place} cannot be loaded: "
                         f"{str(error).splitlines()[0]}") from error  # fmt: skip
    classes = set(network.config.id2label.values())
    if classes != set(definition.labels):
        ours, its = (", ".join(sorted(names)) for names in (definition.labels, classes))
        raise InputError(f"{definition.place('labels')}: the classifier's classes are {its}; the "
                         f"definition has {ours}")  # fmt: skip
    network.eval()
    return tokenizer, network


def _measure(
    text: str, language: str, definition: Classifier, tokenizer: Any, network: Any
) -> float | None:
    import torch

    if not tokens(text, language):
        return None
    longest = min(LONGEST, getattr(network.config, "max_position_embeddings", LONGEST))
    given = tokenizer(text, return_tensors="pt", truncation=True, max_length=longest)
    with torch.inference_mode():
        logits = network(**given).logits[0].float()
    values = torch.tensor([definition.labels[network.config.id2label[i]]
                           for i in range(len(logits))])  # fmt: skip
    if network.config.problem_type == "multi_label_classification":
        found = (torch.sigmoid(logits) * values).max()
    else:
        found = (torch.softmax(logits, dim=0) * values).sum()
    return float(found) if torch.isfinite(found) else None
