"""Scores of a user's own scorers, kept in the run folder beside the harness's."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from harness import columns
from harness.nouns import Record, Score
from harness.scorers.scorer import Scorer
from harness.store import RunFolder

KEY = "scorers"
"""Of the manifest: what was added, by name."""


def write(folder: RunFolder, name: str, scorer: Scorer, scores: Sequence[Score], more: Record
) -> None:  # fmt: skip
    """Keep the scores of one scorer, with what identifies it."""
    folder.write_table(_file(name), columns.scores(scores))
    known = dict(folder.manifest().get(KEY, {}))
    known[name] = {
        "version": scorer.version, "unit": scorer.unit, "range": list(scorer.range),
        "span": scorer.span, "languages": sorted(scorer.languages), **more,
    }  # fmt: skip
    folder.update({KEY: known})


def table(manifest: Record) -> dict[str, Scorer]:
    """Every added scorer by name, for what its numbers mean: it measures nothing any more."""
    found: dict[str, Scorer] = {}
    for name, said in manifest.get(KEY, {}).items():
        low, high = said["range"]
        found[name] = Scorer(
            said["version"], said["unit"], (low, high), said["span"], lambda text, language: None,
            frozenset(said["languages"]),
        )  # fmt: skip
    return found


def read(folder: RunFolder) -> tuple[dict[str, Scorer], list[pa.Table]]:
    """Every added scorer, and the scores of each."""
    known = table(folder.manifest())
    return known, [columns.read_scores(folder.path / _file(name)) for name in known]


def _file(name: str) -> str:
    return f"scores-{name}.parquet"
