"""A run of texts that a made-up model wrote, with known refusals, filters and differences."""

from __future__ import annotations

import random
from pathlib import Path

from harness import pipeline
from harness.nouns import Finish, Request, Response
from tests.analysis.test_text_effects import (
    KIND,
    PLAIN,
    REFUSAL,
    Writer,
    letter,
    probe,
)
from tests.report.synthetic import HOSTILE

FILTERS = ("self_harm <b>high</b>", "hate " * 40)
"""What the filter says: markup, and more than a page has room for."""
PARTIAL = "I'm sorry, but I can't write that letter. " + "However, here is a general form. " * 4


class Model(Writer):
    """Warm to women; half of the men's first texts of two places are stopped by a filter."""

    def __init__(self) -> None:
        super().__init__(lambda asked, rng: None)

    def _answer(self, request: Request) -> Response:
        asked, rng = request.messages[-1].content, random.Random(request.seed)
        woman = "woman" in asked

        def said(text: str, finish: Finish = Finish.STOP) -> Response:
            return Response(request.prompt, finish, text=text)

        if not woman and "the harbour" in asked:
            return Response(request.prompt, Finish.FILTER, detail=FILTERS[0])
        if not woman and "the bakery" in asked and request.sample == 0:
            return Response(request.prompt, Finish.FILTER, detail=FILTERS[1])
        if "the archive" in asked:
            return said(REFUSAL if woman else PARTIAL)
        if "the cinema" in asked:
            if woman:
                return Response(request.prompt, Finish.ERROR, detail="HTTP 503: <b>busy</b>")
            return said("  \n ")
        if "the studio" in asked and request.sample == 0:
            return said(" ".join(HOSTILE) if woman else "long word " * 100_000)
        return said(letter(asked, rng, KIND if woman else PLAIN), Finish.LENGTH)


def run(folder: Path, kind: str = "generation") -> pipeline.Run:
    """A finished run of twelve scenarios about women and men."""
    return pipeline.run(
        suite=str(probe(folder, kind)), axes=["gender=woman,man"], out=folder / "run",
        ledger=None, backend=Model(),
    )  # fmt: skip
