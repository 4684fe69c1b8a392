"""How fast the pages open: `PYTHONPATH=. python benchmarks/dashboard.py [RESULTS]`.

A made-up run of 100,000 responses is rendered once with the sets that matter and once with all
texts; the pages are opened from disk in headless Chromium (Playwright). First paint is the
browser's first-contentful-paint after navigation started; a set opens from the click on its link
to its cards on the page, its axis not opened before. Best and worst of five. With RESULTS, a folder
that holds `ledger` and `runs`, its dashboard is built and measured too. Figures vary with the
machine and what else runs on it: quote both.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import report
from harness.dashboard import Site, write
from tests.conftest import ARGUMENTS, BROWSERS
from tests.report import synthetic

RESPONSES = 100_000
A_SCENARIO = 41  # responses of the made-up run
TIMES = 5
GOAL = 1000.0  # ms, for either

PAINT = """() => new Promise((done) => {
  const known = performance.getEntriesByName("first-contentful-paint")[0];
  if (known) return done(known.startTime);
  new PerformanceObserver((list) => {
    const entry = list.getEntriesByName("first-contentful-paint")[0];
    if (entry) done(entry.startTime);
  }).observe({ type: "paint", buffered: true });
})"""
OPEN = """(link) => new Promise((done) => {
  const set = document.getElementById("set"), start = performance.now();
  const look = () =>
    set.querySelector(".card") ? done(performance.now() - start) : requestAnimationFrame(look);
  location.hash = link;
  look();
})"""


def opened(browser: Any, file: Path) -> tuple[float, float | None]:
    """Milliseconds to the first paint, and to the cards of a set where the page has sets."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(file.as_uri())
    paint = float(page.evaluate(PAINT))
    link = page.locator("a[href^='#sets/']").last
    took = None
    if link.count():
        took = float(page.evaluate(OPEN, link.get_attribute("href")))
    context.close()
    return paint, took


def measure(browser: Any, name: str, file: Path) -> bool:
    """Print a line; whether both goals are met."""
    found = [opened(browser, file) for _ in range(TIMES)]
    paints = sorted(paint for paint, _ in found)
    sets = sorted(took for _, took in found if took is not None)
    line = f"{name:<26}{file.stat().st_size / 1024:>9,.0f} KB"
    line += f"  paint {paints[0]:>5.0f} to {paints[-1]:>5.0f} ms"
    if sets:
        line += f"  a set {sets[0]:>5.0f} to {sets[-1]:>5.0f} ms"
    print(line, flush=True)
    return paints[0] < GOAL and (not sets or sets[0] < GOAL)


def pages(folder: Path, results: Path | None) -> list[tuple[str, Path]]:
    """Render what is to be opened."""
    made = synthetic.run(scenarios=-(-RESPONSES // A_SCENARIO), hostile=False)
    found = []
    for name, all_texts in (("report, sets that matter", False), ("report, all texts", True)):
        start = time.perf_counter()
        page = report.render(*made, all_texts=all_texts)
        took = time.perf_counter() - start
        path = folder / f"{len(found)}.html"
        path.write_text(page, encoding="utf-8")
        print(f"{name}: {made[2].num_rows:,} responses rendered in {took:.1f} s", flush=True)
        found.append((name, path))
    if results is not None:
        start = time.perf_counter()
        site = Site(results / "ledger", results / "runs")
        site.build()
        write(site, folder / "site")
        print(f"{len(site.pages)} pages of {results} built in {time.perf_counter() - start:.1f} s")
        found += [(path.split("/")[0], folder / "site" / path) for path in sorted(site.pages)]
    return found


def main() -> int:
    """Print the table; exit code 1 when a goal (1 s) is missed."""
    from playwright.sync_api import sync_playwright

    chromium = next(path for name in BROWSERS if (path := shutil.which(name)))
    results = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        found = pages(Path(folder), results)
        browser = play.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        met = [measure(browser, name, path) for name, path in found]
        browser.close()
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
