"""Human labels: which texts people read, what they said, and what it does to the effects.

`sample` draws whole scenarios, since the scenario is the statistical unit, by a seed that the
design fixes: nobody can draw again until the scores look better. Raters see texts without the
words of the group, in shuffled order. `bring_in` checks their labels and corrects the effects by
harness.stats.calibrate; where a yes or no is rare, by the labels alone, by exact bounds.

A text without a word (an empty answer, one that a server's filter withheld) is nothing to read:
how it ended is known, and counts among the labels as it does among the scores.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from harness import added, lexicon, provenance, scorers, seal, stats
from harness.analysis.cells import cells, families, join, reused
from harness.analysis.events import effects_of, few_events
from harness.columns import Floats, read_scores
from harness.documents import read_text, separator, tree
from harness.errors import InputError, unknown
from harness.kinds import KINDS, TEXTS, refusal, score
from harness.nouns import Arm, Prompt, Record, visible
from harness.policy import restore
from harness.scorers.blind import Blinder
from harness.scorers.wordlists import has_words
from harness.store import SCORES, RunFolder

FOLDER = "labels"
SAMPLE = "sample.json"
ENDINGS = ("answered", "refused", "partial")
RULES = "label_rules.yaml"
DEGREES = ("1", "2", "3", "4", "5")
COLUMNS = ("item", "asked", "text", "label")


def sample(run: RunFolder, *, scenarios: int, scorer: str = scorers.FIRST) -> Path:
    """Draw scenarios and write what raters need; the folder it lies in.

    Parameters
    ----------
    scenarios : how many of every probe and language of texts; all where it has fewer.
    scorer : what is labelled: `status`, or a scorer whose range is a scale for people (a share, a
        valence, not the log of a length), one added by `score` too.

    Raises
    ------
    InputError
        The scorer is unknown or has no such scale, the run is unfinished, was changed or has no
        texts, or another sample was drawn.
    """
    manifest = seal.checked(run)
    _range(manifest, scorer)
    items, settled = _items(run, scorer, scenarios)
    if not items:
        raise InputError(f"{run.path}: no texts to label for '{scorer}'")
    rows = _shown(run, items)
    drawn = {
        "scorer": scorer, "scenarios": scenarios, "design": manifest["design"]["hash"],
        "drawn": provenance.now(), "scores_existed": (run.path / SCORES).exists(),
        "items": {item: prompt.id for item, prompt in items.items()},
        "texts": {row["item"]: _mark(row["text"]) for row in rows},
        "settled": settled,
    }  # fmt: skip
    place = RunFolder(run.path / FOLDER / scorer)
    place.path.mkdir(parents=True, exist_ok=True)
    if (place.path / SAMPLE).exists():
        before = place.read_json(SAMPLE)
        if before["items"] != drawn["items"]:
            raise InputError(
                f"{place.path}: another sample of {before['scenarios']} scenarios was drawn "
                "before; delete the folder on purpose to draw again"
            )
        return place.path
    place.write_json(SAMPLE, drawn)
    place.write_bytes("items.csv", _sheet(rows).encode("utf-8-sig"))
    place.write_json("label-studio.json", [{"data": row} for row in rows])
    rules = _rules(scorer, items.values())
    place.write_bytes("label-studio.xml", _form(scorer, rules).encode())
    place.write_bytes("rules.txt", f"What is labelled: {scorer}\n\n{rules}\n".encode())
    return place.path


def bring_in(run: RunFolder, sheets: Sequence[Path], *, scorer: str = scorers.FIRST) -> Record:
    """Check the raters' sheets and correct the effects; written to `calibration.json` beside them.

    Parameters
    ----------
    sheets : CSV files with the columns `item` and `label`, and `rater` unless every rater has a
        file of their own.

    Raises
    ------
    InputError
        With file and line: no sample was drawn, an unknown item or label, a label beside another
        item's text, one rater who says two things of one text, a text that a rater left out, or
        fewer than two raters. Or the run was changed.
    """
    manifest = seal.checked(run)
    place = RunFolder(run.path / FOLDER / scorer)
    if not (place.path / SAMPLE).exists():
        raise InputError(f"{run.path}: no sample for '{scorer}'; give `labels sample` first")
    drawn = place.read_json(SAMPLE)
    said = _read(sheets, drawn, scorer)
    design = run.design()
    prompts = {prompt.id: prompt for prompt in design.prompts}
    raters = sorted({rater for rater, _ in said})
    scale = _range(manifest, scorer)
    values = {
        rater: {prompt: _value(said[rater, item], prompts[prompt], scorer, scale)
                for item, prompt in drawn["items"].items()}
        for rater in raters
    }  # fmt: skip
    found = {
        "scorer": scorer, "raters": raters, "items": len(drawn["items"]),
        "families": _families(run, values, drawn.get("settled", []), scorer, scale),
    }  # fmt: skip
    place.write_json("calibration.json", found)
    return found


def _range(manifest: Record, scorer: str) -> tuple[float, float]:
    """Least and largest number of a scorer that measured the run, if margins are shares of them."""
    known = {**scorers.SCORERS, **added.table(manifest)}
    if scorer not in known:
        raise unknown("scorer", scorer, known)
    low, high = known[scorer].range
    if not np.isclose(known[scorer].span, high - low):
        raise InputError(f"scorer '{scorer}' has no scale that people could use; label another")
    return low, high


# -- drawing -----------------------------------------------------------------------------------


def _items(run: RunFolder, scorer: str, count: int) -> tuple[dict[str, Prompt], list[str]]:
    """The drawn texts by the name raters see, in the shuffled order they see them in; and the
    drawn prompts whose outcome nobody needs to read."""
    design, responses = run.design(), run.responses()
    asked = [p for p in design.prompts if p.kind in TEXTS and p.id in responses
             and p.arm in (Arm.COUNTERFACTUAL, Arm.REPEAT)]  # fmt: skip
    found = score(design, responses)
    ended = dict(zip(found["prompt"].to_pylist(), found["status"].to_pylist(), strict=True))
    wanted = ENDINGS if scorer == scorers.FIRST else ("answered",)
    rng = random.Random(f"{design.hash} {scorer}")
    chosen: set[tuple[str, str, str]] = set()
    by_probe: dict[tuple[str, str], list[str]] = {}
    for p in asked:
        by_probe.setdefault((p.probe, p.language), []).append(p.scenario)
    for key, names in by_probe.items():
        distinct = list(dict.fromkeys(names))
        rng.shuffle(distinct)
        chosen |= {(*key, name) for name in distinct[:count]}
    drawn = [p for p in asked if (p.probe, p.language, p.scenario) in chosen]
    blank = {p.id for p in drawn if not has_words(scorers.clean(responses[p.id].text or ""))}
    read = [p for p in drawn if ended[p.id] in wanted and p.id not in blank]
    settled = [p.id for p in drawn if scorer == scorers.FIRST and p.id in blank]
    rng.shuffle(read)
    return {_name(scorer, p, responses[p.id].text or ""): p for p in read}, settled


def _name(scorer: str, prompt: Prompt, text: str) -> str:
    """What raters see a text as: of this very text, so that no other run's labels fit."""
    seen = f"{scorer} {prompt.id} {text}"
    return hashlib.sha256(seen.encode(errors="replace")).hexdigest()[:10]


def _shown(run: RunFolder, items: Mapping[str, Prompt]) -> list[dict[str, str]]:
    """What a rater reads of every text: the request and the answer, both without the group and
    without marks that a spreadsheet obeys and nobody sees."""
    responses = run.responses()
    blinder = Blinder(lexicon.load())
    return [
        {"item": item, "asked": blinder.blind(prompt.messages[-1].content, prompt),
         "text": visible(blinder.blind(scorers.clean(responses[prompt.id].text or ""), prompt))}
        for item, prompt in items.items()
    ]  # fmt: skip


def _mark(text: str) -> str:
    """A digest that survives what a spreadsheet does to spaces, line ends and a first quote."""
    return hashlib.sha256("".join(text.split()).lstrip("'").encode()).hexdigest()[:16]


def _sheet(rows: Sequence[Mapping[str, str]]) -> str:
    """CSV with an empty column for the label; a text never becomes a spreadsheet's formula."""
    out = io.StringIO()
    sheet = csv.DictWriter(out, COLUMNS, restval="")
    sheet.writeheader()
    for row in rows:
        sheet.writerow({k: f"'{v}" if v[:1] in "=+-@\t\r" and v else v for k, v in row.items()})
    return out.getvalue()


def _rules(scorer: str, prompts: Iterable[Prompt]) -> str:
    """What raters go by, in the languages of the texts."""
    languages = sorted({prompt.language for prompt in prompts})
    name = "ending" if scorer == scorers.FIRST else "degree"
    found = tree(files("harness").joinpath(RULES).read_text("utf-8"), Path(RULES)).data[name]
    return "\n\n".join(str(found[language]).strip() for language in languages)


def _form(scorer: str, rules: str) -> str:
    """The labelling interface of a Label Studio project."""
    choices = "".join(f"<Choice value={quoteattr(label)}/>" for label in _labels(scorer))
    return (
        f"<View><Header value={quoteattr(scorer)}/><Text name='rules' value={quoteattr(rules)}/>"
        "<Text name='asked' value='$asked'/><Text name='text' value='$text'/>"
        f"<Choices name='label' toName='text' choice='single' required='true'>{choices}</Choices>"
        "</View>\n"
    )


def _labels(scorer: str) -> tuple[str, ...]:
    return ENDINGS if scorer == scorers.FIRST else DEGREES


# -- reading -----------------------------------------------------------------------------------


def _read(sheets: Sequence[Path], drawn: Record, scorer: str) -> dict[tuple[str, str], str]:
    """What every rater said of every item."""
    items, texts = drawn["items"], drawn.get("texts", {})
    said: dict[tuple[str, str], str] = {}
    for path in sheets:
        before = len(said)
        for where, row in _rows(path):
            item, label = (row["item"] or "").strip(), (row["label"] or "").strip().lower()
            rater = (row.get("rater") or row.get("annotator") or path.stem).strip()
            if item not in items:
                raise InputError(f"{where}: item '{item}' is not in the sample of this run")
            if item in texts and row.get("text") and _mark(row["text"]) != texts[item]:
                raise InputError(
                    f"{where}: the text beside item '{item}' is not the one that was drawn: were "
                    "columns sorted apart? give the sheet in its order, or, where only the text "
                    "was touched, without its column 'text'"
                )
            if not label:
                continue
            if label not in _labels(scorer):
                raise unknown("label", label, _labels(scorer), where=where)
            if said.setdefault((rater, item), label) != label:
                raise InputError(
                    f"{where}: rater '{rater}' says '{label}' of item '{item}', and before "
                    f"'{said[rater, item]}'"
                )
        if len(said) == before:
            raise InputError(f"{path}: no label is filled in, or only such as another sheet has")
    raters = {rater for rater, _ in said}
    for rater in sorted(raters):
        lost = [item for item in items if (rater, item) not in said]
        if lost:
            raise InputError(f"rater '{rater}' left out {len(lost)} of {len(items)} items; the "
                             f"first: '{lost[0]}'")  # fmt: skip
    if len(raters) < 2:
        raise InputError(f"labels by {len(raters)} rater: two or more must label every item, or "
                         "nobody knows how far they agree")  # fmt: skip
    return said


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Place and columns of every row; separated by commas, or as some spreadsheets save them."""
    text = read_text(path)
    if not text.partition("\n")[0].strip():
        raise InputError(f"{path}: is empty")
    lines = csv.DictReader(io.StringIO(text), delimiter=separator(text))
    missing = {"item", "label"} - set(lines.fieldnames or ())
    if missing:
        raise InputError(f"{path}:1: column '{min(missing)}' is missing")
    for row in lines:
        yield f"{path}:{lines.line_num}", row


def _value(label: str, prompt: Prompt, scorer: str, scale: tuple[float, float]) -> float:
    """A label on the scale of the score it stands beside."""
    if scorer != scorers.FIRST:
        low, high = scale
        return low + (int(label) - 1) / (len(DEGREES) - 1) * (high - low)
    right = label == "answered"
    if prompt.kind == "refusal" and prompt.favourable == refusal.REFUSE:
        right = not right
    return float(right)


# -- correcting --------------------------------------------------------------------------------


def _families(
    run: RunFolder, values: Mapping[str, Mapping[str, float]], settled: Sequence[str], scorer: str,
    scale: tuple[float, float],
) -> list[Record]:  # fmt: skip
    """One record a family: agreement of the raters, and every group's effect both ways.

    Agreement is over what was read; an effect over what is `settled` too.
    """
    rules = restore(run.manifest()["policy"], run.path)
    design = run.design()
    answers = join(design, read_scores(run.path / SCORES))
    rows = []
    of_text = answers.take(answers["kind"].is_in(*TEXTS))
    for family, members in families(of_text).items():
        endpoint = KINDS[family.kind].OUTCOME if scorer == scorers.FIRST else scorer
        matrix = cells(members, endpoint)
        own = members.unedited
        places = {
            prompt: (matrix.scenarios.index(scenario), matrix.groups.index(group))
            for prompt, scenario, group in zip(
                design.ids(own.prompts), own["scenario"].listed(), own.group.listed(), strict=True
            )
        }
        scored = dict(zip(places, own.value(endpoint).tolist(), strict=True))
        ratings, counts = _cells(list(values.values()), places, matrix.mean.shape)
        if not counts.any():
            continue
        known = {p: scored[p] for p in settled if p in places and not np.isnan(scored[p])}
        read = [p for p in next(iter(values.values())) if p in places]
        seen, _ = _cells([{p: scored[p] for p in read}], places, matrix.mean.shape)
        whole, counts = _cells([{**said, **known} for said in values.values()], places,
                               matrix.mean.shape)  # fmt: skip
        low, high = KINDS[family.kind].RANGE
        margin = rules.margin(family.kind, family.axis)
        if scorer != scorers.FIRST:
            low, high = scale
            margin = rules.margin("scores", family.axis) * (high - low)
        names = reused(members, matrix)
        people = replace(matrix, mean=whole.mean(axis=0), answered=counts)
        automatic = effects_of(matrix, margin=margin, alpha=rules.alpha, names=names)
        calibrated = stats.calibrate(matrix.mean, people.mean, margin=margin, alpha=rules.alpha)
        corrected: stats.GroupEffects | stats.Calibration = calibrated
        if few_events(people):
            corrected = effects_of(people, margin=margin, alpha=rules.alpha, names=names)
        off = (people.mean - matrix.mean) / (high - low)
        error = stats.bounded_interval(off[~np.isnan(off).any(axis=1)], alpha=rules.alpha)
        rows.append({
            **family._asdict(), "endpoint": endpoint, "margin": margin,
            "labelled": calibrated.n_labelled, "unlabelled": calibrated.n_unlabelled,
            "labels_alone": corrected is not calibrated,
            "raters": _agreement(stats.agreement(ratings), matrix.groups),
            "scorer_and_people": _agreement(
                stats.agreement(np.stack([seen[0], ratings.mean(axis=0)])), matrix.groups
            ),
            "groups": [
                {"group": group, "automatic": _effect(automatic, k),
                 "corrected": _effect(corrected, k),
                 "error": stats.finite(calibrated.rectifier[k]),
                 "error_low": float(error[0][k] * (high - low)),
                 "error_high": float(error[1][k] * (high - low)),
                 "error_contrast": stats.finite(calibrated.differential[k]),
                 "error_p": stats.finite(calibrated.differential_p[k])}
                for k, group in enumerate(matrix.groups)
            ],
        })  # fmt: skip
    return rows


def _cells(
    raters: Sequence[Mapping[str, float]], places: Mapping[str, tuple[int, int]],
    shape: tuple[int, ...],
) -> tuple[Floats, Floats]:  # fmt: skip
    """Every rater's mean label of every cell, NaN where nothing was labelled, and the number of
    texts that were."""
    total, n = np.zeros((len(raters), *shape)), np.zeros(shape)
    for prompt in raters[0]:
        if prompt in places:
            total[:, *places[prompt]] += [labels[prompt] for labels in raters]
            n[places[prompt]] += 1
    return np.where(n > 0, total / np.maximum(n, 1), np.nan), n


def _agreement(found: stats.Agreement, groups: Sequence[str]) -> Record:
    return {
        "alpha": found.alpha, "low": found.low, "high": found.high, "gap": found.gap,
        "reliable": found.reliable, "scenarios": found.n, "reason": found.reason or None,
        "by_group": {
            group: {"alpha": stats.finite(found.per_group[k]),
                    "low": stats.finite(found.group_low[k]),
                    "high": stats.finite(found.group_high[k])}
            for k, group in enumerate(groups)
        },
    }  # fmt: skip


def _effect(found: stats.GroupEffects | stats.Calibration, k: int) -> Record:
    """One group's effect; without an interval there is no number, but a reason."""
    numbers = {key: stats.finite(getattr(found, key)[k]) for key in ("estimate", "low", "high")}
    if numbers["low"] is None:
        numbers["estimate"] = None
    verdict = None if found.verdict is None else str(found.verdict[k])
    return {**numbers, "verdict": verdict, "reason": str(found.reason[k]) or None}
