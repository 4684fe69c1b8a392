"""Whether two runs may be set side by side, what they share, and what tells the models apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness.errors import InputError
from harness.models import UNVERSIONED
from harness.nouns import Arm, Prompt, Record, Want

Manifest = Mapping[str, Any]
NOT_THE_MODEL = frozenset(
    ("name", "family", "version", "licence", "note", "device", "path", "hub", "wheel",
     "api_key_env", "concurrency", "timeout", "retries")
)  # fmt: skip
"""Keys of a model's definition that do not decide what it answers, or that the weights' own
identity tells better."""


def check(old_path: Path, old: Manifest, new_path: Path, new: Manifest, *, common: bool) -> None:
    """Refuse a pair that says nothing about a change of the model.

    Raises
    ------
    InputError
        With every reason: the run itself, two versions of one name, another scoring; and, unless
        only what is `common` is taken, another design, other probe versions, scorers or prompt
        formats.
    """
    if old_path.resolve() == new_path.resolve() or _same_run(old, new):
        raise InputError(f"{new_path}: is the run it is to be compared with; give two versions")
    a, b = old["model"], new["model"]
    alike = _name(old) == _name(new) and b["version"] != UNVERSIONED
    if alike and a["fingerprint"] != b["fingerprint"]:
        raise InputError(
            f"two versions of one name: {old_path} and {new_path} are both family '{a['family']}' "
            f"version '{a['version']}', but their fingerprints differ ({a['fingerprint'][:8]}, "
            f"{b['fingerprint'][:8]}); give one of the two another version in its YAML and run it "
            "again"
        )
    if old.get("scoring") != new.get("scoring"):
        raise InputError(
            f"{old_path} and {new_path} were scored by different definitions (scoring "
            f"{old.get('scoring')} and {new.get('scoring')}); score both anew with "
            "`bias-harness merge RUN`"
        )
    reasons = [] if common else [*_asked(old, new), *_put(old, new), *_measured(old, new)]
    if reasons:
        raise InputError(
            f"{old_path} and {new_path} cannot be paired prompt by prompt:\n"
            + "\n".join(f"  - {reason}" for reason in reasons)
            + "\nrun both with the same suite, axes and limit; `bias-harness compare --common` "
            "compares only the scenarios and groups they share"
        )


def _same_run(old: Manifest, new: Manifest) -> bool:
    """A copy of the folder: same model and questions, begun and finished in the same seconds."""
    keys = ("created", "finished")
    return (
        _marks(old) == _marks(new)
        and all(old.get(k) == new.get(k) for k in keys)
        and (old.get("files") == new.get("files"))
    )


def _name(manifest: Manifest) -> tuple[Any, ...]:
    """What one fingerprint must have for itself."""
    model = manifest["model"]
    return model["family"], model["version"], manifest.get("prompt_format")


def _marks(manifest: Manifest) -> tuple[str, str]:
    return manifest["model"]["fingerprint"], manifest["design"]["hash"]


def _asked(old: Manifest, new: Manifest) -> list[str]:
    """How the designs differ: probe versions by name, else what is known of the rest."""
    if old["design"]["hash"] == new["design"]["hash"]:
        return []
    versions = [{p["name"]: p["version"] for p in m["probes"]} for m in (old, new)]
    reasons = [
        f"probe '{name}': version {versions[0].get(name, 'none')} in the old run, "
        f"{versions[1].get(name, 'none')} in the new one"
        for name in sorted({*versions[0], *versions[1]})
        if versions[0].get(name) != versions[1].get(name)
    ]
    for what, a, b in (
        ("suite", _suite(old), _suite(new)),
        ("axes", ", ".join(old["axes"]), ", ".join(new["axes"])),
        ("scenarios at most (--limit)", old.get("limit"), new.get("limit")),
    ):
        if a != b:
            reasons.append(f"{what}: {a or 'all'} in the old run, {b or 'all'} in the new one")
    hashes = f"({old['design']['hash'][:8]}, {new['design']['hash'][:8]})"
    return reasons or [f"the designs differ {hashes}: other groups, words or samples"]


def _suite(manifest: Manifest) -> str:
    return f"{manifest['suite']['name']} version {manifest['suite']['version']}"


def _put(old: Manifest, new: Manifest) -> list[str]:
    """How the prompt formats differ: the harness's own, and the use of a chat template."""
    reasons = []
    for what, a, b in (
        ("prompt format of the harness", old.get("prompt_format"), new.get("prompt_format")),
        ("prompt format of the model", *(m["model"]["definition"].get("prompt", "chat")
                                         for m in (old, new))),
    ):  # fmt: skip
        if a != b:
            reasons.append(f"{what}: {a} in the old run, {b} in the new one")
    return reasons


def _measured(old: Manifest, new: Manifest) -> list[str]:
    """How what was asked of the models differs: probabilities or texts, how many, how drawn."""
    reasons = []
    for kind in sorted({*old["measured"]} & {*new["measured"]}):
        a, b = (_way(m, kind) for m in (old, new))
        if a != b:
            reasons.append(f"kind '{kind}': {a} in the old run, {b} in the new one")
    return reasons


def _way(manifest: Manifest, kind: str) -> str:
    how = manifest["measured"][kind]
    if how["want"] != Want.TEXT:
        return f"scored from {how['want']} probabilities"
    decoding = manifest["model"]["definition"]["decoding"]
    return (
        f"scored from {how['samples']} sampled answers at temperature "
        f"{decoding['temperature']:g}, top_p {decoding['top_p']:g}"
    )


def differences(old: Manifest, new: Manifest) -> list[Record]:
    """What is not the same in the two versions, as far as it may move an answer."""
    a, b = old["model"]["definition"], new["model"]["definition"]
    pairs = {key: (a.get(key), b.get(key)) for key in sorted({*a, *b}) if key not in NOT_THE_MODEL}
    pairs["weights"] = old["model"]["identity"], new["model"]["identity"]
    pairs["harness"] = old["harness_version"], new["harness_version"]
    pairs["policy"] = old["policy"]["hash"][:8], new["policy"]["hash"][:8]
    return [{"what": key, "old": x, "new": y} for key, (x, y) in pairs.items() if x != y]


# -- what two designs share --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shared:
    """Ids of the prompts of either run that stay, and what was left out, in words."""

    old: frozenset[str]
    new: frozenset[str]
    left_out: list[str]


def shared(old: Sequence[Prompt], new: Sequence[Prompt]) -> Shared:
    """The cells both runs asked in the same words, whatever the probe's version says.

    A group is kept where it is shared in at least half as many scenarios as the axis's most
    shared group, so that one group whose words were changed does not cost the others theirs; a
    scenario is kept where every kept group is shared.
    """
    mine, yours = _by_cell(old), _by_cell(new)
    both = [key for key in mine if _words(mine[key]) == _words(yours.get(key, []))]
    kept = _rectangles(both)
    return Shared(
        frozenset(p.id for key in kept for p in mine[key]),
        frozenset(p.id for key in kept for p in yours[key]),
        _left_out(mine.keys() | yours.keys(), kept),
    )


Cell = tuple[str, str, str, str, str, str, str]
"""Probe, kind, language, cue, axis, scenario, group."""


def _by_cell(prompts: Sequence[Prompt]) -> dict[Cell, list[Prompt]]:
    found: dict[Cell, list[Prompt]] = {}
    for p in prompts:
        key = p.probe, p.kind, p.language, p.cue, p.axis, p.scenario, p.group
        found.setdefault(key, []).append(p)
    return found


def _words(prompts: Sequence[Prompt]) -> set[bytes]:
    """What a cell asks: words, options and which of them is good, sampled how often so ever."""
    return {
        orjson.dumps([p.variant, p.favourable, [m.content for m in p.messages],
                      [o.spellings for o in p.options]])
        for p in prompts
        if p.arm in (Arm.COUNTERFACTUAL, Arm.REPEAT)
    }  # fmt: skip


def _rectangles(both: Sequence[Cell]) -> set[Cell]:
    """The shared cells whose scenario has every kept group of its axis."""
    families: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for *family, scenario, group in both:
        families.setdefault(tuple(family), {}).setdefault(group, set()).add(scenario)
    kept: set[Cell] = set()
    for of_family, groups in families.items():
        most = max(map(len, groups.values()))
        stay = [group for group, scenarios in groups.items() if 2 * len(scenarios) >= most]
        rows = set.intersection(*(groups[group] for group in stay))
        kept.update(
            (*of_family, scenario, group)  # type: ignore[misc]
            for scenario in rows
            for group in stay
        )
    return kept


def _left_out(asked: Any, kept: set[Cell]) -> list[str]:
    """One sentence a family that lost something."""
    rows: dict[tuple[str, ...], tuple[set[str], set[str], set[str], set[str]]] = {}
    for cell in asked:
        *family, scenario, group = cell
        all_s, all_g, s, g = rows.setdefault(tuple(family), (set(), set(), set(), set()))
        all_s.add(scenario)
        all_g.add(group)
        if cell in kept:
            s.add(scenario)
            g.add(group)
    said = []
    for family, (all_s, all_g, s, g) in sorted(rows.items()):
        probe, _, language, cue, axis = family
        name = f"{probe} ({language}, {cue}), {axis}"
        if not s:
            said.append(f"{name}: nothing is shared")
            continue
        if all_s - s:
            said.append(f"{name}: {len(all_s - s)} of {len(all_s)} scenarios left out")
        if all_g - g:
            said.append(f"{name}: groups left out: {', '.join(sorted(all_g - g))}")
    return said
