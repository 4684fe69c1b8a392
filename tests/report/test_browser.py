"""The page in headless Chromium, opened from disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import nouns
from tests.report import synthetic
from tests.report.conftest import Run

pytestmark = pytest.mark.browser
PAGES = ("overview", "axes", "sets", "evidence")
SPY = """
    Object.defineProperty(navigator, "clipboard",
      { value: { writeText: async (text) => { window.copied = text; } } });
"""


@contextmanager
def opened(browser: Any, file: Path, fragment: str = "overview", **options: Any) -> Iterator[Any]:
    """The page at this fragment; anything it loads, logs or throws fails the test."""
    settings = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options}
    context = browser.new_context(**settings)
    context.add_init_script(SPY)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("dialog", lambda dialog: faults.append("dialog"))
    page.on("request", lambda request: faults.append(f"request: {request.url[:80]}")
            if not request.url.startswith(("file:", "data:,")) else None)  # fmt: skip
    page.goto(f"{file.as_uri()}#{fragment}")
    if fragment.startswith("sets") and settings.get("java_script_enabled", True):
        page.wait_for_selector("#set > *")
    yield page
    context.close()
    assert faults == []


def visible(page: Any, selector: str) -> list[str]:
    return [text.strip() for text in page.locator(f"{selector}:visible").all_inner_texts()]


def test_pages_and_axes_open_by_fragment(browser: Any, file: Path) -> None:
    with opened(browser, file) as page:
        assert [s for s in PAGES if page.locator(f"#{s}").is_visible()] == ["overview"]
        page.click('.pages a[href="#evidence"]')
        page.wait_for_selector("#evidence", state="visible")
        assert not page.locator("#overview").is_visible()
        assert visible(page, ".pages a[aria-current]") == ["Evidence"]
    with opened(browser, file, "axes/health") as page:
        assert page.locator("#axes").is_visible()
        top = page.evaluate("document.getElementById('axes/health').getBoundingClientRect().top")
        assert 0 <= top < 200
    with opened(browser, file, "nowhere") as page:
        page.wait_for_selector("#overview", state="visible")


def test_the_language_switch(browser: Any, file: Path) -> None:
    with opened(browser, file, "sets") as page:
        assert page.evaluate("document.documentElement.lang") == "en"
        assert not visible(page, ".zh")
        page.click('label[for="lang-zh"]')
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        assert not visible(page, ".en")
        assert page.title().endswith("bias-harness 报告")
        assert "8 个维度中有 2 个显示存在差异" in visible(page, "#sets h1")[0]
        options = page.locator("#filter-axis option").all_inner_texts()
        assert options[:2] == ["全部", "民族"]
        assert page.get_attribute("#list", "aria-label") == "对照组"
        page.reload()
        page.wait_for_selector("#set > *")
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    with opened(browser, file, locale="zh-CN") as page:
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"


def test_filters(browser: Any, file: Path, made: Run) -> None:
    rows = [r for r in made[2].to_pylist() if r["arm"] == "counterfactual"]
    with opened(browser, file, "sets") as page:
        assert visible(page, "#list p")[0] == "288 sets"
        page.select_option("#filter-status", "refused")
        refused = {r["scenario"] for r in rows if r["status"] == "refused"}
        assert visible(page, "#list p")[0] == f"{len(refused)} sets"
        page.select_option("#filter-status", "")
        page.select_option("#filter-axis", "health")
        assert visible(page, "#list p")[0] == "36 sets"
        page.select_option("#filter-group", "hbv")
        shown = visible(page, "#list li a")
        assert len(shown) >= 30 and all("hepatitis B carrier" in text for text in shown)
        page.select_option("#filter-status", "error")
        assert visible(page, "#list p")[0] == "No set matches these filters."
        numbers = [float(re.findall(r"\d\.\d{3}", text)[0]) for text in shown]
        assert numbers == sorted(numbers, reverse=True)


def test_a_set_opens_by_its_link(browser: Any, file: Path, made: Run) -> None:
    with opened(browser, file, "axes/health") as page:
        link = page.locator(".largest a:visible").last
        href, scenario = link.get_attribute("href"), link.inner_text()
        link.click()
        page.wait_for_selector(".card")
        assert page.url.endswith(href)
        assert visible(page, "#set h2") == [scenario]
    with opened(browser, file, href.removeprefix("#")) as page:
        assert visible(page, "#set h2") == [scenario]
        own = [
            r for r in made[2].to_pylist()
            if r["axis"] == "health" and r["scenario"] == scenario and r["arm"] == "counterfactual"
        ]  # fmt: skip
        own.sort(key=lambda r: -r["y"])
        cards = page.locator(".cards >> nth=0").locator(".card")
        assert [c.get_attribute("data-group") for c in cards.all()] == [r["group"] for r in own]
        for card, row in zip(cards.all(), own, strict=True):
            assert f"{row['y']:.3f}" in card.inner_text()
            assert card.locator(".said").first.text_content() == row["text"]
            assert card.locator("mark").all_inner_texts() == row["cue_words"]
    with opened(browser, file, "sets/000000000000") as page:
        assert "no set with that name" in visible(page, "#set p")[0]


def test_three_marks(browser: Any, file: Path) -> None:
    with opened(browser, file, "sets") as page:
        reworded = page.locator(".card", has_text="neutral rewording").first
        assert reworded.locator("del").first.inner_text() == "is in order"
        assert reworded.locator("ins").first.inner_text() == "has been checked"
        assert not page.locator(".cards >> nth=0").locator("del, ins").count()
        line = reworded.locator("del").first.evaluate("e => getComputedStyle(e).textDecorationLine")
        assert line == "line-through"
        base = page.locator("button[aria-pressed=true]")
        assert base.count() == 1
        page.locator("button[aria-pressed=false]").first.click()
        first = page.locator(".card").first
        assert first.locator("button").get_attribute("aria-pressed") == "true"


def test_hostile_answers_are_inert_text(browser: Any, file: Path, made: Run) -> None:
    hostile = [r for r in made[2].to_pylist() if r["answer"] in synthetic.HOSTILE]
    assert len(hostile) == len(synthetic.HOSTILE)
    with opened(browser, file, "sets") as page:
        page.select_option("#filter-axis", hostile[0]["axis"])
        name = hostile[0]["scenario"]
        page.locator("#list a", has_text=re.compile(rf"^{name}")).click()
        page.wait_for_function("n => document.querySelector('#set h2').textContent === n", arg=name)
        for row in hostile:
            card = page.locator(f'.card[data-group="{row["group"]}"]').first
            box = card.locator(".said.answer")
            kept = "".join(box.locator("xpath=./text() | ./ins | .").first.evaluate(
                "e => [...e.childNodes].filter(n => n.nodeName !== 'DEL').map(n => n.textContent)"
            ))  # fmt: skip
            assert kept == nouns.visible(row["answer"])
            assert box.get_attribute("dir") == "auto"
            assert box.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"
            assert card.locator(".ai:visible").inner_text() == "AI-generated"
        assert page.evaluate("window.hacked") is None
        assert page.locator("#set img, #set script").count() == 0


def test_a_megabyte_of_text(browser: Any, file: Path, made: Run) -> None:
    row = next(r for r in made[2].to_pylist() if r["answer"] and len(r["answer"]) >= 1_000_000)
    with opened(browser, file, "sets") as page:
        page.select_option("#filter-axis", row["axis"])
        page.locator("#list a", has_text=re.compile(rf"^{row['scenario']}")).click()
        card = page.locator(f'.card[data-group="{row["group"]}"]', has_text="long word").first
        card.wait_for()
        assert len(card.locator(".answer").text_content()) <= 20_000
        card.get_by_text("Show all 1,000,000 characters").click()
        assert card.locator(".answer").text_content() == row["answer"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_without_javascript(browser: Any, file: Path) -> None:
    with opened(browser, file, java_script_enabled=False) as page:
        for name in PAGES:
            assert page.locator(f"#{name} h1").is_visible()
        assert page.locator(".forest table:visible").count() == 8
        assert page.locator("td.plot svg.row:visible").count() >= 40
        assert "need JavaScript" in page.locator("noscript p.warning").inner_text()
        assert not visible(page, "button.copy")
        assert not visible(page, ".zh")
        page.click('label[for="lang-zh"]')
        assert not visible(page, ".en")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_overflow_on_a_small_screen(browser: Any, file: Path, locale: str) -> None:
    small = {"viewport": {"width": 375, "height": 700}, "locale": locale}
    for name in PAGES:
        with opened(browser, file, name, **small) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= 375
            wide = page.evaluate("""[...document.querySelectorAll('main *')].filter(e => {
                const box = e.getBoundingClientRect();
                return box.right > 376 && !e.closest('svg, .vh, thead');
            }).map(e => e.outerHTML.slice(0, 80))""")
            assert wide == []


def test_dark_and_light(browser: Any, file: Path) -> None:
    wanted = {"light": "rgb(168, 62, 0)", "dark": "rgb(255, 157, 92)"}
    papers = set()
    for scheme, colour in wanted.items():
        with opened(browser, file, color_scheme=scheme) as page:
            word = page.locator(".judged.disparity").first
            assert word.evaluate("e => getComputedStyle(e).color") == colour
            papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(papers) == 2


def test_a_table_is_copied_as_csv(browser: Any, file: Path, made: Run) -> None:
    with opened(browser, file, "axes/health") as page:
        page.locator(".forest").last.locator("button.copy").click()
        page.wait_for_function("window.copied")
        lines = page.evaluate("window.copied").strip().split("\r\n")
        assert lines[0] == (
            "group,effect,low,high,p_adjusted,scenarios,designed,coverage,verdict,note"
        )
        row = lines[2].split(",")
        effect = next(e for e in made[1]["effects"] if e["group"] == "hbv")
        assert row[0] == "hbv"
        assert [float(x) for x in row[1:4]] == [effect["estimate"], effect["low"], effect["high"]]


def test_print(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport={"width": 690, "height": 970}) as page:
        page.emulate_media(media="print")
        for name, shown in (
            ("overview", True),
            ("axes", True),
            ("sets", False),
            ("evidence", True),
        ):
            assert page.locator(f"#{name}").is_visible() is shown
        assert not visible(page, ".pages a") and not visible(page, "button")
        assert page.evaluate("document.documentElement.scrollWidth") <= 690
        assert page.locator("#overview tbody tr").first.bounding_box()["y"] < 500
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-GB"), ("dark", "zh-CN")])
def test_axe_finds_no_violation(browser: Any, file: Path, scheme: str, locale: str) -> None:
    axe = pytest.importorskip("axe_core_python", reason="needs axe-core-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    for name in PAGES:
        with opened(browser, file, name, color_scheme=scheme, locale=locale) as page:
            page.evaluate(script)
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found["violations"]] == []
