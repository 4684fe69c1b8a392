"""What a run costs beside the model: expanding, writing, reading, scoring, effects, report.

    python benchmarks/pipeline.py                     # 100,000 prompts, 1,000,000 answers
    python benchmarks/pipeline.py --answers 100000 --json
    python benchmarks/pipeline.py --run               # the same answers as one `bias-harness run`

The design is the suite `quick` with its scenarios repeated under new ids, each with a number in
its words, so that no two prompts read alike; each is answered ten times by a fair coin. Every
step is one the program takes, through the functions it takes it by. Seconds are the process's CPU
time and the clock's; memory is the largest it has had so far. `--run` reads the scenarios from a
probe's YAML and takes the way of the command line, with the coin as the backend: start to finish,
a finished folder opened again, and a run that is cut off in the middle and goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from harness import lexicon, pipeline, preparing, probes, provenance
from harness.crossing import Crossing, choose_groups
from harness.design import Design
from harness.documents import shipped
from harness.expansion import expand
from harness.models import resolve
from harness.nouns import Finish, Record, Request, Response, Want
from harness.probes import Probe
from harness.questions import OWN
from harness.store import Log, RunFolder

SAMPLES = 10


def main() -> None:
    """Take every step once and print a line each."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--prompts", type=int, default=100_000, help="expanded (default 100,000)")
    options.add_argument("--answers", type=int, default=1_000_000, help="default 1,000,000")
    options.add_argument("--samples", type=int, default=SAMPLES, help="answers a prompt (10)")
    options.add_argument("--run", action="store_true", help="all of it as one run")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rows: list[Record] = []

    def step(name: str, work: Callable[[], Any]) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        done = work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        r = {"step": name, "cpu": cpu, "wall": wall, "peak_mb": peak}
        rows.append(r)
        if not given.json:
            print(f"{name:<44} CPU {r['cpu']:6.1f} s, wall {r['wall']:6.1f} s, "
                  f"peak {r['peak_mb']:6.0f} MB", flush=True)  # fmt: skip
        return done

    with tempfile.TemporaryDirectory() as place:
        take = whole if given.run else parts
        folder = take(step, Path(place), given)
        sizes = {p.name: p.stat().st_size for p in sorted(folder.path.iterdir())}
    if given.json:
        print(json.dumps({"steps": rows, "bytes": sizes}, indent=2))
    else:
        print(", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items()))


def parts(step: Callable[..., Any], place: Path, given: argparse.Namespace) -> RunFolder:
    """Step by step; what a step does not need is let go of before it."""
    step(f"expand {given.prompts:,} prompts", lambda: designed(given.prompts, 1))
    folder = RunFolder(place / "run")
    ask(step, folder, given.answers, given.samples)
    reported = pipeline.write_report
    pipeline.write_report = lambda folder: Path()  # timed by itself
    step("read, score, compact, effects", lambda: pipeline.conclude(folder))
    pipeline.write_report = reported
    step("report", lambda: pipeline.write_report(folder))
    return folder


def ask(step: Callable[..., Any], folder: RunFolder, answers: int, samples: int) -> None:
    """Everything up to the last answer; the design is let go of, as it is read again."""
    design = step(f"expand for {answers:,} answers", lambda: designed(answers // samples, samples))
    step("begin the run folder", lambda: folder.begin(manifest(design), design))
    step("write the answers", lambda: write(folder, design))


def whole(step: Callable[..., Any], place: Path, given: argparse.Namespace) -> RunFolder:
    """One run from its documents to its report, opened again, and another one in two halves."""
    (place / "suites").mkdir()
    probe = many(given.answers // given.samples).model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    suite = probes.library(shipped("probes")).suite("quick")
    suite = suite.model_copy(update={"probes": ["many"]}).model_dump(mode="json")
    for path, document in ("many.yaml", probe), ("suites/many.yaml", suite):
        (place / path).write_text(json.dumps({**document, "name": "many"}))  # JSON is YAML
    os.environ[OWN] = str(place)
    model = resolve(preparing.DEFAULT_MODEL, shipped("models"))
    decoding = model.decoding.model_copy(update={"samples": given.samples})
    model = model.model_copy(update={"decoding": decoding})

    def run(name: str, most: int | None = None) -> RunFolder:
        with suppress(KeyboardInterrupt):
            pipeline.run(model, "many", out=place / name, backend=Coin(most), ledger=None)
        return RunFolder(place / name)

    folder = step(f"a run of {given.answers:,} answers", lambda: run("whole"))
    step("the finished run opened again", lambda: run("whole"))
    step("half of a run, then cut off", lambda: run("cut", given.answers // 2))
    step("the other half", lambda: run("cut"))
    return folder


@dataclass
class Coin:
    """A backend that throws a fair coin, and may be interrupted."""

    most: int | None = None
    whole_blocks: bool = False

    def identity(self) -> Record:
        return {"coin": "fair"}

    def offers(self, want: Want) -> bool:
        return want is Want.TEXT

    def ready(self) -> None: ...

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        said = 0
        for block in blocks:
            for request in block:
                if said == self.most:
                    raise KeyboardInterrupt
                said += 1
                yield thrown(request.prompt)

    def workload(self, blocks: Iterable[Sequence[Request]]) -> None:
        return None

    def facts(self) -> Record:
        return {"device": "none"}

    def close(self) -> None: ...


coin = random.Random(0)


def thrown(prompt: str) -> Response:
    said = "Yes." if coin.random() < 0.5 else "No."
    return Response(prompt, Finish.STOP, text=said, prompt_tokens=60, completion_tokens=3)


def many(prompts: int) -> Probe:
    """The probe of `quick` with scenarios for at least this many prompts."""
    probe, words, groups = quick()
    known = probe.scenarios["en"]
    each = len(expand([probe], words, groups)) / len(known)
    scenarios = [
        scenario.model_copy(update={"id": f"{scenario.id}-{i}", "case": f"{i}. {scenario.case}"})
        for i, scenario in enumerate(islice(cycle(known), int(prompts / each) + 1))
    ]
    return probe.model_copy(update={"scenarios": {"en": scenarios}})


def quick() -> tuple[Probe, lexicon.Lexicon, Mapping[str, Crossing]]:
    library = probes.library(shipped("probes"))
    words = lexicon.load(shipped("probes") / "lexicon")
    suite = library.suite("quick")
    groups = {"en": choose_groups(suite, words, None)["en"]}
    return library.probe(suite.probes[0], where="benchmark"), words, groups


def designed(prompts: int, samples: int) -> Design:
    """At least this many distinct prompts, each asked `samples` times."""
    _, words, groups = quick()
    probe = many(prompts)
    return expand([probe], words, groups, samples={probe.kind: samples})


def manifest(design: Design) -> Record:
    """A manifest with what the later steps read."""
    plan = preparing.prepare(preparing.DEFAULT_MODEL, "quick", fresh=True)
    blocks = len(design.column("block").values)
    counted = {"hash": design.hash, "prompts": len(design), "blocks": blocks}
    return {**plan.manifest, "design": counted, "command": "benchmark", **provenance.here()}


def write(folder: RunFolder, design: Design) -> None:
    """One line an answer, as a run does it."""
    with Log(folder) as log:
        for prompt in design.table["id"].to_pylist():
            log.append(thrown(prompt))


if __name__ == "__main__":
    main()
