"""The dashboard's pages in headless Chromium, opened from disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.conftest import NEW, OLD
from tests.report.test_browser import opened, visible

pytestmark = pytest.mark.browser
OVERVIEW = ("overview", "trend", "runs")
COMPARISON = ("overview", "axes", "sets", "evidence")


@pytest.fixture(scope="session")
def index(folder: Path) -> Path:
    return folder / "index.html"


@pytest.fixture(scope="session")
def comparison(folder: Path) -> Path:
    """The comparison of 2.0 with 1.1: better, and other answers."""
    return next(p for p in sorted(folder.glob("comparisons/*.html"))
                if "2.0 against 1.1" in p.read_text(encoding="utf-8"))  # fmt: skip


@pytest.fixture(scope="session")
def every(index: Path, comparison: Path) -> list[tuple[Path, str]]:
    return [*((index, name) for name in OVERVIEW), *((comparison, name) for name in COMPARISON)]


def test_from_the_overview_to_a_run_and_a_comparison_and_back(browser: Any, index: Path) -> None:
    with opened(browser, index) as page:
        page.click(".matrix thead th.version:last-of-type a, .matrix thead th.version a >> nth=2")
        page.wait_for_selector("#evidence", state="attached")
        assert "toy-2.0" in page.title()
        page.click(".pages a.home")
        page.wait_for_selector(".matrix")
        page.locator("td.version a", has_text="better").first.click()
        page.wait_for_selector("#axes", state="visible")
        assert "/comparisons/" in page.url and page.url.endswith("#axes/age")
        top = page.evaluate("document.getElementById('axes/age').getBoundingClientRect().top")
        assert 0 <= top < 300
        page.click(".pages a.home")
        page.wait_for_selector(".matrix")
        page.locator(".matrix tbody a", has_text="Age").first.click()
        page.wait_for_selector("#trend", state="visible")
        assert visible(page, ".pages a[aria-current]") == ["Trend"]


def test_filters_of_the_overview(browser: Any, index: Path) -> None:
    with opened(browser, index) as page:
        assert page.locator(".matrix tbody tr:visible").count() == 2
        page.select_option("#filter-axis", "age")
        assert visible(page, ".matrix tbody th") == ["Age"]
        page.select_option("#filter-verdict", "disparity")  # only an older version has it
        assert page.locator(".matrix tbody tr:visible").count() == 0
        assert visible(page, "#none") == ["No axis matches these filters."]
        page.select_option("#filter-verdict", "")
        page.select_option("#filter-axis", "")
        assert page.locator(".matrix tbody tr:visible").count() == 2
        assert not visible(page, "#none")


def test_the_language_switch(browser: Any, index: Path, comparison: Path) -> None:
    with opened(browser, index) as page:
        assert not visible(page, ".zh")
        page.click('label[for="lang-zh"]')
        assert not visible(page, ".en")
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        assert page.locator("#filter-verdict option").all_inner_texts()[1] == "存在差异"
        assert "3 次运行中最新" in visible(page, "#overview h1")[0]
    with opened(browser, comparison, "sets", locale="zh-CN") as page:
        assert not visible(page, ".en")
        assert page.locator("#filter-axis option").all_inner_texts()[0] == "全部"
        assert "变化最大或未作答" in page.locator("#filters").inner_text()


def test_filters_of_the_changed_sets(browser: Any, comparison: Path) -> None:
    with opened(browser, comparison, "sets") as page:
        assert visible(page, "#list p")[0] == "20 sets"
        page.select_option("#filter-axis", "age")
        assert visible(page, "#list p")[0] == "10 sets"
        page.select_option("#filter-group", "70")
        shown = visible(page, "#list li a")
        assert shown and all("70 years old" in text for text in shown)
        sizes = [float(re.findall(r"\d\.\d{3}", text)[0]) for text in shown]
        assert sizes == sorted(sizes, reverse=True)
        page.select_option("#filter-status", "answered")
        assert len(visible(page, "#list li a")) == 10


def test_a_set_opens_by_its_link(browser: Any, comparison: Path) -> None:
    with opened(browser, comparison, "axes/age") as page:
        link = page.locator(".largest a:visible").last
        href, scenario = link.get_attribute("href"), link.inner_text()
        link.click()
        page.wait_for_selector(".card")
        assert page.url.endswith(href) and visible(page, "#set h2") == [scenario]
    with opened(browser, comparison, href.removeprefix("#")) as page:
        assert visible(page, "#set h2") == [scenario]
        assert page.locator(".card").count() == 4
        assert page.locator(".card mark").count() >= 4
    with opened(browser, comparison, "sets/000000000000") as page:
        assert "no set with that name" in visible(page, "#set p")[0]


def test_hostile_answers_are_text_and_the_difference_is_marked(
    browser: Any, comparison: Path
) -> None:
    with opened(browser, comparison, "sets") as page:
        cards = page.locator(".card").all()
        assert len(cards) == 4
        for card in cards:
            old, new = card.locator(".said.answer").all()
            assert old.text_content() == OLD
            kept = new.evaluate(
                "e => [...e.childNodes].filter(n => n.nodeName !== 'DEL')"
                ".map(n => n.textContent).join('')"
            )
            assert kept == NEW.replace("\u202e", "\ufffd")
            assert new.locator("del").first.text_content().strip() == "yes"
            assert "surely" in new.locator("ins").first.text_content()
            line = new.locator("del").first.evaluate("e => getComputedStyle(e).textDecorationLine")
            assert line == "line-through"
            assert new.get_attribute("dir") == "auto"
            assert card.locator(".ai:visible").all_inner_texts() == ["AI-generated"] * 2
        assert page.evaluate("window.hacked") is None
        assert page.locator("#set img, #set script").count() == 0


def test_without_javascript(browser: Any, index: Path, comparison: Path) -> None:
    with opened(browser, index, java_script_enabled=False) as page:
        assert all(page.locator(f"#{name} h1").is_visible() for name in OVERVIEW)
        assert page.locator("td.trend svg.row:visible").count() == 2
        assert page.locator(".trends table:visible").count() == 2
        assert (
            not visible(page, "form") and not visible(page, "button") and not visible(page, ".zh")
        )
        page.click('label[for="lang-zh"]')
        assert not visible(page, ".en")
    with opened(browser, comparison, java_script_enabled=False) as page:
        assert all(page.locator(f"#{name} h1").is_visible() for name in COMPARISON)
        assert page.locator("td.plot svg.row:visible").count() >= 10
        assert page.locator(".largest tbody tr:visible").count() == 10
        assert "need JavaScript" in page.locator("noscript p.warning").inner_text()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_overflows(
    browser: Any, every: list[tuple[Path, str]], locale: str, width: int
) -> None:
    for file, name in every:
        size = {"viewport": {"width": width, "height": 700}, "locale": locale}
        with opened(browser, file, name, **size) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            wide = page.evaluate("""(width) =>
              [...document.querySelectorAll('main *')].filter(e => {
                const box = e.getBoundingClientRect();
                return box.right > width + 1 && !e.closest('svg, .vh, thead');
            }).map(e => e.outerHTML.slice(0, 80))""", width)  # fmt: skip
            assert wide == [], name


def test_dark_and_light(browser: Any, index: Path, comparison: Path) -> None:
    wanted = {"light": ("rgb(168, 62, 0)", "rgb(0, 95, 148)"),
              "dark": ("rgb(255, 157, 92)", "rgb(108, 193, 242)")}  # fmt: skip
    for scheme, (orange, blue) in wanted.items():
        with opened(browser, index, color_scheme=scheme) as page:
            colour = "e => getComputedStyle(e).color"
            assert page.locator(".judged.disparity").first.evaluate(colour) == orange
            assert page.locator(".judged.worse").first.evaluate(colour) == orange
        with opened(browser, comparison, color_scheme=scheme) as page:
            assert page.locator(".judged.better").first.evaluate(colour) == blue


def test_tables_are_copied_as_csv(browser: Any, index: Path) -> None:
    with opened(browser, index) as page:
        page.locator(".matrix button.copy").first.click()
        page.wait_for_function("window.copied")
        lines = page.evaluate("window.copied").strip().split("\r\n")
        heads = lines[0].split(",")
        assert heads[:3] == ["axis", "1.0 verdict", "1.0 effect"] and len(heads) == 1 + 3 * 7
        for line in lines[1:]:
            assert len(line.split(",")) == len(heads)
        assert {line.split(",")[0] for line in lines[1:]} == {"age", "gender"}


def test_print(browser: Any, every: list[tuple[Path, str]]) -> None:
    for file in dict.fromkeys(file for file, _ in every):
        with opened(browser, file, viewport={"width": 690, "height": 970}) as page:
            page.emulate_media(media="print")
            assert not visible(page, ".pages a") and not visible(page, "button")
            assert not visible(page, "form")
            assert page.evaluate("document.documentElement.scrollWidth") <= 690
            assert page.locator("tbody tr").first.bounding_box()["y"] < 500
            assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-GB"), ("dark", "zh-CN")])
def test_axe_finds_no_violation(
    browser: Any, every: list[tuple[Path, str]], scheme: str, locale: str
) -> None:
    axe = pytest.importorskip("axe_core_python", reason="needs axe-core-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    for file, name in every:
        with opened(browser, file, name, color_scheme=scheme, locale=locale) as page:
            page.evaluate(script)
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            wrong = [(v["id"], v["nodes"][0]["html"][:160]) for v in found["violations"]]
            assert wrong == [], name
