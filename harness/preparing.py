"""What is fixed before the first question: documents checked, backend opened, design expanded."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Protocol

from harness import analysis, kinds, looks, provenance
from harness import policy as policies
from harness.backends import Backend, Workload, open_backend
from harness.backends.bill import bill
from harness.backends.planted import Plant, PlantedBackend
from harness.design import Design, favourable, returning
from harness.documents import shipped
from harness.errors import InputError
from harness.lint import lint
from harness.models import PROMPT_FORMAT, Model, RemoteModel, chosen, fingerprint
from harness.nouns import Prompt, Record, Request, Want
from harness.questions import Questions, questions
from harness.store import RunFolder

DEFAULT_MODEL = "smollm2-135m-instruct-q4_1"
RUNS = Path("results") / "runs"
Shard = tuple[int, int]
Wants = tuple[tuple[str, Want], ...]
"""What is asked of the backend for every task kind, by the kind's name."""


class Listener(Protocol):
    """Who is told how a run goes."""

    def say(self, text: str) -> None: ...

    def progress(self, done: int, total: int, tokens: int) -> None:
        """Prompts answered, of how many, and the tokens it took since the start."""
        ...


class Silent:
    """A listener that is not interested."""

    def say(self, text: str) -> None: ...

    def progress(self, done: int, total: int, tokens: int) -> None: ...


@dataclass(frozen=True)
class Plan:
    """Everything that is fixed before the first question."""

    model: Model
    backend: Backend
    wants: Mapping[str, Want]
    design: Design
    manifest: Record
    place: Path

    def requests(self, prompts: Sequence[Prompt]) -> list[Request]:
        return [kinds.ask(p, self.wants[p.kind], _seed(self.model, p)) for p in prompts]


def prepare(
    model: str | os.PathLike[str] | Model,
    suite: str | os.PathLike[str] = "quick",
    *,
    axes: Sequence[str] | str | None = None,
    limit: int | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    most: int | None = None,
    policy: str | Path | None = None,
    until_decided: bool = False,
    command: str = "harness.run",
    listener: Listener | None = None,
    backend: Backend | None = None,
    plant: Plant | None = None,
) -> Plan:
    """Read and check all documents, open the backend, expand the design.

    What can be measured decides the design, and only the backend knows; an unfinished run of
    this model goes on as it began, so that its server need not be up to be told so.
    """
    axes = [axes] if isinstance(axes, str) else axes
    _check(suite, axes, limit)
    rules = policies.load(Path(policy) if policy else shipped("probes") / "policies/default.yaml")
    rules.check_waivers(datetime.now(UTC).date())
    asked = questions(os.fspath(suite), axes=axes)
    if most is not None and (prompts := asked.count(limit)) > most:
        raise InputError(
            f"suite '{asked.suite.name}' asks {prompts:,} prompts, more than {most:,}: --yes asks "
            "them all the same; --limit N or fewer --axes ask less"
        )
    rules.check_names([*kinds.KINDS, "scores"], asked.words.axes)
    asked_kinds = sorted({probe.kind for probe in asked.probes})
    written = ["scores"] if kinds.TEXTS & set(asked_kinds) else []
    for kind in [*asked_kinds, *written]:
        if kind not in rules.margins and kind not in kinds.APART:
            raise InputError(f"{rules.place('margins')}: no margin for task kind '{kind}'")

    listener = listener or Silent()
    if said := _linted(asked):
        listener.say(said)
    who = chosen(model, shipped("models"))
    answers: Backend = backend or open_backend(who, listener.say)

    @cache
    def designed(wants: Wants) -> tuple[Design, dict[str, int]]:
        samples = {
            kind: kinds.samples(kind, who.decoding) for kind, want in wants if want is Want.TEXT
        }
        return asked.design(kinds=dict(wants), limit=limit, samples=samples), samples

    prefix = f"{asked.suite.name}-{who.name}"
    begun = {} if fresh else _begun(out, prefix, answers, who, asked_kinds)
    wants = next((w for mark, w in begun.items() if designed(w)[0].hash == mark), None)
    if wants is None:
        wants = _measurable(asked_kinds, answers, who, listener)
    design, samples = designed(wants)
    if isinstance(who, RemoteModel):
        listener.say(_measured(who, answers, wants))
    if plant is not None:
        asked.words.group(plant.axis, plant.group, where="--plant")
        answers = PlantedBackend(answers, plant, favourable(design, plant.axis, plant.group))
    drawn = [kind for kind, want in wants if want is Want.TEXT]
    if until_decided and not drawn:
        listener.say("--until-decided: nothing here is sampled, so every axis is asked whole")
    early = looks.declare(design, drawn, who.decoding.seed) if until_decided and drawn else None
    identity = answers.identity()
    mark = fingerprint(who, identity)
    manifest: Record = {
        "schema": 1,
        "state": "running",
        "command": command,
        "suite": {"name": asked.suite.name, "version": asked.suite.version},
        "probes": [provenance.document(p, p.name, p.version) | {"kind": p.kind}
                   for p in asked.probes],
        "axes": asked.axes,
        "crossed": asked.crossed,
        "returning": returning(design),
        "limit": limit,
        "design": {"hash": design.hash, "prompts": len(design),
                   "blocks": len(design.column("block").values)},
        "prompt_format": PROMPT_FORMAT,
        "measured": {k: {"want": w, "samples": samples.get(k, 1)} for k, w in wants},
        "unmeasured": [kind for kind in asked_kinds if kind not in dict(wants)],
        "model": {"name": who.name, "family": who.family, "version": who.version,
                  "licence": who.licence, "fingerprint": mark, "identity": identity,
                  "definition": who.model_dump(mode="json")},
        "looks": early,
        "policy": {**rules.model_dump(), "hash": rules.hash},
        "labels": asked.labels(),
        "seed": who.decoding.seed,
        "seconds": 0.0,
        **provenance.here(),
    }  # fmt: skip
    name = f"{prefix}-{design.hash[:8]}-{mark[:8]}"
    name += "-until-decided" if early else ""
    return Plan(who, answers, dict(wants), design, manifest, Path(out) if out else RUNS / name)


def _check(suite: object, axes: object, limit: object) -> None:
    """Refuse in words what only a caller from Python can give.

    Raises
    ------
    InputError
        It is of another type, or the limit is below 1.
    """
    if not isinstance(suite, str | os.PathLike):
        raise InputError(f"suite: must be a name or a YAML file, got {type(suite).__name__}")
    if axes is not None and not (
        isinstance(axes, Sequence) and all(isinstance(axis, str) for axis in axes)
    ):
        raise InputError("axes: must be names, as ['age', 'gender=woman,man'], got "
                         f"{type(axes).__name__}")  # fmt: skip
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise InputError(f"limit: must be a whole number of scenarios from 1 on, got {limit!r}")


MOST_LINTED = 1000
"""Scenarios up to which a run looks at the words of a user's probes: every pair is compared."""


def _linted(asked: Questions) -> str:
    """What lint finds wrong with a user's own probes and suites, in one line."""
    of_ours = shipped("probes").resolve()
    files = dict.fromkeys(document.file for document in (asked.suite, *asked.probes))
    own = [file for file in files if not file.resolve().is_relative_to(of_ours)]
    scenarios = sum(len(each) for probe in asked.probes for each in probe.scenarios.values())
    if not own or scenarios > MOST_LINTED:
        return ""
    errors = sum(found.level == "error" for found in lint(own, asked.words))
    if not errors:
        return ""
    many = "1 error" if errors == 1 else f"{errors} errors"
    return (f"! lint finds {many}, each of which can make a result wrong; to see them: "
            f"bias-harness lint {shlex.join(map(str, own))}")  # fmt: skip


PILOT_SD = (0.01, 0.03, 0.1)
"""Standard deviations of a contrast over scenarios to plan with before there is any data: the
low one is what small models showed on next-token probabilities, the high one sampled answers."""


def estimate(plan: Plan, shard: Shard | None = None) -> Record:
    """What a run would ask and could show, without asking anything."""
    design = plan.design.slice(shard)
    asked = map(plan.requests, design.blocks())  # made as they are read, and not kept
    costs: Record | None = None
    work: Workload | None = None
    if isinstance(plan.model, RemoteModel):
        costs = bill(plan.model, chain.from_iterable(asked))
    else:
        work = plan.backend.workload(asked)
    letters = design.column("messages").of(lambda turns: sum(len(m.content) for m in turns), int)
    return {
        "prompts": len(design),
        "blocks": len(design.column("block").values),
        "tokens": work.tokens if work else int(letters.sum()) // 4,
        "tokens_counted": work is not None,
        "tokens_computed": work.computed if work else None,
        "seconds": work.seconds if work else None,
        "requests": costs and costs["requests"],
        "bill": costs,
        "crossed": plan.manifest["crossed"],
        "returning": plan.manifest["returning"],
        "design": plan.design.hash,
        "fingerprint": plan.manifest["model"]["fingerprint"],
        "run": str(plan.place),
        "detectable": analysis.detectable(plan.design, PILOT_SD),
    }


def _begun(
    out: str | Path | None, prefix: str, backend: Backend, model: Model, asked: Sequence[str]
) -> dict[str, Wants]:
    """Design hashes of runs this one may be, begun by this very model, and what was measured."""
    mark = fingerprint(model, backend.identity())
    places = [Path(out)] if out else sorted(RUNS.glob(f"{glob.escape(prefix)}-*-{mark[:8]}*"))
    begun: dict[str, Wants] = {}
    for folder in map(RunFolder, places):
        with suppress(InputError, KeyError, TypeError, ValueError):  # one to be complained of later
            manifest = folder.manifest()
            if manifest["model"]["fingerprint"] == mark:
                known = manifest["measured"]
                wants = tuple((kind, Want(known[kind]["want"])) for kind in asked if kind in known)
                begun[manifest["design"]["hash"]] = wants
    return begun


def _measurable(asked: Sequence[str], backend: Backend, model: Model, listener: Listener) -> Wants:
    """What is asked of the backend for every kind that it can be asked at all."""
    wants: list[tuple[str, Want]] = []
    for name in asked:
        kind = kinds.KINDS[name]
        want = kind.WANT if backend.offers(kind.WANT) else kind.FALLBACK
        if want is None:
            listener.say(f"{model.name} gives no {LACKING[kind.WANT]}: kind '{name}' is left out")
            continue
        if want is not kind.WANT and not isinstance(model, RemoteModel):
            listener.say(f"{model.name} gives no {LACKING[kind.WANT]}: kind '{name}' is measured "
                         f"{_sampled(name, model)}")  # fmt: skip
        wants.append((name, want))
    if not wants:
        raise InputError(f"model '{model.name}' can be asked none of: {', '.join(asked)}")
    return tuple(wants)


LACKING = {Want.NEXT_TOKEN: "probabilities", Want.SEQUENCE: "likelihoods of whole answers",
           Want.TEXT: "text"}  # fmt: skip


def _measured(model: Model, backend: Backend, wants: Wants) -> str:
    """One line: what the server offers, and how each kind is therefore measured."""
    how = {
        Want.NEXT_TOKEN: "from first-token probabilities",
        Want.SEQUENCE: "from likelihoods of whole answers",
    }
    kinds_ = "; ".join(f"kind '{kind}' is measured {how.get(want) or _sampled(kind, model)}"
                       for kind, want in wants)  # fmt: skip
    offer = backend.facts().get("offer", model.name)
    return f"{offer}; {kinds_}"


def _sampled(kind: str, model: Model) -> str:
    many = kinds.samples(kind, model.decoding)
    return f"from {many} sampled answer{'' if many == 1 else 's'} a prompt"


def _seed(model: Model, prompt: Prompt) -> int:
    """A seed of its own for every prompt and sample, the same in every run of this design."""
    return (model.decoding.seed + int(prompt.id, 16)) % (1 << 31)
