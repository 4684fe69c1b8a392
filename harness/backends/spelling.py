"""How messages become running text, and by which tokens a model begins each option."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from jinja2 import TemplateError

from harness.nouns import Message, Option

Tokens = tuple[int, ...]
PLAIN_ENDS = {"en": "\nAnswer:", "zh": "\n回答："}
"""How an answer is begun for a model without a chat template, in the language of the question."""


def plain(messages: Sequence[Message]) -> str:
    """A conversation as running text that asks for its answer; Chinese ends in Chinese."""
    text = "\n\n".join(message.content for message in messages)
    wide = east_asian_width(text[-1]) in "WF" if text else False
    return text + PLAIN_ENDS["zh" if wide else "en"]


def deaf(tokenizer: Any) -> bool:
    """Whether a tokenizer's chat template leaves out what is said.

    One that fails or wants another conversation is not deaf: what it says comes with the prompts.
    """
    try:
        one, other = (
            tokenizer.apply_chat_template([{"role": "user", "content": said}], tokenize=False)
            for said in ("One.", "Other.")
        )
    except (TemplateError, TypeError, ValueError):
        return False
    return bool(one == other)


@dataclass(frozen=True, slots=True)
class Spelled:
    """The tokens of some options, by their names.

    `firsts`: the tokens by which each may begin. A spelling counts when it is one token. An option
    without such a spelling counts by the first tokens of its spellings, if no other option begins
    with them; it has none where that is not so either.

    `led`: of each a spelling that is the same tokens for all options but for its last one. Many
    tokenizers write a space and a digit as two tokens; a model that begins its answer with the
    space means the digit after it. Empty where there are none.
    """

    firsts: Mapping[str, Tokens]
    led: Mapping[str, Tokens]


def spell(options: Sequence[Option], tokens: Callable[[str], Tokens]) -> Spelled:
    """The options' tokens, `tokens` being those of a text that goes on from another."""
    spelled = {o.name: [ids for s in o.spellings if (ids := tokens(s))] for o in options}
    begun = {name: {ids[0] for ids in each} for name, each in spelled.items()}
    firsts = {}
    for name, each in spelled.items():
        others = set().union(*(ids for other, ids in begun.items() if other != name))
        single = {ids[0] for ids in each if len(ids) == 1}
        firsts[name] = tuple(sorted(single or begun[name] - others))
    leads = [{ids[:-1] for ids in each if len(ids) > 1} for each in spelled.values()]
    lead = min(set.intersection(*leads), default=None) if leads else None
    led = {
        name: next(ids for ids in each if ids[:-1] == lead) for name, each in spelled.items()
    } if lead else {}  # fmt: skip
    return Spelled(firsts, led)
