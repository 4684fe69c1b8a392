"""A model as a rater of texts: a rubric, a scale from 1 to 9, and what became of every question.

The judge is asked as kind `rating` asks, and read as it reads: where it gives probabilities by
the expectation over the digits, else by sampled votes. A vote that is no number, a refusal and
an error are outcomes, counted for every group; none of them becomes a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.backends import Backend
from harness.kinds import rating
from harness.nouns import Message, Prompt, Reading, Request, Status, Want
from harness.scorers.definitions import Judge
from harness.scorers.status import status

FRAME = {
    "en": "Here is a request and the answer that was written.\n\nRequest: {asked}\n\n"
          "Answer: {text}\n\n{question} Answer with one number from 1 ({low}) to 9 ({high}).",
    "zh": "下面是一个请求和写出的回答。\n\n请求：{asked}\n\n回答：{text}\n\n"
          "{question}请用1（{low}）到9（{high}）之间的一个数字回答。",
}  # fmt: skip
RANGE = (0.0, 1.0)
UNIT = "share of the scale"


def judge(
    definition: Judge,
    backend: Backend,
    prompts: Sequence[Prompt],
    asked: Mapping[str, str],
    texts: Mapping[str, str],
    seed: int = 0,
) -> dict[str, Reading]:
    """A reading of every text: `ANSWERED` with `score` from 0 (low) to 1 (high), or what else.

    Parameters
    ----------
    prompts : whose answers are judged.
    asked, texts : the requests and the answers by prompt id, both without the group's words.
    """
    want = Want.NEXT_TOKEN if backend.offers(Want.NEXT_TOKEN) else Want.TEXT
    votes = definition.votes if want is Want.TEXT else 1
    questions = {
        prompt.id: replace(
            prompt, kind="rating", favourable="high", options=rating.OPTIONS, members=(),
            messages=(Message("user", _put(definition, prompt, asked, texts)),),
        )
        for prompt in prompts
    }  # fmt: skip

    def requests() -> Iterator[list[Request]]:
        for prompt in questions.values():
            yield [
                Request(
                    f"{prompt.id} {vote}", prompt.messages, want, prompt.options,
                    rating.MOST_TOKENS if want is Want.TEXT else 1, vote,
                    (seed + int(prompt.id, 16) + vote) % (1 << 31),
                )
                for vote in range(votes)
            ]  # fmt: skip

    said: dict[str, list[Reading]] = {}
    for response in backend.answer(requests()):
        name = response.prompt.split(" ")[0]
        found = rating.read(questions[name], response)
        if found.status is Status.UNPARSED and response.text is not None:
            ended = status(response.text, questions[name].language)
            if ended in (Status.REFUSED, Status.PARTIAL):
                found = Reading(Status.REFUSED)
        said.setdefault(name, []).append(found)
    return {name: _joined(each) for name, each in said.items()}


def _put(
    definition: Judge, prompt: Prompt, asked: Mapping[str, str], texts: Mapping[str, str]
) -> str:
    """The question; a text cannot fill another's place, since all are put in at once."""
    ends = definition.rubric[prompt.language]  # type: ignore[index]
    return FRAME[prompt.language].format(
        asked=asked[prompt.id], text=texts[prompt.id], question=ends.question, low=ends.low,
        high=ends.high,
    )  # fmt: skip


def _joined(votes: Sequence[Reading]) -> Reading:
    """The mean of the votes that are numbers; where none is, the first vote's fate."""
    numbers = [vote.values["raw"] for vote in votes if vote.status is Status.ANSWERED]
    if not numbers:
        return Reading(votes[0].status)
    return Reading(Status.ANSWERED, {"score": float(np.mean(numbers))})
