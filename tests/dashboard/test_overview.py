from __future__ import annotations

import copy
import re
import string
from pathlib import Path

import pytest

from harness import ledger
from harness.dashboard import overview
from harness.nouns import Record
from harness.report import phrases
from harness.report.numbers import interval, percent, signed
from tests.report.test_page import tree

ROOM = "harness.dashboard"
EN, ZH = phrases.texts("en", ROOM), phrases.texts("zh", ROOM)


@pytest.fixture(scope="module")
def records(place: Path) -> list[Record]:
    return ledger.read(place / "ledger")


def rendered(records: list[Record]) -> str:
    return overview.render(records, set(), {}, [])


def cells(html: str, axis: str) -> list[str]:
    """The version cells of an axis in the first matrix, and what follows them."""
    matrix = re.findall(r'<div class="table matrix">.*?</table>', html, re.S)[0]
    row = next(r for r in re.findall(r'<tr role="row">.*?</tr>', matrix, re.S)
               if f'["{axis}"]' in r)  # fmt: skip
    return re.findall(r'<td role="cell" class="version".*?</td>', row, re.S)


def test_a_cell_has_verdict_effect_interval_group_n_and_coverage(records: list[Record]) -> None:
    html = rendered(records)
    for axis in ("age", "gender"):
        found = cells(html, axis)
        assert len(found) == 3
        for record, cell in zip(records, found, strict=True):
            row = next(r for r in record["axes"] if r["axis"] == axis)
            largest = row["largest"]
            assert f'<span class="judged {row["verdict"]}">' in cell
            assert f"> {'<span'}" in cell and row["verdict"] in cell  # word beside the glyph
            assert f"<b>{signed(largest['estimate'])}</b>" in cell
            assert interval(largest["low"], largest["high"]) in cell
            way = "higher" if largest["estimate"] > 0 else "lower"
            assert way in cell
            label = record["labels"]["groups"][axis][largest["group"]]
            assert label["en"] in cell and label["zh"] in cell
            assert f"n = {row['n_scenarios']} of {row['n_designed']}" in cell
            assert f"{percent(row['coverage'])} answered" in cell


def test_planted_disparity_is_the_second_version_of_age(records: list[Record]) -> None:
    verdicts = [re.findall(r'judged (\w+)"', cell)[0] for cell in cells(rendered(records), "age")]
    assert verdicts[1] == "disparity" and "disparity" not in (verdicts[0], verdicts[2])


def test_the_trend_has_every_version_over_the_band(records: list[Record]) -> None:
    html = rendered(records)
    drawn = re.findall(r'<td role="cell" class="trend".*?</td>', html, re.S)
    assert len(drawn) == 2
    for svg in drawn:
        assert len(re.findall(r'<svg class="mark', svg)) == 3 and 'class="band"' in svg
        assert re.findall(r'<svg class="mark \w+" x="([\d.]+)%"', svg) == ["16.67", "50.0", "83.33"]
    age = next(s for s in drawn if 'class="mark disparity"' in s)
    ys = [float(y) for y in re.findall(r'<svg class="mark \w+" x="[\d.]+%" y="([\d.]+)%"', age)]
    assert ys[1] > 60 and abs(ys[0] - 50) < 10  # the planted group lies low, so far down


def test_the_newest_versions_group_is_followed(records: list[Record]) -> None:
    html = rendered(records)
    newest = next(r for r in records[-1]["axes"] if r["axis"] == "age")
    group = newest["largest"]["group"]
    table = re.findall(r'id="trend/\d-age-\w+">.*?</table>', html, re.S)[0]
    assert f"Effect of {records[0]['labels']['groups']['age'][group]['en']}" in table
    for record in records:
        effect = next(e for e in record["effects"] if e["axis"] == "age" and e["group"] == group)
        assert f"<b>{signed(effect['estimate'])}</b>" in table


def test_many_versions_of_several_families(records: list[Record]) -> None:
    many = []
    for n in range(7):
        record = copy.deepcopy(records[n % 3])
        record["model"].update(family="toy" if n % 2 else "other", version=f"v{n}", name=f"m{n}")
        record["fingerprint"] = f"{n:064d}"
        many.append(record)
    other = copy.deepcopy(records[0])
    other.update(design="e" * 64, limit=None)
    html = rendered([other, *many])
    tree(html)
    assert "The 4 newest of 7 versions" in html
    heads = re.findall(r'class="version" data-csv="([^"]*) verdict\|', html)
    assert heads[:4] == ["v3", "v4", "v5", "v6"]
    assert "other v4" in html and "toy v5" in html  # two families: named
    assert html.count("Suite quick") == 3 * 2 and "first 12 scenarios" in html
    trend = re.findall(r'id="trend/\d-age-\w+">.*?</table>', html, re.S)[0]
    assert trend.count('<th role="rowheader"') == 7


def test_undefined_is_said(records: list[Record]) -> None:
    changed = copy.deepcopy(records)
    for row in changed[-1]["axes"]:
        row.update(verdict="inconclusive", largest=None, claim="Undecided: no scores at all.")
    changed[-1]["effects"] = []
    changed[0]["axes"] = changed[0]["axes"][:1]
    html = rendered(changed)
    text = " ".join(tree(html).text)
    assert "not measured: no scores at all" in text and "没有任何得分" in text
    assert "None" not in text and "nan" not in text.split()


def test_hostile_names_are_text(records: list[Record]) -> None:
    bad = "</script><script>alert(1)</script><b onclick='x'>\"&|\u202e"
    changed = copy.deepcopy(records)
    for record in changed:
        record["model"].update(version=bad, family=bad, licence=bad)
        record["policy"]["name"] = bad
        record["labels"]["axes"]["age"] = {"en": bad, "zh": bad}
        record["labels"]["groups"]["age"]["70"] = {"en": bad, "zh": bad}
        for row in [*record["axes"], *record["effects"]]:
            row["probe"] = bad
    html = overview.render([{**r, "design": "d"} for r in changed], set(), {}, [(bad, bad)])
    found = tree(html)
    assert len([t for t, _ in found.tags if t == "script"]) == 2
    assert not [a for _, a in found.tags if "onclick" in a]
    assert "alert(1)" in " ".join(found.text)


# -- words -------------------------------------------------------------------------------------


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_slots() -> None:
    assert EN.keys() == ZH.keys()
    assert not EN.keys() & phrases.texts("en").keys()  # the report's words stay as they are
    free = {"change.claim.unchanged", "change.claim.inconclusive"}
    assert {k for k in EN if slots(EN[k]) != slots(ZH[k])} <= free


def test_every_key_is_used() -> None:
    room = Path(overview.__file__).parent
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted(room.rglob("*")) if p.suffix
                     in (".py", ".j2", ".js"))  # fmt: skip
    quoted = set(re.findall(r"""["']([\w.]+)["']""", text))
    dynamic = ("change.", "changed.", "moved.", "nav.", "about.", "js.moved.", "gate.own.", "axis.")
    left = {k for k in EN if k not in quoted and k.removeprefix("js.") not in quoted}
    assert {k for k in left if not k.startswith(dynamic)} == set()


def test_chinese_is_chinese_and_nothing_is_called_fair() -> None:
    same = {k for k in EN if EN[k] == ZH[k]}
    assert same == set()
    said = " ".join([*EN.values(), *ZH.values()]).lower()
    for word in (r"\bfair\b", r"\bpassed\b", r"\bunbiased\b", "公平", "无偏见"):
        assert not re.search(word, said)


@pytest.mark.parametrize(
    "reason",
    [
        "coverage 88% in group '70' of the new version, needs 95%",
        "what is missing could move the change to d = 0.02",
        "change neither shown to be below d = 0.02 nor to be other than 0",
        "5 of 12 scenarios complete in both versions, at least 6 are needed",
        "old version: insensitive: disqualifying facts are not shown to lower the outcome "
        "(change +0.004, one-sided p 0.3, needs < 0.05)",
    ],
)
def test_a_comparisons_reasons_are_said_in_chinese(reason: str) -> None:
    said = phrases.load(ROOM).reason(reason).zh
    assert not re.search(r"[A-Za-z]{4,}", said)
    numbers = r"\d+(?:\.\d+)?"
    assert sorted(n for n in re.findall(numbers, reason) if n != "0") == sorted(
        re.findall(numbers, said)
    )
