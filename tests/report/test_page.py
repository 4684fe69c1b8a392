from __future__ import annotations

import base64
import copy
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pytest

from harness import report
from tests.report import synthetic
from tests.report.conftest import Run

VOID = {"meta", "link", "input", "br", "img"}
PAGES = ("overview", "axes", "sets", "evidence")


class Tree(HTMLParser):
    """Checks that tags close in order; keeps every tag with its attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.raw: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            _, attributes = next(t for t in reversed(self.tags) if t[0] == self.open[-1])
            self.raw[attributes.get("id") or attributes.get("data-axis") or self.open[-1]] = data
        else:
            self.text.append(data)


def tree(html: str) -> Tree:
    parsed = Tree()
    parsed.feed(html)
    parsed.close()
    assert parsed.open == []
    return parsed


def empty() -> dict[str, Any]:
    return {"schema": 1, "effects": [], "axes": [], "probes": [], "secondary": [],
            "awareness": [], "bbq": []}  # fmt: skip


def test_the_page_is_well_formed_and_its_links_lead_somewhere(html: str) -> None:
    found = tree(html)
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] or "" for t, a in found.tags if t == "a"]
    assert links and all(link.startswith("#") for link in links)
    assert {link[1:] for link in links if not link.startswith("#sets/")} <= set(ids)
    named = [a["aria-labelledby"] for _, a in found.tags if "aria-labelledby" in a]
    assert set(named) <= set(ids)
    assert all(page in ids for page in PAGES)


def test_nothing_is_loaded_and_nothing_else_may_run(html: str) -> None:
    found = tree(html)
    policy = next(a["content"] for t, a in found.tags if t == "meta" and "http-equiv" in a) or ""
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy and "http" not in policy
    for part in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(found.raw[part].encode()).digest()).decode()
        assert f"{part}-src 'sha256-{digest}'" in policy
    assert not [a for _, a in found.tags if "src" in a or "style" in a]
    assert not [a for _, a in found.tags if any(name.startswith("on") for name in a)]


def test_every_page_is_headed_by_the_verdict(html: str) -> None:
    headings = re.findall(r'<h1 id="(\w+)-headline"><span class="en" lang="en">([^<]*)', html)
    assert [page for page, _ in headings] == list(PAGES)
    assert all(text.startswith("Disparity shown on 2 of 8 axes") for _, text in headings)


def test_a_verdict_is_glyph_and_word_in_both_languages(html: str) -> None:
    words = {"equivalent": "等效", "disparity": "存在差异", "inconclusive": "尚无定论"}
    for verdict, zh in words.items():
        start = rf'<span class="judged {verdict}"><svg class="glyph {verdict}"'
        shown = re.findall(start + r".*?</svg> (.*?)</span></span>", html)
        assert shown and all(verdict in text and zh in text for text in shown)


def test_an_estimate_never_stands_without_interval_and_direction(html: str) -> None:
    shown = re.findall(r'<span class="figures">(.*?)</div>', html)
    assert len(shown) == 8 + 32 + 4
    for text in shown:
        assert re.search(r"<b>[+\u2212]?\d\.\d{3}</b> \[\u2212?\d\.\d{3}, \u2212?\d\.\d{3}\]", text)
        assert re.search(r"higher|lower|level", text)


def test_numbers_have_a_true_minus_and_no_negative_zero(html: str) -> None:
    text = " ".join(tree(html).text)
    assert not re.search(r"(?<![\w/.-])-\d", text)
    assert not re.search(r"\u22120\.0+(?!\d)", text)


def test_undefined_is_said_with_its_reason(made: Run) -> None:
    manifest, effects, rows = made
    changed = copy.deepcopy(effects)
    row = changed["effects"][0]
    for name in ("estimate", "low", "high", "tost_low", "tost_high", "p_adjusted", "mean", "df"):
        row[name] = None
    row.update(verdict="inconclusive", reason="no scores at all", coverage=None)
    axis = changed["axes"][0]
    axis.update(verdict="inconclusive", largest=None, worst_gap=None, floor=None, excess=None,
                reason="no scores at all")  # fmt: skip
    changed["probes"][0].update(control=None, mass={"mean": None, "n": 0})
    html = report.render(manifest, changed, rows)
    assert "not measured: no scores at all" in html and "未测得：没有任何得分" in html
    assert "None" not in " ".join(tree(html).text)
    assert "nan" not in html.split("<script")[0].lower().replace("tenant", "")


def test_no_effects_at_all(made: Run) -> None:
    html = report.render(made[0], empty(), synthetic.table([]))
    found = tree(html)
    assert "no verdict on any axis" in html
    assert not [a for t, a in found.tags if t == "article"]
    assert "equivalent" not in re.findall(r"<h1.*?</h1>", html)[0]


def test_an_unfinished_run_says_so(made: Run) -> None:
    manifest = {**made[0], "state": "running", "finished": None}
    for name in ("tokens", "backend"):
        manifest.pop(name)
    html = report.render(manifest, made[1], made[2])
    assert "This run is not finished (state: running)" in html
    assert "not recorded" in html


def test_hostile_names_are_text(made: Run) -> None:
    bad = "</script><script>alert(1)</script><b onclick='x'>\"&\u202e"
    manifest, effects, rows = copy.deepcopy(made[0]), copy.deepcopy(made[1]), made[2].to_pylist()
    manifest["model"].update(name=bad, version=bad, licence=bad)
    manifest["model"]["definition"]["system_prompt"] = bad
    manifest.update(command=bad, platform=bad)
    manifest["labels"]["axes"]["age"] = {"en": bad, "zh": bad}
    manifest["labels"]["groups"]["age"]["22"] = {"en": bad, "zh": bad}
    for record in [*effects["effects"], *effects["axes"], *effects["probes"]]:
        record.update(probe=bad)
    for record in [*effects["effects"], *effects["axes"]]:
        record.update(reason=bad)
    for row in rows:
        row.update(probe=bad, scenario=row["scenario"] + bad, domain=bad)
    html = report.render(manifest, effects, synthetic.table(rows))
    found = tree(html)
    assert len([t for t, a in found.tags if t == "script"]) == 3 + len(synthetic.AXES)
    assert not [a for _, a in found.tags if "onclick" in a]
    assert "alert(1)" in " ".join(found.text)
    shown = "&lt;b onclick=&#39;x&#39;&gt;&#34;&amp;"
    assert shown + "\ufffd" in html and shown + "\u202e" not in html


def test_answers_are_only_in_the_packed_texts(html: str) -> None:
    found = tree(html)
    assert "window.hacked" not in html
    assert "long word" not in html
    shards = [found.raw[axis] for axis in synthetic.AXES]
    assert all(re.fullmatch(r"[A-Za-z0-9+/]+=*", shard) for shard in shards)


def test_families_stand_apart(made: Run) -> None:
    manifest, effects, rows = made
    two = copy.deepcopy(effects)
    for part in ("effects", "axes", "probes", "secondary"):
        two[part] += [{**record, "cue": "implicit"} for record in copy.deepcopy(effects[part])]
    implicit = pa.Table.from_pylist(
        [{**row, "cue": "implicit"} for row in rows.to_pylist()], schema=rows.schema
    )
    html = report.render(manifest, two, pa.concat_tables([rows, implicit]))
    tree(html)
    assert "4 of 16 tests" in html
    for cue in ("explicit cues", "implicit cues"):
        assert html.count(f"hiring · decision · English · {cue}") >= 9
    assert html.count('<article class="axis"') == 8


def test_outcomes_of_every_status_are_counted(html: str) -> None:
    table = re.findall(r"<caption>[^/]*Age: how the prompts ended.*?</table>", html, re.S)[0]
    heads = re.findall(r'data-csv="(\w+)"', table.split("</thead>")[0])
    assert heads == ["group", "answered", "error", "refused", "unparsed", "coverage", "mean"]
    old = re.findall(r"<tr role=.row.>.*?</tr>", table.split("</thead>")[1], re.S)[3]
    cells = [c for c in re.findall(r"""data-csv='\["(.*?)"\]'""", old)]
    assert cells[:5] == ["67", "32", "1", "2", "1"]


def test_every_kind_has_its_own_words() -> None:
    html = report.render(*synthetic.kinds())
    found = tree(html)
    text = " ".join(found.text)
    for said in (
        "±0.030 in probability",
        "±0.030 in shares of the scale",
        "±0.030 in nats",
        "±0.030 in shares of the picks",
        "Outcome: the expected rating",
        "Outcome: the share of",
        "Outcome: log-likelihood of the good continuation",
        "blamed less",
        "The mean rating is 0.400 of the scale where its high end is the favourable one (n = 18)",
        "The first letter has mean probability 0.400 (n = 18)",
        "0.400 where not being picked is (n = 18)",
        "This kind has no answer that a model could always give.",
        "rating as it is, whichever end is good",
        "log-likelihood of the bad word (nats)",
        "log-likelihood of the good word (nats)",
        "probability of the first letter",
        "以占量表的份额计",
        "以奈特计",
        "rating · English · explicit cues",
    ):
        assert said in text, said
    assert "rating · rating" not in text
    assert text.count("The options together hold") == 8  # not for likelihoods
    assert 'id="axes/age+gender"' in html and 'href="#axes/age+gender"' in html
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_awareness_and_bbq_have_tables_of_their_own() -> None:
    html = report.render(*synthetic.kinds())
    found = re.findall(r"<table.*?</table>", html, re.S)
    [awareness] = [table for table in found if "Difference made where it is wanted" in table]
    assert "<b>0.750</b> [0.410, 0.930]" in awareness and "1 is wanted" in awareness
    assert "<b>+0.081</b> [0.020, 0.142]" in awareness and "above 0 is wanted" in awareness
    assert awareness.count("not measured") == 2  # no interval, no number
    bbq = [table for table in found if "bias scores of BBQ" in table]
    assert len(bbq) == 4 and all("above 0 the answers go against the group" in t for t in bbq)
    cells = re.findall(r"""data-csv='\["(.*?)"\]'""", bbq[0])[:8]
    assert cells == ["woman", "-0.125", "0.25", "0.5", "", "40", "0", "3"]
    assert "\u22120.125" in bbq[0] and "+0.250" in bbq[0] and "+0.500" not in bbq[0]


# -- colours -----------------------------------------------------------------------------------

CSS = files("harness.report").joinpath("report.css").read_text(encoding="utf-8")


def scheme(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.S)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", blocks[0]))
    if dark:
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", blocks[1]))
    return colours


def luminance(colour: str) -> float:
    raw = colour.lstrip("#")
    raw = raw if len(raw) == 6 else "".join(c * 2 for c in raw)
    parts = [int(raw[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(dark: bool) -> None:
    colour = scheme(dark)
    for verdict in ("equivalent", "disparity", "inconclusive"):
        assert contrast(colour[verdict], colour["paper"]) >= 5.1
        assert contrast(colour[verdict], colour["panel"]) >= 5.1
        assert contrast(colour[verdict], colour["band"]) >= 3  # a glyph on the band
    for text in ("ink", "soft", "link"):
        assert contrast(colour[text], colour["paper"]) >= 4.5
        assert contrast(colour[text], colour["panel"]) >= 4.5
    for mark in ("cue", "ins", "del"):
        assert contrast(colour["ink"], colour[mark]) >= 4.5
        assert contrast(colour["soft"], colour[mark]) >= 4.5
    assert contrast(colour["focus"], colour["paper"]) >= 3


def test_the_given_colours() -> None:
    light, dark = scheme(False), scheme(True)
    names = ("equivalent", "disparity", "inconclusive")
    assert [light[n] for n in names] == ["#005f94", "#a83e00", "#595959"]
    assert [dark[n] for n in names] == ["#6cc1f2", "#ff9d5c", "#bdbdbd"]
