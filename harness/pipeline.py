"""One run from start to end.

::

    probes, lexicon, suite ──► Design ──► Responses ──► Scores ──► Effects ──► report
    model ────────────────────────^ (who answers)         policy ──^

`run` is the program; everything below it is one step of it, and every step leaves one file in
the run folder, so that each can be done again from the one before.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from harness import (
    added,
    analysis,
    columns,
    kinds,
    looks,
    provenance,
    report,
    scorers,
    seal,
    tables,
)
from harness import ledger as ledgers
from harness import policy as policies
from harness.backends import Backend
from harness.backends.planted import Plant
from harness.columns import coded
from harness.design import Design
from harness.errors import BudgetError, InputError, ModelError, StoreError
from harness.meter import Meter, changed
from harness.models import Model
from harness.nouns import Record, Status
from harness.preparing import DEFAULT_MODEL, RUNS, Listener, Plan, Shard, Silent, prepare
from harness.store import (
    EFFECTS,
    REPORT,
    RESPONSES,
    SCORES,
    Log,
    RunFolder,
    check_writable,
    merge,
    pending,
)

if TYPE_CHECKING:
    import datasets


# -- the story ---------------------------------------------------------------------------------


def run(
    model: str | os.PathLike[str] | Model = DEFAULT_MODEL,
    suite: str | os.PathLike[str] = "quick",
    *,
    axes: Sequence[str] | str | None = None,
    limit: int | None = None,
    out: str | Path | None = None,
    shard: Shard | None = None,
    fresh: bool = False,
    most: int | None = None,
    policy: str | Path | None = None,
    ledger: str | Path | None = ledgers.LEDGER,
    until_decided: bool = False,
    command: str = "harness.run",
    listener: Listener | None = None,
    backend: Backend | None = None,
    plant: Plant | None = None,
) -> Run:
    """Ask a model every prompt of a suite and say where it treats counterfactual persons apart.

    An unfinished run of the same design and model is taken up again; a finished one is given
    back as it is.

    Parameters
    ----------
    model : a shipped name, a YAML file, a folder with weights, a Hub id, or a definition.
    suite : name of a suite, or YAML file of a suite or of a single probe.
    axes : axes to keep, all by default; `"gender=woman,man"` keeps only these groups of one.
    limit : at most this many scenarios of every probe, for a first try.
    out : the run folder; `results/runs/<suite>-<model>-<design>-<fingerprint>` by default.
    shard : (i, n) asks only the i-th of n slices (from 1); `merge_runs` joins them.
    fresh : forget what an earlier run left in the folder.
    most : refuse to ask more prompts than this.
    policy : YAML file of margins and rules; the shipped default otherwise.
    ledger : folder that gets a small record of the finished run; None keeps none.
    until_decided : stop asking about an axis at the first of three looks at which it is decided;
        only where answers are sampled.
    backend : who answers instead of the backend the model names.
    plant : a disparity of known size put into the answers, for the tool's own controls.

    Raises
    ------
    InputError, StoreError
        What was given is wrong, or cannot be written; nothing was asked.
    ModelError
        The model or server failed; every finished record is kept.
    """
    listener = listener or Silent()
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise InputError(f"shard {shard[0]}/{shard[1]}: must be I of N with I from 1 to N")
    if shard is not None and until_decided:
        raise InputError("--until-decided: a slice cannot tell whether all slices have decided")
    if out is None:
        check_writable(RUNS)
    else:
        RunFolder(Path(out)).check_place()
    plan = prepare(
        model, suite, axes=axes, limit=limit, out=out, fresh=fresh, most=most, policy=policy,
        until_decided=until_decided, command=command, listener=listener, backend=backend,
        plant=plant,
    )  # fmt: skip
    ledger = None if ledger is None or plant is not None else Path(ledger)
    with closing(plan.backend):
        folder = RunFolder(plan.place)
        if not fresh and (done := finished(folder, plan)) is not None:
            listener.say(f"this run is finished; showing {folder.path} (--fresh asks again)")
            return done
        if ledger is not None:  # what the ledger would refuse in the end is not begun
            ledgers.check_name(plan.manifest["model"], plan.manifest["prompt_format"], ledger)
        plan.backend.ready()  # what cannot be loaded leaves nothing behind
        if fresh:
            folder.discard(shard)
        folder.begin(plan.manifest, plan.design)
        if plan.manifest["looks"]:
            ask_until_decided(plan, folder, listener)
        else:
            ask(plan, folder, plan.design.slice(shard), shard, listener)
    del plan  # from here on all is read from the folder; weights and two designs need room
    return Run(folder) if shard else conclude(folder, listener, ledger)


def ask_until_decided(plan: Plan, folder: RunFolder, listener: Listener) -> None:
    """Ask a third of the scenarios, look, and leave out what is decided; three times."""
    rules = policies.restore(folder.manifest()["policy"], folder.path)
    declared = folder.manifest()["looks"]
    begun = declared["taken"]
    for look in range(declared["taken"] + 1, declared["looks"] + 1):
        asked = looks.part(plan.design, declared, look)
        ask(plan, folder, asked, None, listener, resumed=look == begun + 1)
        if look == declared["looks"]:
            break
        declared = looks.take(plan.design, declared, folder.responses(), rules)
        folder.update({"looks": declared})
        names = [row["axis"] for row in declared["decided"] if row["look"] == look]
        listener.say(f"look {look} of {declared['looks']}: decided {', '.join(names) or 'nothing'}")


def ask(
    plan: Plan,
    folder: RunFolder,
    design: Design,
    shard: Shard | None,
    listener: Listener,
    *,
    resumed: bool = True,
) -> None:
    """Put every open prompt to the backend and write down each answer as it comes."""
    total = len(design)
    with Log(folder, shard) as log:
        still = pending(design, folder.responses(), whole=plan.backend.whole_blocks)
        done = total - len(still)
        if done and resumed:
            listener.say(f"going on with an unfinished run: {done} of {total} already answered")
        if not len(still):
            return
        tokens = 0
        meter = Meter(folder, plan.backend)
        listener.progress(done, total, tokens)
        try:
            for response in plan.backend.answer(map(plan.requests, still.blocks())):
                log.append(response)
                done += 1
                tokens += response.prompt_tokens + response.completion_tokens
                listener.progress(done, total, tokens)
                meter.tick()
        except (ModelError, BudgetError) as error:
            kept = total - int(folder.responses().lacking(design.table["id"]).sum())
            raise type(error)(
                f"{error}\n{kept} of {total} prompts are answered and kept; "
                "give the same command again to go on"
            ) from error
        finally:
            meter.write()


def conclude(
    folder: RunFolder, listener: Listener | None = None, ledger: Path | None = None
) -> Run:
    """Responses to scores to effects to report, and a record to the ledger where there is one.

    Raises
    ------
    StoreError
        Prompts of the design are still unanswered, or another process writes answers.
    ModelError
        Every single prompt failed: there is nothing to score.
    """
    listener = listener or Silent()
    with folder.settled() as logs:
        score(folder, listener, logs)
    write_report(folder)
    if ledger is not None:
        try:
            record(folder, ledger)
        except StoreError as error:  # the run itself is whole, and can be recorded later
            listener.say(f"the run is finished, but the ledger has no record of it: {error}")
    return Run(folder)


def score(folder: RunFolder, listener: Listener, logs: Sequence[Path]) -> None:
    """Responses to scores to effects: the files that a run's results are, sealed."""
    seal.check_answers(folder)
    early = folder.manifest().get("looks")
    design, responses = looks.asked(folder.design(), folder.manifest()), folder.responses()
    missing = int((responses.rows_of(design.table["id"]) < 0).sum())
    if missing:
        raise StoreError(
            f"{folder.path}: {missing} of {len(design)} prompts have no answer yet; "
            "give the same `run` command again, or `merge` the slices that are missing"
        )
    failed = responses.table.filter(pa.array(responses.failed))
    if len(failed):
        [prompt] = design.only(pc.equal(design.table["id"], failed["prompt"][0]).to_numpy()).prompts
        first = f"{prompt.probe} '{prompt.scenario}', {prompt.group}: {failed['detail'][0]}"
        if len(failed) == len(responses):
            raise ModelError(f"every prompt failed; the first: {first}")
        listener.say(f"prompts that failed, which the same `run` command asks again: "
                     f"{len(failed)} (the first: {first})")  # fmt: skip
    for line in changed(folder.manifest()):
        listener.say(line)
    scores = kinds.score(design, responses)
    if set(coded(scores["status"]).values) <= {Status.EMPTY, Status.ERROR, Status.TRUNCATED}:
        why = next(filter(None, responses.table["detail"].to_pylist()), None)
        raise ModelError(
            "not one prompt was answered: every completion is empty, failed or cut off"
            f"{f' (the first reason: {why})' if why else ''}; the answers are kept"
        )
    rules = policies.restore(folder.manifest()["policy"], folder.path)
    asked = design.only(design.column("kind").is_in(*kinds.TEXTS)).prompts
    texts = scorers.texts(asked, responses, scores)
    own, more = added.read(folder)
    scores = pa.concat_tables([scores, columns.scores(scorers.score(asked, texts)), *more])
    folder.update({"state": "running"})  # until all of it is written
    folder.compact(design, responses, logs)
    folder.write_table(SCORES, scores)
    table = {**scorers.SCORERS, **own}
    folder.write_json(EFFECTS, {
        **looks.analyse(design, scores, rules, early, table),
        "similarity": analysis.similarity(asked, texts.blind, rules.alpha),
        "unmeasured": scorers.unmeasured(sorted({prompt.language for prompt in asked})),
    })  # fmt: skip
    tokens = {
        name: pc.sum(responses.table[f"{name}_tokens"]).as_py() for name in ("prompt", "completion")
    }
    files, before = seal.seal(folder), folder.manifest()
    same = before.get("files", {}).get(RESPONSES) == files[RESPONSES]
    finished = before["finished"] if same else provenance.now()  # scored anew is not run anew
    folder.update({"state": "finished", "finished": finished, "tokens": tokens,
                   "scoring": kinds.SCORING, "files": files})  # fmt: skip


def record(folder: RunFolder, ledger: Path = ledgers.LEDGER) -> Path:
    """Add a finished run to the ledger: the path of its record."""
    manifest = seal.checked(folder)
    name = folder.path.resolve().name
    return ledgers.add(ledgers.entry(manifest, folder.read_json(EFFECTS), name), ledger)


def write_report(folder: RunFolder, *, all_texts: bool = False) -> Path:
    """The report page again, from what the folder holds."""
    page = report.of_run(folder, all_texts=all_texts)
    return folder.write_bytes(REPORT, page.encode("utf-8"))


def write_figure(folder: RunFolder, path: Path) -> Path:
    """All effects as one PNG or SVG figure."""
    report.figure(folder.read_json(EFFECTS), folder.manifest(), path)
    return path


def merge_runs(
    folders: Sequence[str | Path],
    listener: Listener | None = None,
    *,
    ledger: str | Path | None = ledgers.LEDGER,
) -> Run:
    """Join the slices of one run and conclude it; the first folder takes the others' logs."""
    target, *others = (RunFolder(Path(folder)) for folder in folders)
    for folder in (target, *others):
        seal.check_answers(folder)
    merge(target, others)
    return conclude(target, listener, None if ledger is None else Path(ledger))


# -- the steps' details ------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A run on disk."""

    folder: RunFolder

    @property
    def path(self) -> Path:
        return self.folder.path

    @cached_property
    def manifest(self) -> Record:
        return self.folder.manifest()

    @property
    def finished(self) -> bool:
        return bool(self.manifest["state"] == "finished")

    @cached_property
    def results(self) -> Record:
        """The whole of `effects.json`: effects, axes, probes, secondary."""
        return self.folder.read_json(EFFECTS)

    @property
    def effects(self) -> list[Record]:
        """One record per probe, language, cue kind, axis and group."""
        return list(self.results["effects"])

    @property
    def axes(self) -> list[Record]:
        """One record per axis: its verdict, its largest effect, its noise floor."""
        return list(self.results["axes"])

    @cached_property
    def responses(self) -> datasets.Dataset:
        """Every prompt with its answer and scores, one row each, in design order."""
        import datasets

        rows = tables.answers(self.folder.design(), self.folder.responses(), self.path / SCORES)
        return datasets.Dataset(columns.plain(rows))


def finished(folder: RunFolder, plan: Plan) -> Run | None:
    """The run in the folder if it is this one, done, and without failed prompts."""
    if not folder.exists:
        return None
    kept = folder.begin(plan.manifest, plan.design)  # refuses a folder of another run
    if bool(kept.get("looks")) != bool(plan.manifest["looks"]):
        raise InputError(
            f"{folder.path}: was begun {'with' if kept.get('looks') else 'without'} "
            "--until-decided, which fixes its error rates; give another --out, or --fresh"
        )
    if folder.manifest()["state"] != "finished" or not (folder.path / REPORT).exists():
        return None
    design = looks.asked(plan.design, kept)
    if folder.responses().lacking(design.table["id"]).any():
        return None
    return Run(folder)
