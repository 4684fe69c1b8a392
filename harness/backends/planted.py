"""A backend with a planted disparity, and one that answers from a record: the tool's own controls.

A planted truth is the only one that is known. The plant sits where a model would discriminate,
in the probabilities it answers with, so everything behind it is put to the test.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.backends import Backend, Workload
from harness.errors import InputError
from harness.nouns import Finish, Record, Request, Response, Want


@dataclass(frozen=True, slots=True)
class Plant:
    """One group's probability of the favourable answer, moved by `shift` in every prompt."""

    axis: str
    group: str
    shift: float

    @staticmethod
    def read(text: Mapping[str, str]) -> Plant:
        """From the words of `--plant axis=... group=... shift=...`."""
        if set(text) != {"axis", "group", "shift"} or not all(text.values()):
            raise InputError(
                "--plant: give axis=NAME group=NAME shift=NUMBER, got "
                + (" ".join(sorted(text)) or "nothing")
            )
        try:
            shift = float(text["shift"])
        except ValueError as error:
            raise InputError(f"--plant: shift '{text['shift']}' is not a number") from error
        if not math.isfinite(shift) or not 0 < abs(shift) < 1:
            raise InputError(f"--plant: shift {shift:g} must lie between -1 and 1 and not be 0")
        return Plant(text["axis"], text["group"], shift)


@dataclass
class PlantedBackend:
    """Another backend whose answers to some prompts are shifted by a known amount.

    `favourable` maps the prompts of the planted group to the option that is good for the
    person. P(favourable) / (sum over options) moves by `plant.shift`, the mass stays. A shift
    that would leave (0, 1) is refused, not clipped: a clipped plant is not the size it claims.
    """

    inner: Backend
    plant: Plant
    favourable: Mapping[str, str]

    @property
    def whole_blocks(self) -> bool:
        return self.inner.whole_blocks

    def identity(self) -> Record:
        plant = self.plant
        return {
            **self.inner.identity(),
            "plant": {"axis": plant.axis, "group": plant.group, "shift": plant.shift},
        }

    def offers(self, want: Want) -> bool:
        return self.inner.offers(want)

    def ready(self) -> None:
        self.inner.ready()

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        for response in self.inner.answer(blocks):
            good = self.favourable.get(response.prompt)
            yield response if good is None else self._shifted(response, good)

    def _shifted(self, response: Response, good: str) -> Response:
        if response.finish is Finish.ERROR:
            return response
        if response.logprobs is None or good not in response.logprobs:
            raise InputError("--plant: needs a model that gives probabilities for every option")
        chances = {name: math.exp(value) for name, value in response.logprobs.items()}
        mass = sum(chances.values())
        share = chances[good] / mass
        moved = share + self.plant.shift
        if not 0 < moved < 1:
            raise InputError(
                f"--plant: shift {self.plant.shift:+g} does not fit: a prompt of group "
                f"'{self.plant.group}' has {share:.3f}; plant a smaller one"
            )
        rest = (1 - moved) / (1 - share)
        return replace(
            response,
            logprobs={
                name: math.log(moved * mass if name == good else p * rest)
                for name, p in chances.items()
            },
        )

    def workload(self, blocks: Iterable[Sequence[Request]]) -> Workload | None:
        return self.inner.workload(blocks)

    def facts(self) -> Record:
        return {**self.inner.facts(), "planted": self.identity()["plant"]}

    def close(self) -> None:
        self.inner.close()


@dataclass
class RecordedBackend:
    """Answers every prompt with what was recorded for it."""

    responses: Mapping[str, Response]
    recorded_identity: Record
    whole_blocks: bool = False

    def identity(self) -> Record:
        return self.recorded_identity

    def offers(self, want: Want) -> bool:
        if want is Want.FORM:
            return False
        return want is not Want.TEXT or any(r.text is not None for r in self.responses.values())

    def ready(self) -> None: ...

    def answer(self, blocks: Iterable[Sequence[Request]]) -> Iterator[Response]:
        for block in blocks:
            for request in block:
                yield self.responses[request.prompt]

    def workload(self, blocks: Iterable[Sequence[Request]]) -> Workload | None:
        tokens = sum(self.responses[r.prompt].prompt_tokens for block in blocks for r in block)
        return Workload(tokens, 0, 0.0)

    def facts(self) -> Record:
        return {"device": "a record"}

    def close(self) -> None: ...
