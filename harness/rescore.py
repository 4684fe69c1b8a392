"""Score the texts of a finished run again with a scorer of one's own (`bias-harness score`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from harness import added, kinds, lexicon, pipeline, preparing, scorers
from harness.backends import Backend, open_backend
from harness.documents import shipped
from harness.errors import InputError, ModelError
from harness.judge import RANGE, UNIT, judge
from harness.models import fingerprint, resolve
from harness.nouns import Prompt, Record, Score, Status
from harness.scorers import RAW, classifier, definitions, measurement
from harness.scorers.blind import Blinder
from harness.scorers.scorer import Scorer
from harness.store import RunFolder


def rescore(
    folder: RunFolder,
    path: Path,
    *,
    backend: Backend | None = None,
    listener: preparing.Listener | None = None,
) -> pipeline.Run:
    """Add a scorer's numbers, blind and raw, and work out the effects and the report again.

    Parameters
    ----------
    path : YAML definition of a classifier, an `evaluate` measurement or a judge.
    backend : who judges instead of the model that the definition names.

    Raises
    ------
    InputError
        The definition is at fault, its name is taken, or the run holds no texts for it.
    """
    listener = listener or preparing.Silent()
    definition = definitions.load(path)
    if definition.name in scorers.SCORERS or definition.name.endswith(RAW):
        raise InputError(f"{definition.place('name')}: '{definition.name}' is a scorer's own name")
    design, responses = folder.design(), folder.responses()
    asked = [p for p in design.prompts
             if p.kind in kinds.TEXTS and p.language in definition.languages]  # fmt: skip
    texts = scorers.texts(asked, responses, kinds.score(asked, responses))
    prompts = [p for p in asked if p.id in texts.raw]
    if not prompts:
        raise InputError(f"{folder.path}: no texts to score in {', '.join(definition.languages)}")
    listener.say(f"scoring {len(prompts)} texts with '{definition.name}'")
    more: Record = {"definition": definition.model_dump(mode="json")}
    if isinstance(definition, definitions.Judge):
        scorer = Scorer(definition.version, UNIT, RANGE, 1.0, lambda text, language: None,
                        frozenset(definition.languages))  # fmt: skip
        found = _judged(definition, prompts, texts, lexicon.load(), backend, more)
    else:
        scorer = scorer_of(definition)
        found = [
            Score(p.id, p.group, Status.ANSWERED, definition.name + mark, value)
            for mark, each in (("", texts.blind), (RAW, texts.raw)) for p in prompts
            if (value := scorer.measure(each[p.id], p.language)) is not None
        ]  # fmt: skip
    added.write(folder, definition.name, scorer, found, more)
    return pipeline.conclude(folder, listener)


def scorer_of(
    definition: definitions.Classifier | definitions.Measurement | definitions.Judge,
) -> Scorer:
    """The scorer of a definition that measures a text by itself.

    Raises
    ------
    InputError
        It is a judge, who needs the request beside the text.
    """
    if isinstance(definition, definitions.Classifier):
        return classifier.scorer(definition)
    if isinstance(definition, definitions.Measurement):
        return measurement.scorer(definition)
    raise InputError(f"{definition.place('kind')}: a judge reads a request beside its text; "
                     "compare its blind and raw effects in a run instead")  # fmt: skip


def _judged(
    definition: definitions.Judge,
    prompts: list[Prompt],
    texts: scorers.Texts,
    words: lexicon.Lexicon,
    backend: Backend | None,
    more: Record,
) -> list[Score]:
    """A judge's scores; its fingerprint and every group's outcomes go into `more`."""
    model = resolve(definition.model, shipped("models"))
    who = backend or open_backend(model)
    blinder = Blinder(words)
    plain = {p.id: p.messages[-1].content for p in prompts}
    found: list[Score] = []
    try:
        who.ready()
        more["judge"] = {"model": model.name, "fingerprint": fingerprint(model, who.identity())}
        more["outcomes"] = {}
        for mark, each, requests in (
            ("", texts.blind, {p.id: blinder.blind(plain[p.id], p) for p in prompts}),
            (RAW, texts.raw, plain),
        ):
            readings = judge(definition, who, prompts, requests, each, model.decoding.seed)
            ended: dict[str, Counter[str]] = {}
            for p in prompts:
                reading = readings[p.id]
                ended.setdefault(f"{p.axis} {p.group}", Counter())[str(reading.status)] += 1
                if reading.status is Status.ANSWERED:
                    value = reading.values["score"]
                    found.append(
                        Score(p.id, p.group, Status.ANSWERED, definition.name + mark, value)
                    )
            more["outcomes"][definition.name + mark] = {k: dict(v) for k, v in ended.items()}
    finally:
        who.close()
    if not found:
        raise ModelError(f"judge '{definition.name}' gave no number for any of {len(prompts)} "
                         f"texts: {more['outcomes']}")  # fmt: skip
    return found
