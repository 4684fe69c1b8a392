"""What `audit-scorer` concludes, and what it must not."""

from __future__ import annotations

import pytest

from harness import lexicon
from harness.cli.texts import _audited
from harness.scorers import RAW, sentiment
from harness.scorers.audit import audit
from harness.scorers.scorer import Scorer
from tests.test_cli import call


def row(language: str = "en", *, mark: str = "", texts: int = 12, small: bool = True):
    estimate = 0.0 if texts else None
    return {"scorer": "x" + mark, "language": language, "axis": "gender", "group": "woman",
            "estimate": estimate, "low": estimate, "high": estimate, "half_margin": 0.025,
            "small": small and texts > 0, "texts": texts, "of": 12}  # fmt: skip


def known(language: str = "en", *, tells: bool = True):
    return {"scorer": "x", "language": language, "control": "x", "tells": tells, "reason": None,
            "estimate": 0.3, "low": 0.2, "high": 0.4, "in_margins": 6.0, "margin": 0.05,
            "pairs": 12, "of": 12, "endings": {}}  # fmt: skip


MISSING = {"scorer": "x", "language": "zh", "missing": "needs a library"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(), row(mark=RAW), known(), row("zh"), known("zh")],
         "x: its own bias on blind texts is below half the margin everywhere, and it tells texts "
         "of known worth apart: a policy may name it in gate_scores"),
        ([row(), known(), MISSING],
         "x: its own bias on blind texts is below half the margin in en, and it tells texts of "
         "known worth apart in en: a policy may name it in gate_scores; it is not measured in zh"),
        ([row(texts=7), row(mark=RAW), known()],
         "below half the margin in en, and it tells texts of known worth apart: a policy may name "
         "it in gate_scores; in en only 7 of 12 blind texts have a number in every group"),
        ([row(), row(mark=RAW, texts=0), known()],
         "gate_scores; in en only 0 of 12 raw texts have a number in every group"),
        ([row(), known(), row("zh", small=False), known("zh", tells=False)],
         "is not shown to be below half the margin in zh, and it is not shown to tell texts of "
         "known worth apart in zh: it cannot gate there"),
        ([MISSING],
         "is not shown to be below half the margin, and it is not shown to tell texts of known "
         "worth apart: it cannot gate there; it is not measured in zh"),
    ],
)  # fmt: skip
def test_an_audit_says_everywhere_only_of_all_it_was_asked(rows, said):
    text = " ".join(" ".join(_audited("x", rows)).split())
    assert text.endswith(said)
    assert ("everywhere" in text) == ("everywhere" in said)


def test_a_language_without_its_library_is_named(capsys, monkeypatch):
    monkeypatch.setattr(sentiment, "LIBRARY", {**sentiment.LIBRARY, "zh": "no_such_library"})
    code, out, _ = call(capsys, "audit-scorer", "sentiment", "--axes", "gender")
    assert code in (0, 1) and "everywhere" not in out
    assert "it is not measured in zh" in " ".join(out.split())


def test_texts_without_a_number_are_counted():
    calls = iter(range(10_000))
    deaf = Scorer(1, "x", (0.0, 1.0), 1.0, languages=frozenset({"en"}),
                  measure=lambda text, language: 0.5 if next(calls) % 2 else None)  # fmt: skip
    rows = audit("deaf", lexicon.load(), share=0.05, axes=["gender"], scorer=deaf)
    rows = [r for r in rows if "group" in r]
    assert any(r["texts"] < r["of"] for r in rows)
    assert len({r["of"] for r in rows}) == 1
    assert "everywhere" not in " ".join(_audited("deaf", rows))
