"""What models wrote, in headless Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import lexicon, report
from harness.pipeline import Run
from harness.scorers.audit import audit
from harness.store import SCORES
from harness.tables import answers
from tests.analysis.test_text_effects import PLACES
from tests.report import written
from tests.report.test_browser import opened, visible
from tests.report.test_texts import calibration

pytestmark = pytest.mark.browser
OPEN = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written.run(tmp_path_factory.mktemp("written"))


@pytest.fixture(scope="module")
def file(run: Run) -> Path:
    """The page with an audit and with labels."""
    path = run.path / "whole.html"
    path.write_text(report.render(
        run.manifest, run.results,
        answers(run.folder.design(), run.folder.responses(), run.path / SCORES),
        bias=audit("warmth", lexicon.load(), share=0.05, axes=["gender"]),
        calibrations=[calibration(run)],
    ), encoding="utf-8")  # fmt: skip
    return path


def set_of(page: Any, scenario: str) -> None:
    page.locator("#list a", has_text=scenario).first.click()
    page.wait_for_function(f"document.querySelector('#set h2').textContent === '{scenario}'")


def test_cards_show_scores_marks_and_how_a_text_ended(browser: Any, file: Path) -> None:
    with opened(browser, file, "sets") as page:
        scenarios = {place: f"s{i}" for i, place in enumerate(PLACES)}
        set_of(page, scenarios["library"])
        assert visible(page, ".claim")[0].startswith("communion: Woman 0.500 higher than Man")
        cards = page.locator("#set .cards").first.locator(".card")
        assert cards.nth(0).locator(".scored").first.inner_text().split() == ["communion", "0.500"]
        assert cards.nth(1).locator(".answer ins").count() > 0
        assert not visible(page, ".card details dl")
        cards.nth(0).locator("summary").click()
        assert "length" in cards.nth(0).locator("details").inner_text()
        assert "sample 2" in page.locator("#set .cards").nth(1).inner_text()
        set_of(page, scenarios["studio"])
        unlike = page.locator("#set .cards").first.locator(".card", has_text="Too unlike").first
        said = unlike.locator(".answer ins").all_inner_texts()
        assert said and not unlike.locator(".answer del").count()
        base = page.locator("#set .card.base .answer").inner_text().lower().split()
        assert not {word.lower() for word in said} & set(base)
        set_of(page, scenarios["harbour"])
        assert visible(page, ".claim") == ["Woman got an answer, Man did not"]
        man = page.locator("#set .cards").first.locator('[data-group="man"]')
        assert "✕ refused" in man.inner_text()
        assert "Words of the content filter" in man.inner_text()
        assert written.FILTERS[0] in man.inner_text()
        set_of(page, scenarios["archive"])
        assert {"✕ refused", "✕ partly refused"} <= set(visible(page, "#set .status"))
        set_of(page, scenarios["cinema"])
        assert {"✕ empty", "✕ error"} <= set(visible(page, "#set .status"))
        assert "HTTP 503: <b>busy</b>" in page.locator("#set").inner_text()


def test_folded_tables_are_printed(browser: Any, file: Path) -> None:
    for script in (True, False):
        with opened(browser, file, "axes", java_script_enabled=script) as page:
            table = page.locator("details caption", has_text="every scorer's effect").first
            assert not table.is_visible()
            page.emulate_media(media="print")
            assert table.is_visible()


def test_hostile_texts_are_text(browser: Any, file: Path) -> None:
    with opened(browser, file, "sets") as page:
        set_of(page, f"s{PLACES.index('studio')}")
        assert "<script>window.hacked = 1" in page.locator("#set").inner_text()
        assert page.evaluate("window.hacked") is None
        assert page.locator("#set img").count() == 0
        assert "Show all" in page.locator("#set").inner_text()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_overflows_with_everything_open(
    browser: Any, file: Path, width: int, locale: str
) -> None:
    small = {"viewport": {"width": width, "height": 700}, "locale": locale}
    for name in ("overview", "axes", "sets"):
        with opened(browser, file, name, **small) as page:
            page.evaluate(OPEN)
            wide = page.evaluate(
                """width => [...document.querySelectorAll('main *')].filter(e => {
                const box = e.getBoundingClientRect();
                return box.right > width + 1 && !e.closest('svg, .vh, thead');
            }).map(e => e.outerHTML.slice(0, 80))""",
                width,
            )
            assert wide == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-GB"), ("dark", "zh-CN")])
def test_axe_finds_no_violation(browser: Any, file: Path, scheme: str, locale: str) -> None:
    axe = pytest.importorskip("axe_core_python", reason="needs axe-core-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    for name in ("overview", "axes", "sets"):
        with opened(browser, file, name, color_scheme=scheme, locale=locale) as page:
            page.evaluate(OPEN)
            page.evaluate(script)
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found["violations"]] == []


def test_tables_of_texts_are_read_without_javascript(browser: Any, file: Path) -> None:
    with opened(browser, file, "axes", java_script_enabled=False) as page:
        for caption in ("how the prompts ended", "stopped by a content filter", "checked by 2"):
            assert page.locator("caption", has_text=caption).first.is_visible()
        page.locator("summary", has_text="What the texts are like").first.click()
        assert page.locator("caption", has_text="every scorer's effect").first.is_visible()
