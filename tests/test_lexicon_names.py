"""The lexicon's name pools, read as plain YAML: large, crossed, their shares those of the data."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
import yaml

from tests.conftest import SHARED

LEXICON = Path(__file__).resolve().parents[1] / "probes" / "lexicon"
DATA = SHARED / "data" / "names"
POOLS = {
    language: yaml.safe_load((LEXICON / "names" / f"{language}.yaml").read_text("utf-8"))
    for language in ("en", "zh")
}


def names() -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    for language, document in POOLS.items():
        for pool in document["pools"]:
            for name in pool["names"]:
                yield language, pool["groups"], name


def test_pools_are_large_and_cross_ethnicity_with_gender():
    wanted = {"en": "white black hispanic asian", "zh": "han uyghur zang mongol korean hui"}
    axes = {axis: yaml.safe_load((LEXICON / f"{axis}.yaml").read_text("utf-8"))
            for axis in ("ethnicity", "gender")}  # fmt: skip
    known = {axis: {group["id"] for group in document["groups"]} for axis, document in axes.items()}
    for language, document in POOLS.items():
        crossed = [(p["groups"]["ethnicity"], p["groups"]["gender"]) for p in document["pools"]]
        assert sorted(crossed) == sorted(
            (ethnicity, gender)
            for ethnicity in wanted[language].split()
            for gender in ("woman", "man")
        )
        assert all(e in known["ethnicity"] and g in known["gender"] for e, g in crossed)
        assert all(len(pool["names"]) >= 30 for pool in document["pools"])


def test_pools_say_where_they_are_from():
    for document in POOLS.values():
        assert document["sources"] and document["cautions"] and document["licence"] == "Apache-2.0"


def test_every_name_stands_once():
    counts = Counter(name["name"] for _, _, name in names())
    assert max(counts.values()) == 1


def test_english_first_names_stand_once_and_family_names_at_most_twice():
    parts = [name["name"].split(" ") for language, _, name in names() if language == "en"]
    assert all(len(part) == 2 for part in parts)
    first, family = Counter(p[0] for p in parts), Counter(p[1] for p in parts)
    assert max(first.values()) == 1 and max(family.values()) <= 2
    assert not set(first) & set(family)


def test_shares_are_shares():
    for language, pool, name in names():
        assert name["of"] in (["first", "family"] if language == "en" else ["given"]), name
        assert name["share"] is None or 0 < name["share"] <= 1, name
        if pool["ethnicity"] not in ("white", "black", "hispanic", "asian", "han"):
            assert name["share"] is None, name


def test_mean_share_is_above_half_in_every_pool_that_has_shares():
    means = 0
    for document in POOLS.values():
        for pool in document["pools"]:
            shares = [n["share"] for n in pool["names"] if n["share"] is not None]
            if shares:
                means += 1
                assert len(shares) >= 20 and sum(shares) / len(shares) > 0.5, pool["groups"]
    assert means == 10


def sheet(path: Path, number: int) -> Iterator[list[str]]:
    """Rows of the sheet of that number in an .xlsx file, empty cells left out at the end only."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with ZipFile(path) as book:
        strings = [
            "".join(t.text or "" for t in item.iter(f"{main}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    for row in root.iter(f"{main}row"):
        cells = [""] * 26
        for cell in row.iter(f"{main}c"):
            column = re.sub(r"\d", "", cell.attrib["r"])
            value = cell.findtext(f"{main}v")
            if len(column) == 1 and value is not None:
                cells["ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(column)] = (
                    strings[int(value)] if cell.attrib.get("t") == "s" else value
                )
        yield cells


def table(path: Path, number: int, columns: dict[str, int]) -> dict[str, dict[str, float]]:
    """Shares by name in capitals and by ethnicity; (S), too few to say, counts as nought."""

    def share(text: str) -> float:
        return float(text) / 100 if re.fullmatch(r"[\d.]+(E-?\d+)?", text) else 0.0

    return {
        row[0]: {ethnicity: share(row[i]) for ethnicity, i in columns.items()}
        for row in sheet(path, number)
        if row[0].isupper() and re.fullmatch(r"[\d.]+", row[1])
    }


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared name data is not here")


@needs_data
def test_english_shares_agree_with_the_data():
    data = {
        "first": table(
            DATA / "firstnames.xlsx", 2, {"hispanic": 2, "white": 3, "black": 4, "asian": 5}
        ),
        "family": table(
            DATA / "Names_2010Census_Top1000.xlsx",
            1,
            {"white": 5, "black": 6, "asian": 7, "hispanic": 10},
        ),
    }
    assert len(data["first"]) > 4000 and len(data["family"]) == 1000
    for language, pool, name in names():
        if language == "en":
            part = name["name"].split(" ")[0 if name["of"] == "first" else 1]
            known = data[name["of"]].get(re.sub("[^A-Z]", "", part.upper()))
            if known is None:
                assert name["share"] is None, name
            else:
                assert name["share"] == pytest.approx(known[pool["ethnicity"]], abs=0.03), name


@needs_data
def test_han_shares_agree_with_the_data():
    with (DATA / "zh_given_name_char_gender.csv").open(encoding="utf-8-sig") as file:
        counts = {row["char"]: row for row in csv.DictReader(file)}
    for _, pool, name in names():
        if pool["ethnicity"] == "han":
            given = [counts[char] for char in name["name"][1:]]
            column = {"woman": "female", "man": "male"}[pool["gender"]]
            share = [int(c[column]) / (int(c["male"]) + int(c["female"])) for c in given]
            assert name["share"] == pytest.approx(sum(share) / len(share), abs=0.03), name
