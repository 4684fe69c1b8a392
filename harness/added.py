"""Scores of a user's own scorers, kept in the run folder beside the harness's."""

from __future__ import annotations

from collections.abc import Sequence

from harness import tables
from harness.nouns import Record, Score
from harness.scorers.scorer import Scorer
from harness.store import RunFolder

KEY = "scorers"
"""Of the manifest: what was added, by name."""


def write(folder: RunFolder, name: str, scorer: Scorer, scores: Sequence[Score], more: Record
) -> None:  # fmt: skip
    """Keep the scores of one scorer, with what identifies it."""
    folder.write_table(_file(name), tables.scores(list(scores)))
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


def read(folder: RunFolder) -> tuple[dict[str, Scorer], list[Score]]:
    """Every added scorer, and their scores."""
    known = table(folder.manifest())
    return known, [
        score for name in known for score in tables.read_scores(folder.path / _file(name))
    ]


def _file(name: str) -> str:
    return f"scores-{name}.parquet"
