"""What a run costs beside the model: expanding, writing, reading, scoring, effects, report.

    python benchmarks/pipeline.py                     # 100,000 prompts, 1,000,000 answers
    python benchmarks/pipeline.py --answers 100000 --json

The design is the suite `quick` with its scenarios repeated under new ids; each prompt is
answered ten times by a fair coin. Every step is one the program takes, through the functions it
takes it by. Seconds are the process's CPU time and the clock's; memory is the largest it has had
so far.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import lexicon, pipeline, preparing, probes, provenance
from harness.crossing import choose_groups
from harness.design import Design
from harness.documents import shipped
from harness.expansion import expand
from harness.nouns import Finish, Record, Response
from harness.store import Log, RunFolder

SAMPLES = 10


def main() -> None:
    """Take every step once and print a line each."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--prompts", type=int, default=100_000, help="expanded (default 100,000)")
    options.add_argument("--answers", type=int, default=1_000_000, help="default 1,000,000")
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

    step(f"expand {given.prompts:,} prompts", lambda: designed(given.prompts, 1))
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / "run")
        ask(step, folder, given.answers)
        reported = pipeline.write_report
        pipeline.write_report = lambda folder: Path()  # timed by itself
        step("read, score, compact, effects", lambda: pipeline.conclude(folder))
        pipeline.write_report = reported
        page = step("report", lambda: pipeline.write_report(folder))
        sizes = {p.name: p.stat().st_size for p in sorted(page.parent.iterdir())}
    if given.json:
        print(json.dumps({"steps": rows, "bytes": sizes}, indent=2))
    else:
        print(", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items()))


def ask(step: Callable[..., Any], folder: RunFolder, answers: int) -> None:
    """Everything up to the last answer; the design is let go of, as it is read again."""
    design = step(f"expand for {answers:,} answers", lambda: designed(answers // SAMPLES, SAMPLES))
    step("begin the run folder", lambda: folder.begin(manifest(design), design))
    step("write the answers", lambda: write(folder, design))


def designed(prompts: int, samples: int) -> Design:
    """At least this many distinct prompts, each asked `samples` times."""
    library = probes.library(shipped("probes"))
    words = lexicon.load(shipped("probes") / "lexicon")
    suite = library.suite("quick")
    groups = {"en": choose_groups(suite, words, None)["en"]}
    probe = library.probe(suite.probes[0], where="benchmark")
    known = probe.scenarios["en"]
    each = len(expand([probe], words, groups)) / len(known)
    scenarios = [
        known[i % len(known)].model_copy(update={"id": f"{known[i % len(known)].id}-{i}"})
        for i in range(int(prompts / each) + 1)
    ]
    big = probe.model_copy(update={"scenarios": {"en": scenarios}})
    return expand([big], words, groups, samples={probe.kind: samples})


def manifest(design: Design) -> Record:
    """A manifest with what the later steps read."""
    plan = preparing.prepare(preparing.DEFAULT_MODEL, "quick", fresh=True)
    blocks = len(set(design.table["block"].to_pylist()))
    counted = {"hash": design.hash, "prompts": len(design), "blocks": blocks}
    return {**plan.manifest, "design": counted, "command": "benchmark", **provenance.here()}


def write(folder: RunFolder, design: Design) -> None:
    """One line an answer, as a run does it."""
    coin = random.Random(0)
    with Log(folder) as log:
        for prompt in design.table["id"].to_pylist():
            said = "Yes." if coin.random() < 0.5 else "No."
            log.append(Response(prompt, Finish.STOP, text=said, prompt_tokens=60,
                                completion_tokens=3))  # fmt: skip


if __name__ == "__main__":
    main()
