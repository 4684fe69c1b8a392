"""Likelihood scoring against lm-evaluation-harness on identical tokens, interleaved.

    pip install 'bias-harness[bench]'
    python benchmarks/likelihood.py --bbq Age.jsonl          # a category of BBQ, from a file
    python benchmarks/likelihood.py --threads 2 --json

Four kinds of work: BBQ (three answers to each question), and the project's own decisions with
the cue early, late, and at the end of a long file. Both sides score the same token ids with the
same loaded weights in one process, A B A B, and the median ratio of CPU time is quoted. The other
side is given its tokens ready made; ours pays for its own tokenizing. A block is computed by one
thread, so that every kind of work has several.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from harness import preparing
from harness.backends.local import LocalBackend
from harness.models import LocalModel
from harness.nouns import Message, Option, Prompt, Request, Want

MODEL = "smollm2-135m-instruct-q4_1"
Blocks = Sequence[Sequence[Request]]


@dataclass(frozen=True)
class Result:
    """Medians over rounds; ratios are theirs over ours."""

    work: str
    requests: int
    tokens: int
    unique: int
    ceiling: float
    cpu_ratio: float
    wall_ratio: float
    ours_cpu: float
    theirs_cpu: float
    gemm_share: float
    largest_difference: float


def main() -> None:
    """Run every workload and print one line each."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--bbq", type=Path, help="a category of BBQ (jsonl)")
    options.add_argument("--questions", type=int, default=80, help="questions of it (default 80)")
    options.add_argument("--scenarios", type=int, default=4, help="of each position (default 4)")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    plan = preparing.prepare(MODEL, "quick")
    chat = plan.backend
    if not isinstance(chat, LocalBackend) or not isinstance(plan.model, LocalModel):
        sys.exit("the benchmark needs a local model")
    plain = LocalBackend(plan.model.model_copy(update={"prompt": "plain"}))
    work: list[tuple[str, LocalBackend, Blocks]] = []
    if given.bbq:
        work.append(("BBQ", plain, bbq(given.bbq, given.questions)))
    for position in ("early", "late"):
        blocks = [b for b in plan.design.blocks() if b[0].cue_position == position]
        asked = [plan.requests(block) for block in blocks[: given.scenarios]]
        work.append((f"decisions, cue {position}", chat, asked))
    files = [long_file(some, blocks) for some in asked[:2]]
    work.append(("decisions, cue late in a long file", chat, files))
    peak = gemm_peak(given.threads)
    results = [compare(name, backend, blocks, given.rounds, peak) for name, backend, blocks in work]
    if given.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
        return
    print(f"torch {torch.__version__}, {given.threads} threads, {given.rounds} rounds, "
          f"GEMM peak {peak / 1e9:.0f} GFLOP/s")  # fmt: skip
    for r in results:
        print(f"{r.work:<22} {r.requests:5} requests, {r.tokens} tokens ({r.unique} unique): "
              f"CPU {r.cpu_ratio:.2f}x (ceiling {r.ceiling:.2f}x), wall {r.wall_ratio:.2f}x, "
              f"{r.gemm_share:.0%} of GEMM peak, |dlogp| {r.largest_difference:.1e}")  # fmt: skip


def bbq(path: Path, questions: int) -> Blocks:
    """Every question with its three answers as continuations, forty in a block: about a pack."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    asked = [
        Request(
            prompt=str(i),
            messages=(Message("user", f"{row['context']}\n{row['question']}"),),
            want=Want.SEQUENCE,
            options=tuple(Option(a, (f" {row[a]}",)) for a in ("ans0", "ans1", "ans2")),
        )
        for i, row in enumerate(rows[:questions])
    ]
    return [asked[i : i + 40] for i in range(0, len(asked), 40)]


def long_file(requests: Sequence[Request], blocks: Sequence[Sequence[Prompt]]) -> list[Request]:
    """The same decisions, each at the end of a file of a dozen other cases that is the same in all.

    The project's own cases are short, so that most of a prompt comes after a late cue too.
    """
    others = "\n\n".join(block[0].messages[-1].content for block in blocks[1:13])
    return [
        replace(request, messages=(*request.messages[:-1], replace(
            request.messages[-1], content=f"{others}\n\n{request.messages[-1].content}")))
        for request in requests
    ]  # fmt: skip


def compare(name: str, backend: LocalBackend, blocks: Blocks, rounds: int, peak: float) -> Result:
    """Both sides in turn on the same requests."""
    list(backend.answer([blocks[0][:2]]))  # load and warm up
    pairs, keys = token_pairs(backend, blocks)
    lm = peer(backend)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(clock(lambda: list(backend.answer(blocks))))
        backend._network.set_attn_implementation("sdpa")
        theirs.append(clock(lambda: lm._loglikelihood_tokens(pairs, disable_tqdm=True)))
        backend._network.set_attn_implementation("bias_harness_tree")
    expected: dict[tuple[str, str], list[float]] = {}
    for key, (score, _) in zip(keys, theirs[-1][2], strict=True):
        expected.setdefault(key, []).append(score)
    found = {r.prompt: r.logprobs for r in ours[-1][2]}
    apart = max(
        abs(found[prompt][option] - float(torch.tensor(scores).double().logsumexp(0)))
        for (prompt, option), scores in expected.items()
    )
    sequences = list({(*context, *tail[:-1]) for _, context, tail in pairs})
    total, unique = sum(map(len, sequences)), shared(sequences)
    cpu = np.median([c for c, _, _ in ours])
    return Result(
        work=name, requests=len(pairs), tokens=total, unique=unique, ceiling=total / unique,
        cpu_ratio=np.median([b[0] / a[0] for a, b in zip(ours, theirs, strict=True)]),
        wall_ratio=np.median([b[1] / a[1] for a, b in zip(ours, theirs, strict=True)]),
        ours_cpu=cpu, theirs_cpu=np.median([c for c, _, _ in theirs]),
        gemm_share=unique * flops(backend) / cpu / peak,
        largest_difference=apart,
    )  # fmt: skip


def token_pairs(backend: LocalBackend, blocks: Blocks):  # type: ignore[no-untyped-def]
    """What lm-eval scores: context and continuation as token ids, and which answer each is.

    A decision is one continuation a spelling here: lm-eval reads all one-token continuations of
    a context from one pass.
    """
    pairs, keys = [], []
    for block in blocks:
        for request in block:
            context = list(backend.encode(request.messages))
            for option in request.options:
                tails = (
                    [list(backend.tokenizer.more(spelling)) for spelling in option.spellings]
                    if request.want is Want.SEQUENCE
                    else [
                        [t] for t in backend.tokenizer.options(request.options).firsts[option.name]
                    ]
                )
                for tail in tails:
                    pairs.append(((request.prompt, option.name), context, tail))
                    keys.append((request.prompt, option.name))
    return pairs, keys


def peer(backend: LocalBackend):  # type: ignore[no-untyped-def]
    """lm-eval's `hf` model around the very same weights and tokenizer."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=backend._network, tokenizer=backend.tokenizer.library, batch_size=16)


def clock(work: Callable[[], object]) -> tuple[float, float, object]:
    """CPU seconds of the process, wall seconds, result."""
    cpu, wall = time.process_time(), time.perf_counter()
    done = work()
    return time.process_time() - cpu, time.perf_counter() - wall, done


def shared(sequences: Sequence[tuple[int, ...]]) -> int:
    """Nodes of the trie of all sequences."""
    unique, before = 0, ()
    for sequence in sorted(sequences):
        common = 0
        while common < min(len(before), len(sequence)) and before[common] == sequence[common]:
            common += 1
        unique += len(sequence) - common
        before = sequence
    return unique


def flops(backend: LocalBackend) -> float:
    """Multiply-adds of one token through the layers, times two; the head is not counted."""
    network = backend._network
    inside = sum(p.numel() for p in network.parameters() if p.dim() == 2)
    return 2.0 * (inside - network.get_input_embeddings().weight.numel())


def gemm_peak(threads: int) -> float:
    """FLOP per CPU second of a float32 matrix product at the size of a pack, one thread."""
    torch.set_num_threads(1)
    a, b = torch.randn(1024, 576), torch.randn(576, 1536)
    best = 0.0
    for _ in range(30):
        start = time.process_time()
        for _ in range(5):
            a @ b
        best = max(best, 5 * 2 * 1024 * 576 * 1536 / (time.process_time() - start))
    torch.set_num_threads(threads)
    return best


if __name__ == "__main__":
    main()
