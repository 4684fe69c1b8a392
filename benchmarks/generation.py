"""Sampled generation against lm-evaluation-harness and transformers' `generate`, interleaved.

    pip install 'bias-harness[bench]'
    python benchmarks/generation.py --json

The prompts are decisions of the project's own; every side draws `--samples` texts of `--length`
tokens for each from the same loaded weights, by plain sampling (no top k, no penalty, end tokens
held back so that all do the same work). transformers is given its best batch of those in
`PEER_BATCHES`, found before the rounds at a quarter of the length, and the prompts in order of
their length. lm-eval draws one text a request, so it is asked each prompt once for every sample.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from harness import preparing
from harness.backends.local import LocalBackend
from harness.models import LocalModel
from harness.nouns import Record, Request, Want

PEER_BATCHES = (8, 16, 32)
"""Prompts at once; transformers repeats each for its samples."""


def main() -> None:
    """Measure all sides in turn and print medians of the ratios of CPU time."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default=preparing.DEFAULT_MODEL)
    options.add_argument("--prompts", type=int, default=64)
    options.add_argument("--samples", type=int, default=4)
    options.add_argument("--length", type=int, default=48, help="tokens of a text (default 48)")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--batch", type=int, help="the peers' prompts at once, not searched for")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    plan = preparing.prepare(given.model, "quick")
    backend = plan.backend
    if not isinstance(backend, LocalBackend) or not isinstance(plan.model, LocalModel):
        sys.exit("the benchmark needs a local model")
    few = plan.requests(plan.design.prompts[: given.prompts])
    every = [
        replace(r, prompt=f"{r.prompt}-{i}", want=Want.TEXT, max_tokens=given.length,
                seed=1000 * i + n)
        for n, r in enumerate(few)
        for i in range(given.samples)
    ]  # fmt: skip
    size = -(-len(every) // given.threads)  # a block is computed by one thread
    requests = [every[i : i + size] for i in range(0, len(every), size)]
    backend.ready()
    backend._network.generation_config.eos_token_id = None  # nobody ends early
    found = compare(backend, requests, few, given)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(
        f"{found['texts']} texts, {found['prompt_tokens']} prompt tokens ({found['unique']} "
        f"unique), torch {torch.__version__}, {given.threads} threads, {given.rounds} rounds"
    )
    for name, side in found["sides"].items():
        print(f"{name:<36} CPU {side['cpu']:6.1f} s, wall {side['wall']:6.1f} s, "
              f"ours is {side['cpu_ratio']:.2f}x (wall {side['wall_ratio']:.2f}x)")  # fmt: skip


def compare(
    backend: LocalBackend, requests: Sequence[Sequence[Request]], few: Sequence[Request],
    given: argparse.Namespace,
) -> Record:  # fmt: skip
    """Seconds of every side over the rounds."""
    prompts = [list(backend.encode(r.messages)) for r in few]
    sides = {"ours": lambda: list(backend.answer(requests))}
    best = given.batch or min(
        PEER_BATCHES,
        key=lambda b: clock(lambda: hf(backend, prompts, given.samples, given.length // 4, b))[0],
    )
    sides[f"transformers generate, batch {best}"] = lambda: hf(
        backend, prompts, given.samples, given.length, best
    )
    sides |= lm_eval(backend, few, given.samples, given.length, best * given.samples)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(given.rounds):
        for name, work in sides.items():
            times[name].append(clock(work))
            print(f"  {name}: {times[name][-1][0]:.1f} s CPU", file=sys.stderr, flush=True)
    total = sum(map(len, prompts))
    return {
        "texts": sum(map(len, requests)), "prompt_tokens": total, "unique": shared(prompts),
        "drawn": sum(map(len, requests)) * given.length, "path": backend._engine.path,
        "threads": given.threads, "rounds": given.rounds,
        "sides": {name: summary(times["ours"], spent) for name, spent in times.items()},
    }  # fmt: skip


def hf(
    backend: LocalBackend, prompts: Sequence[list[int]], samples: int, length: int, batch: int
) -> None:
    """transformers' own `generate`, prompts padded on the left."""
    network = backend._network
    network.set_attn_implementation("sdpa")
    ordered = sorted(prompts, key=len)
    for start in range(0, len(ordered), batch):
        part = ordered[start : start + batch]
        longest = len(part[-1])
        ids = torch.tensor([[0] * (longest - len(p)) + p for p in part])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in part])
        made = network.generate(
            ids, attention_mask=mask, do_sample=True, top_k=0, top_p=1.0, temperature=1.0,
            num_return_sequences=samples, max_new_tokens=length, min_new_tokens=length,
            pad_token_id=0,
        )  # fmt: skip
        if made.shape[1] != longest + length:
            sys.exit("transformers ended early: the sides did not do the same work")
    network.set_attn_implementation("bias_harness_tree")


def lm_eval(
    backend: LocalBackend, few: Sequence[Request], samples: int, length: int, batch: int
) -> dict[str, Callable[[], object]]:
    """lm-eval's `hf` model around the very same weights; nothing where it is not installed."""
    try:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM
    except ImportError:
        print("lm-eval is not installed: pip install 'bias-harness[bench]'", file=sys.stderr)
        return {}
    words = backend.tokenizer.library
    lm = HFLM(pretrained=backend._network, tokenizer=words, batch_size=batch)
    how = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0,
           "max_gen_toks": length, "min_new_tokens": length, "until": ["\0"]}  # fmt: skip
    texts = [words.decode(backend.encode(r.messages)) for r in few for _ in range(samples)]
    asked = [
        Instance("generate_until", {}, (text, {**how}), i) for i, text in enumerate(texts)
    ]  # fmt: skip

    def work() -> None:
        backend._network.set_attn_implementation("sdpa")
        lm.generate_until(asked, disable_tqdm=True)
        backend._network.set_attn_implementation("bias_harness_tree")

    return {f"lm-eval generate_until, batch {batch}": work}


def summary(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]]) -> Record:
    """Medians over the rounds; ratios are theirs over ours."""
    return {
        "cpu": np.median([c for c, _ in theirs]),
        "wall": np.median([w for _, w in theirs]),
        "cpu_ratio": np.median([b[0] / a[0] for a, b in zip(ours, theirs, strict=True)]),
        "wall_ratio": np.median([b[1] / a[1] for a, b in zip(ours, theirs, strict=True)]),
    }


def clock(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of the process, wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def shared(sequences: Sequence[Sequence[int]]) -> int:
    """Nodes of the trie of all sequences."""
    return len({tuple(s[: i + 1]) for s in sequences for i in range(len(s))})


if __name__ == "__main__":
    main()
