"""What a reviewer files: the manifest in words, and which rules a run bears on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from harness.documents import tree
from harness.report.numbers import count, plain
from harness.report.phrases import Both, Labels, Words
from harness.report.results import Family
from harness.report.tables import Cell as TableCell
from harness.report.tables import Cells, Column, Head, Table


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the manifest; `code` for hashes, commands and other words of a machine."""

    name: Both
    text: Both | str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule outside the Article 4 table, with how far it was checked against its text."""

    name: Both
    text: Both
    mark: str


def moment(iso: str) -> str:
    """ "2026-11-24T02:00:00Z" as "2026-11-24 02:00 UTC"."""
    at = datetime.fromisoformat(iso)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M UTC")


def manifest_entries(manifest: Mapping[str, Any], words: Words) -> list[tuple[Both, list[Entry]]]:
    """The manifest in four parts: the model, what was asked, the rules, the machine."""
    model, design, policy = manifest["model"], manifest["design"], manifest["policy"]

    def line(key: str, text: object, *, code: bool = False) -> Entry:
        if text is None:
            return Entry(words(f"manifest.{key}"), words("manifest.none"))
        return Entry(words(f"manifest.{key}"), text if isinstance(text, Both) else str(text), code)

    probes = "\n".join(
        f"{p['name']} ({p['kind']}) version {p['version']}, sha256 {p['sha256']}"
        for p in manifest["probes"]
    )
    bounds = {**policy["margins"]}
    for axis, kinds in policy.get("axis_margins", {}).items():
        bounds |= {f"{kind}, {axis}": value for kind, value in kinds.items()}
    margins = "\n".join(f"{name}: ±{plain(value)}" for name, value in bounds.items())
    limit, early = manifest["limit"], manifest.get("looks")
    return [
        (
            words("manifest.model"),
            [
                line("name", model["name"]),
                line("version", model["version"]),
                line("family", model["family"]),
                line("licence", model["licence"] or None),
                line("fingerprint", model["fingerprint"], code=True),
                line("definition", _flat(model["definition"]), code=True),
                line("identity", _flat(model["identity"]), code=True),
            ],
        ),
        (
            words("manifest.asked"),
            [
                line("suite", f"{manifest['suite']['name']} {manifest['suite']['version']}"),
                line("probes", probes, code=True),
                line("design", design["hash"], code=True),
                line("prompts", count(design["prompts"])),
                line("blocks", count(design["blocks"])),
                line("limit", words("manifest.limit.none") if limit is None else count(limit)),
                *(
                    [line("looks", words("looks.declared", n=early["looks"], seed=early["seed"]))]
                    if early
                    else []
                ),
                line("measured", _flat(manifest.get("measured")), code=True),
                line("tokens", _flat(manifest.get("tokens")), code=True),
                line("seed", manifest["seed"]),
            ],
        ),
        (
            words("manifest.policy"),
            [
                line("policy.name", f"{policy['name']} {policy['version']}"),
                line("policy.hash", policy["hash"], code=True),
                line("margins", margins),
                line("alpha", plain(policy["alpha"])),
                line("base", " – ".join(map(plain, policy.get("base_rate", ()))) or None),
                line("floor", plain(policy["coverage_floor"])),
            ],
        ),
        (
            words("manifest.machine"),
            [
                line("command", manifest["command"], code=True),
                line("created", moment(manifest["created"])),
                line("finished", _finished(manifest)),
                line(
                    "seconds",
                    None if manifest["seconds"] is None else plain(manifest["seconds"], 1),
                ),
                line("harness", manifest["harness_version"]),
                line("commit", manifest["git_commit"], code=True),
                line("python", manifest["python"]),
                line("platform", manifest["platform"]),
                line("packages", _flat(manifest["packages"]), code=True),
                line("backend", _flat(manifest.get("backend")), code=True),
            ],
        ),
    ]


def _finished(manifest: Mapping[str, Any]) -> str | None:
    at = manifest.get("finished")  # an unfinished run has none
    return moment(at) if at else None


def _flat(value: object, prefix: str = "") -> str | None:
    """A nested mapping as lines "a.b: value"; None where there is nothing."""
    if isinstance(value, Mapping):
        lines = [_flat(v, f"{prefix}.{k}" if prefix else str(k)) for k, v in value.items()]
        return "\n".join(line for line in lines if line) or None
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"{prefix}: {text}" if prefix else (text or None)


def rules() -> Mapping[str, Any]:
    """The facts of crosswalk.yaml."""
    text = files("harness.report").joinpath("crosswalk.yaml").read_text(encoding="utf-8")
    return tree(text, Path("crosswalk.yaml")).data


def crosswalk(
    facts: Mapping[str, Any], families: Sequence[Family], words: Words, labels: Labels
) -> Table:
    """Article 4's attributes, their letters in GB/T 45654-2025 A.2, and what this run measured."""
    cells = Cells(words)
    columns = [
        Column(words("column.article"), "head", ("article_4",)),
        Column(words("column.letter"), "text", ("a_2",)),
        Column(words("column.axis"), "text", ("axis",)),
        Column(words("column.measured"), "text", ("measured",)),
    ]
    rows = []
    for row in facts["article_4"]:
        found = [r for family in families for r in family.axes if r.axis == row["axis"]]
        verdicts = dict.fromkeys(r.record["verdict"] for r in found)
        said = words("crosswalk.no")
        if found:
            said = words("crosswalk.yes")
            for i, verdict in enumerate(verdicts):
                gap = Both(", ", "、") if i else Both(" ", "")
                said = said + gap + words(f"verdict.{verdict}")
        rows.append(
            [
                TableCell(Head(Both(f"{row['zh']} ({row['en']})", row["zh"])), (row["zh"],)),
                cells.text(Both(row["letter"], row["letter"])),
                cells.text(labels.axis(row["axis"]), row["axis"]),
                cells.text(said),
            ]
        )
    return Table(words("caption.crosswalk"), columns, rows)


def other_rules(facts: Mapping[str, Any]) -> list[Rule]:
    return [
        Rule(
            Both(r["name"]["en"], r["name"]["zh"]),
            Both(r["text"]["en"], r["text"]["zh"]),
            r["mark"],
        )
        for r in facts["rules"]
    ]


def references(facts: Mapping[str, Any]) -> list[str]:
    return list(facts["references"])
