"""A model as a rater of texts, by a rubric: one text at a time, or the texts of a set in pairs.

One at a time it gives a mark from 1 to 9. In pairs it says which of two texts has more of what
the rubric asks, each pair in both orders, so that a liking for the first place cancels. Where the
judge gives probabilities they are read, else votes are sampled, held to a form where the server
can do that. A vote that is no answer, a refusal and an error are outcomes, counted for every
group; none of them becomes a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import TracebackType

import numpy as np

from harness.backends import Backend, chat, open_backend
from harness.documents import shipped
from harness.kinds import rating
from harness.kinds.parts import letters
from harness.kinds.parts.reading import STATUSES, answer, asking
from harness.models import fingerprint, resolve
from harness.nouns import Message, Option, Record, Request, Response, Status, Want
from harness.scorers.definitions import Judge
from harness.scorers.status import status

FRAME = {
    "en": "Here is a request and the answer that was written.\n\nRequest: {asked}\n\n"
          "Answer: {text}\n\n{question} Answer with one number from 1 ({low}) to 9 ({high}).",
    "zh": "下面是一个请求和写出的回答。\n\n请求：{asked}\n\n回答：{text}\n\n"
          "{question}请用1（{low}）到9（{high}）之间的一个数字回答。",
}  # fmt: skip
PAIR = {
    "en": "Here is a request and two answers that were written.\n\nRequest: {asked}\n\n"
          "Answer A: {text}\n\nAnswer B: {other}\n\n{question} {instruction}",
    "zh": "下面是一个请求和写出的两个回答。\n\n请求：{asked}\n\n回答A：{text}\n\n"
          "回答B：{other}\n\n{question}{instruction}",
}  # fmt: skip
RANGE = (0.0, 1.0)
UNIT = {"score": "share of the scale", "pairwise": "share of comparisons won"}
PLAIN_TOKENS, FORM_TOKENS = rating.MOST_TOKENS, 24
Vote = Mapping[str, float] | Status
"""The share of every option, or what became of the question instead."""
ALONE = "alone"
"""What became of a text that has nothing to be compared with."""


@dataclass(frozen=True, slots=True)
class Item:
    """A text to be judged: its name, a hexadecimal number, and the request it answers."""

    name: str
    language: str
    asked: str
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """By name the number of every text that has one, from 0 to 1, and what became of each.

    `first` is the mean share of the first place over all comparisons: .5 where the order does
    not matter. None where nothing was compared.
    """

    numbers: Mapping[str, float]
    ended: Mapping[str, str]
    first: float | None = None


class Rater:
    """The judge of one definition; `backend` answers instead of the model that it names.

    Use it as a context: the model is loaded, or the server met, on entering.
    """

    def __init__(self, definition: Judge, backend: Backend | None = None) -> None:
        self.definition = definition
        self._model = resolve(definition.model, shipped("models"))
        self._backend = backend or open_backend(self._model)

    def __enter__(self) -> Rater:
        self._backend.ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._backend.close()

    @property
    def identity(self) -> Record:
        """The model that judges, and the hash of all that decides what it says."""
        mark = fingerprint(self._model, self._backend.identity())
        return {"model": self._model.name, "fingerprint": mark}

    def judge(self, sets: Iterable[Sequence[Item]]) -> Judged:
        """Every text of every set; by itself, or in pairs with the others of its set."""
        sets = [list(members) for members in sets]
        if self.definition.mode == "score":
            return self._scored([item for members in sets for item in members])
        return self._paired(sets)

    def _scored(self, items: Sequence[Item]) -> Judged:
        votes = self._votes(
            [_Question(item.name, item.language, self._one(item), rating.OPTIONS) for item in items]
        )
        numbers = {
            name: (sum(int(digit) * share for digit, share in vote.items()) - 1) / 8
            for name, vote in votes.items() if not isinstance(vote, Status)
        }  # fmt: skip
        return Judged(numbers, {name: _ended(vote) for name, vote in votes.items()})

    def _paired(self, sets: Sequence[Sequence[Item]]) -> Judged:
        pairs = [pair for members in sets for a, b in combinations(members, 2)
                 for pair in ((a, b), (b, a))]  # fmt: skip
        votes = self._votes(
            [_Question(f"{a.name}/{b.name}", a.language, self._two(a, b), letters.options(2))
             for a, b in pairs]
        )  # fmt: skip
        won: dict[str, list[float]] = {}
        ended = {item.name: ALONE for members in sets for item in members}
        lost: dict[str, str] = {}
        first = []
        for a, b in pairs:
            vote = votes[f"{a.name}/{b.name}"]
            ended[a.name] = ended[b.name] = str(Status.ANSWERED)
            if isinstance(vote, Status):
                lost |= {a.name: str(vote), b.name: str(vote)}
                continue
            won.setdefault(a.name, []).append(vote["A"])
            won.setdefault(b.name, []).append(vote["B"])
            first.append(vote["A"])
        # against fewer texts than the others of its set a share of wins says something else
        numbers = {name: float(np.mean(each)) for name, each in won.items() if name not in lost}
        return Judged(numbers, ended | lost, float(np.mean(first)) if first else None)

    def _one(self, item: Item) -> str:
        """The question; a text cannot fill another's place, since all are put in at once."""
        ends = self.definition.rubric[item.language]  # type: ignore[index]
        return FRAME[item.language].format(
            asked=item.asked, text=item.text, question=ends.question, low=ends.low, high=ends.high
        )

    def _two(self, a: Item, b: Item) -> str:
        return PAIR[a.language].format(
            asked=a.asked, text=a.text, other=b.text,
            question=self.definition.rubric[a.language].question,  # type: ignore[index]
            instruction=letters.instruction(2, a.language),
        )  # fmt: skip

    def _votes(self, questions: Sequence[_Question]) -> dict[str, Vote]:
        """The mean share of every option over the votes that are answers, or what became of it."""
        want = next(want for want in (Want.NEXT_TOKEN, Want.FORM, Want.TEXT)
                    if want is Want.TEXT or self._backend.offers(want))  # fmt: skip
        count = 1 if want is Want.NEXT_TOKEN else self.definition.votes
        known = {question.name: question for question in questions}

        def requests() -> Iterator[list[Request]]:
            for question in known.values():
                yield [question.request(want, vote, self._model.decoding.seed)
                       for vote in range(count)]  # fmt: skip

        responses = list(self._backend.answer(requests()))
        names = [response.prompt.split(" ")[0] for response in responses]
        votes = _read([known[name] for name in names], responses)
        said: dict[str, list[Vote]] = {}
        for name, vote in zip(names, votes, strict=True):
            said.setdefault(name, []).append(vote)
        return {name: _joined(said[name]) for name in known}


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    language: str
    text: str
    options: tuple[Option, ...]

    def request(self, want: Want, vote: int, seed: int) -> Request:
        drawn = {Want.NEXT_TOKEN: 1, Want.FORM: FORM_TOKENS, Want.TEXT: PLAIN_TOKENS}
        number = sum(int(part, 16) for part in self.name.split("/"))
        return Request(
            f"{self.name} {vote}", (Message("user", self.text),), want, self.options,
            drawn[want], vote, (seed + number + vote) % (1 << 31),
        )  # fmt: skip


def _read(questions: Sequence[_Question], responses: Sequence[Response]) -> list[Vote]:
    """Of every vote its shares of the options, or what it is instead."""
    options, languages = [q.options for q in questions], [q.language for q in questions]
    said = rating.number if rating.OPTIONS in options else letters.letter
    found = answer(asking(options, languages, list(map(_unwrapped, responses))), said)
    votes: list[Vote] = []
    for code, of, language, response in zip(
        found.status, found.of.tolist(), languages, responses, strict=True
    ):
        vote: Vote = STATUSES[code]
        if vote is Status.ANSWERED:
            vote = dict(zip(found.names, of, strict=True))
        elif vote is Status.UNPARSED and response.text:
            ended = status(response.text, language)
            vote = Status.REFUSED if ended in (Status.REFUSED, Status.PARTIAL) else vote
        votes.append(vote)
    return votes


def _unwrapped(response: Response) -> Response:
    """The answer that a form holds; another text is left as it is."""
    said = chat.held(response.text)
    return response if said is None else replace(response, text=said)


def _joined(votes: Sequence[Vote]) -> Vote:
    """The mean of the votes that are answers; where none is, the first vote's fate."""
    shares = [vote for vote in votes if not isinstance(vote, Status)]
    if not shares:
        return votes[0]
    return {name: float(np.mean([of[name] for of in shares])) for name in shares[0]}


def _ended(vote: Vote) -> str:
    return str(vote if isinstance(vote, Status) else Status.ANSWERED)
