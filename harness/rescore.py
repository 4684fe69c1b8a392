"""A scorer of one's own on the texts of a finished run, and the audit of any scorer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import added, audits, kinds, lexicon, pipeline, policy, preparing, scorers, seal
from harness import ledger as ledgers
from harness.backends import Backend
from harness.documents import shipped
from harness.errors import InputError, ModelError
from harness.judge import RANGE, UNIT, Item, Rater
from harness.nouns import Prompt, Record, Score, Status
from harness.scorers import RAW, classifier, definitions, measurement, sensitivity
from harness.scorers.audit import audit
from harness.scorers.blind import Blinder
from harness.scorers.scorer import Ask, Number, Scorer
from harness.store import DESIGN, RESPONSES, RunFolder

Definition = definitions.Classifier | definitions.Measurement | definitions.Judge


def rescore(
    folder: RunFolder,
    path: Path,
    *,
    backend: Backend | None = None,
    listener: preparing.Listener | None = None,
    ledger: Path | None = ledgers.LEDGER,
) -> pipeline.Run:
    """Add a scorer's numbers, blind and raw, and work out the effects and the report again.

    Parameters
    ----------
    path : YAML definition of a classifier, an `evaluate` measurement or a judge.
    backend : who judges instead of the model that the definition names.
    ledger : whose record of this run, if it has one, is written anew.

    Raises
    ------
    InputError
        The definition is at fault, its name is taken, it differs from the one of its version that
        the run holds, or the run is unfinished, was changed or holds no texts for it.
    ModelError
        Not one text got a number.
    """
    listener = listener or preparing.Silent()
    definition = definitions.load(path)
    if definition.name in scorers.SCORERS or definition.name.endswith(RAW):
        raise InputError(f"{definition.place('name')}: '{definition.name}' is a scorer's own name")
    _control(definition)  # only its audit uses it; a fault is told before anything is judged
    seal.checked(folder, (DESIGN, RESPONSES))  # what is sealed anew must be what was asked
    design, responses = folder.design(), folder.responses()
    asked = [p for p in design.prompts
             if p.kind in kinds.TEXTS and p.language in definition.languages]  # fmt: skip
    texts = scorers.texts(asked, responses, kinds.score(design, responses))
    prompts = [p for p in asked if p.id in texts.raw]
    if not prompts:
        raise InputError(f"{folder.path}: no texts to score in {', '.join(definition.languages)}")
    _unchanged(definition, folder.manifest().get(added.KEY, {}).get(definition.name))
    scoring = f"scoring {len(prompts)} texts with '{definition.name}'"
    more: Record = {"definition": definition.made_of}
    if isinstance(definition, definitions.Judge):
        with Rater(definition, backend) as rater:
            listener.say(scoring)
            found = _judged(rater, prompts, texts, more)
    else:
        measure = scorer_of(definition).measure
        native = [p for p in prompts if not scorers.foreign(texts.raw[p.id], p.language)]
        for p in native[:1]:  # loads the scorer: its faults are told first
            measure(texts.blind[p.id], p.language)
        listener.say(scoring)
        found = [
            Score(p.id, p.group, Status.ANSWERED, definition.name + mark, value)
            for mark, each in (("", texts.blind), (RAW, texts.raw)) for p in native
            if (value := measure(each[p.id], p.language)) is not None
        ]  # fmt: skip
    if not found:
        raise ModelError(
            f"'{definition.name}' gave no number for any of {len(prompts)} texts"
            + _endings(more.get("outcomes", {}).get(definition.name, {}))
        )
    added.write(folder, definition.name, scorer_of(definition), found, more)
    known = ledger is not None and ledgers.has(folder.manifest(), ledgers.read(ledger))
    return pipeline.conclude(folder, listener, ledger if known else None)


def audited(
    name: str,
    *,
    axes: Sequence[str] | None = None,
    run: RunFolder | None = None,
    backend: Backend | None = None,
) -> list[Record]:
    """The audit of a scorer by name, or by the YAML file of one's own.

    Parameters
    ----------
    axes : all by default.
    run : a finished run scored by it, which keeps the audit for `gate`.
    backend : who judges instead of the model that a judge's definition names.

    Raises
    ------
    InputError
        The scorer or an axis is unknown, or the run's texts were scored by another one.
    """
    words = lexicon.load()
    if run is not None:
        rules = policy.restore(run.manifest()["policy"], run.path)
    else:
        rules = policy.load(shipped("probes") / "policies" / "default.yaml")
    share = rules.margins["scores"]
    if not name.endswith((".yaml", ".yml")):
        rows = audit(name, words, share=share, axes=axes)
        identity: Record = {"version": scorers.SCORERS[name].version}
    else:
        definition = definitions.load(Path(name))
        control = _control(definition)
        name, scorer = definition.name, scorer_of(definition)
        identity = {"version": definition.version, "definition": definition.made_of}
        if isinstance(definition, definitions.Judge):
            with Rater(definition, backend) as rater:
                rows = audit(
                    name, words, share=share, axes=axes, scorer=scorer, control=control,
                    measure=lambda asks, language: _rated(rater, asks, language),
                )  # fmt: skip
                identity["judge"] = rater.identity
        else:
            rows = audit(name, words, share=share, axes=axes, scorer=scorer, control=control)
    if run is not None:
        audits.write(run, name, rows, identity)
    return rows


def _unchanged(definition: Definition, known: Record | None) -> None:
    """Refuse another definition under the name and version of one whose numbers the run holds.

    Raises
    ------
    InputError
        With the field that differs.
    """
    if known is None or known["version"] != definition.version:
        return
    old, new = known["definition"], definition.made_of
    if changed := [key for key in old if old[key] != new.get(key)]:
        raise InputError(
            f"{definition.place('version')}: the run was scored by version {definition.version} "
            f"of '{definition.name}' with another '{changed[0]}'; raise its version"
        )


def _control(definition: Definition) -> sensitivity.Control | None:
    """The texts of known worth that a definition names."""
    if definition.control is None:
        return None
    return sensitivity.chosen(definition.control, definition.file, definition.languages,
                              definition.place("control"))  # fmt: skip


def _endings(groups: Mapping[str, Mapping[str, int]]) -> str:
    """How a judge's answers ended, over all groups; "" for other scorers."""
    total: Counter[str] = Counter()
    for each in groups.values():
        total.update(each)
    return "".join(f"{', ' if i else ': '}{name} {n}"
                   for i, (name, n) in enumerate(total.most_common()))  # fmt: skip


def scorer_of(definition: Definition) -> Scorer:
    """The scorer of a definition; a judge's measures nothing by itself (harness.judge does)."""
    if isinstance(definition, definitions.Classifier):
        return classifier.scorer(definition)
    if isinstance(definition, definitions.Measurement):
        return measurement.scorer(definition)
    return Scorer(
        definition.version, UNIT[definition.mode], RANGE, 1.0, lambda text, language: None,
        frozenset(definition.languages),
    )  # fmt: skip


def _judged(
    rater: Rater, prompts: Sequence[Prompt], texts: scorers.Texts, more: Record
) -> list[Score]:
    """A judge's scores; its identity and every group's outcomes go into `more`."""
    blinder = Blinder(lexicon.load())
    raw = {p.id: p.messages[-1].content for p in prompts}
    blind = {p.id: blinder.blind(raw[p.id], p) for p in prompts}
    found: list[Score] = []
    definition = rater.definition
    more |= {"outcomes": {}, "first_place": {}, "judge": rater.identity}
    for mark, each, asked in (("", texts.blind, blind), (RAW, texts.raw, raw)):
        # two texts have one request: the one without the group's words
        asked = blind if definition.mode == "pairwise" else asked
        sets: dict[tuple[object, ...], list[Item]] = {}
        for p in prompts:
            key = (p.block, p.axis, p.cue, p.variant, p.arm, p.sample)
            item = Item(p.id, p.language, asked[p.id], each[p.id])
            sets.setdefault(key, []).append(item)
        judged = rater.judge(sets.values())
        ended: dict[str, Counter[str]] = {}
        for p in prompts:
            ended.setdefault(f"{p.axis} {p.group}", Counter())[judged.ended[p.id]] += 1
            if p.id in judged.numbers:
                value = judged.numbers[p.id]
                found.append(Score(p.id, p.group, Status.ANSWERED, definition.name + mark, value))
        more["outcomes"][definition.name + mark] = {k: dict(v) for k, v in ended.items()}
        more["first_place"][definition.name + mark] = judged.first
    return found


def _rated(rater: Rater, asks: Sequence[Ask], language: str) -> dict[str, Number]:
    """A judge's number of every text, in pairs against the text beside it, or how it ended."""
    sets, names = [], {}
    for i, ask in enumerate(asks):
        names[ask.text] = f"{2 * i:x}"
        sets.append([Item(names[ask.text], language, ask.asked, ask.text)])
        if rater.definition.mode == "pairwise":
            sets[-1].append(Item(f"{2 * i + 1:x}", language, ask.asked, ask.beside))
    judged = rater.judge(sets)
    return {text: judged.numbers.get(name, judged.ended[name]) for text, name in names.items()}
