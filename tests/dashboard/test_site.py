from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from harness import gate, ledger
from harness.dashboard import Site, write
from harness.dashboard.site import pairs
from harness.errors import InputError
from harness.store import RunFolder
from tests.dashboard.conftest import finished
from tests.report.test_page import tree


def page(site: Site, path: str) -> str:
    return site.pages[path].decode("utf-8")


def copied(place: Path, to: Path) -> Path:
    shutil.copytree(place, to / "copy")
    return to / "copy"


def built(place: Path) -> Site:
    made = Site(place / "ledger", place / "runs")
    made.build()
    return made


def test_one_page_a_run_and_one_a_pair(site: Site) -> None:
    kinds = [path.split("/")[0] for path in site.pages]
    assert sorted(kinds) == ["comparisons"] * 3 + ["index.html"] + ["runs"] * 3
    assert "Everything in ledger and runs is shown." in page(site, "index.html")


def test_pages_are_well_formed_and_load_nothing(site: Site) -> None:
    for path, raw in site.pages.items():
        found = tree(raw.decode("utf-8"))
        ids = [a["id"] for _, a in found.tags if "id" in a]
        assert len(ids) == len(set(ids)), path
        policy = next(a["content"] for t, a in found.tags if t == "meta" and "http-equiv" in a)
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy
        assert not [a for _, a in found.tags if "src" in a or "style" in a]
        assert not [a for _, a in found.tags if any(name.startswith("on") for name in a)]


def test_every_link_leads_to_a_page_and_a_place_in_it(site: Site) -> None:
    ids = {path: {a["id"] for _, a in tree(raw.decode()).tags if "id" in a}
           for path, raw in site.pages.items()}  # fmt: skip
    followed = 0
    for path, raw in site.pages.items():
        for tag, attributes in tree(raw.decode()).tags:
            href = attributes.get("href")
            if tag != "a" or not href:
                continue
            where, _, fragment = href.partition("#")
            target = path
            if where:
                base = Path(path).parent
                target = (base / where).as_posix() if not where.startswith("../") else where[3:]
            assert target in site.pages, href
            if fragment and not fragment.startswith("sets/"):
                assert fragment in ids[target], href
            followed += bool(where)
    assert followed >= 3 + 3 + 6  # to the runs, to the pairs, and back


def test_every_page_is_headed_by_its_verdict(site: Site, place: Path) -> None:
    index = re.findall(r'<h1 id="(\w+)-headline"><span class="en" lang="en">([^<]*)',
                       page(site, "index.html"))  # fmt: skip
    assert [name for name, _ in index] == ["overview", "trend", "runs"]
    assert {text for _, text in index} == {index[0][1]}
    assert index[0][1].startswith("toy-2.0, the newest of 3 runs: ")
    run, baseline = (RunFolder(place / f"runs/toy-{version}") for version in ("2.0", "1.1"))
    decision = gate.gate(
        run, baseline=baseline, records=place / "ledger", today=datetime.now(UTC).date()
    )
    assert decision["sentence"] in index[0][1]
    assert "against version 1.1" in page(site, "index.html")
    for path in site.pages:
        if path.startswith("comparisons/"):
            said = re.findall(r'-headline"><span class="en" lang="en">([^<]*)', page(site, path))
            assert len(said) == 4 and len(set(said)) == 1
            assert re.match(
                r"\d\.\d against \d\.\d: (worse|better|inconclusive|unchanged)", said[0]
            )


def test_a_run_that_cannot_be_shown_is_named_with_its_reason(place: Path, tmp_path: Path) -> None:
    here = copied(place, tmp_path)
    manifest = here / "runs/toy-1.1/manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"finished",', b'"running",'))
    effects = here / "runs/toy-1.0/effects.json"
    effects.write_bytes(effects.read_bytes() + b" ")
    (here / "runs/torn").mkdir()
    (here / "runs/torn/manifest.json").write_text("{")
    finished(here, "3.0", ledger=None)
    made = built(here)
    index = page(made, "index.html")
    assert sum(path.startswith("runs/") for path in made.pages) == 1
    assert not any(path.startswith("comparisons/") for path in made.pages)
    for said in ("the run is not finished", "changed after the run was finished",
                 "cannot be read", "not in the ledger as it is; give `bias-harness"):  # fmt: skip
        assert said in index, said
    assert index.count("<b>") >= 3 * 2  # the ledger's numbers of all versions stay


def test_an_edited_ledger_stops_and_overwrites_nothing(place: Path, tmp_path: Path) -> None:
    here = copied(place, tmp_path)
    out = tmp_path / "out"
    made = built(here)
    write(made, out)
    before = {p: p.read_bytes() for p in out.rglob("*.html")}
    record = next((here / "ledger").glob("*.json"))
    record.write_bytes(record.read_bytes().replace(b'"limit": 12', b'"limit": 13'))
    with pytest.raises(InputError, match="edited after it was written"):
        made.build()
    assert {p: p.read_bytes() for p in out.rglob("*.html")} == before


def test_a_ledger_without_runs_and_none_at_all(place: Path, tmp_path: Path) -> None:
    made = Site(place / "ledger", tmp_path / "none")
    made.build()
    assert list(made.pages) == ["index.html"]
    assert 'href="runs/' not in page(made, "index.html")
    empty = Site(tmp_path / "none", tmp_path / "none")
    empty.build()
    assert "No run is in the ledger yet, so there is no verdict" in page(empty, "index.html")
    tree(page(empty, "index.html"))


def test_only_what_changed_is_made_anew(place: Path, tmp_path: Path) -> None:
    here = copied(place, tmp_path)
    made = built(here)
    first, stamp = dict(made.pages), made.stamp()
    made.build()
    assert all(made.pages[path] is first[path] for path in first if path != "index.html")
    finished(here, "2.1")
    assert made.stamp() != stamp
    made.build()
    assert len(made.pages) == 1 + 4 + 6
    assert all(made.pages[path] is raw for path, raw in first.items() if path != "index.html")
    assert "toy-2.1, the newest of 4 runs" in page(made, "index.html")


def test_write_leaves_alone_what_is_no_dashboard(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/index.html").write_text("my own page")
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "mine", tmp_path / "file"):
        with pytest.raises(InputError, match="give another folder"):
            write(site, out)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["index.html"]


def test_write_removes_pages_that_the_site_has_no_more(site: Site, tmp_path: Path) -> None:
    write(site, tmp_path / "out")
    stale = tmp_path / "out/runs/gone.html"
    stale.write_bytes(site.pages["index.html"])
    own = tmp_path / "out/runs/own.html"
    own.write_text("not ours")
    assert len(write(site, tmp_path / "out")) == len(site.pages)
    assert not stale.exists() and own.exists()


def record(n: int, design: str = "d") -> dict:
    return {"design": design, "fingerprint": f"f{n}", "n": n}


def test_pairs_grow_with_versions_not_with_their_square() -> None:
    found = [(a["n"], b["n"]) for a, b in pairs([record(n) for n in range(9)])]
    assert (0, 8) in found and (3, 8) in found and (7, 8) in found and (2, 8) not in found
    assert all(a < b for a, b in found) and len(found) == len(set(found))
    few = [(a["n"], b["n"]) for a, b in pairs([record(n) for n in range(4)])]
    assert len(few) == 6  # every pair
    assert list(pairs([record(1), record(1)])) == []  # one version twice
    assert list(pairs([record(1), record(2, "e")])) == []  # another design


def test_versions_that_may_not_be_compared_are_named(place: Path, tmp_path: Path) -> None:
    here = copied(place, tmp_path)
    for run in ("toy-1.0", "toy-2.0"):
        path = here / "runs" / run / "manifest.json"
        manifest = orjson.loads(path.read_bytes())
        manifest["model"]["definition"]["prompt"] = "plain" if run == "toy-2.0" else "chat"
        path.write_bytes(orjson.dumps(manifest))
    made = built(here)
    assert sum(path.startswith("comparisons/") for path in made.pages) == 1
    assert "prompt format of the model: chat in the old run, plain" in page(made, "index.html")


def test_the_ledger_is_read_as_history_reads_it(place: Path) -> None:
    assert [r["model"]["version"] for r in ledger.read(place / "ledger")] == ["1.0", "1.1", "2.0"]
