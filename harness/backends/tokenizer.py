"""A local model's tokenizer: messages to token ids, options to theirs, and tokens back to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from harness.backends.spelling import Spelled, Tokens, deaf, plain, spell
from harness.errors import InputError
from harness.models import LocalModel
from harness.nouns import Message, Option, Request
from harness.quiet import quiet_transformers


class Tokenizer:
    """Of one `LocalModel`; `folder` gives where its files lie, and is asked at the first word."""

    def __init__(self, model: LocalModel, folder: Callable[[], Path]) -> None:
        self.model = model
        self._folder = folder
        self._loaded: Any = None
        self._spelled: dict[tuple[Option, ...], Spelled] = {}
        self._more: dict[str, Tokens] = {}

    @property
    def library(self) -> Any:
        """The tokenizer of transformers.

        Raises
        ------
        InputError
            There is none, or its chat template is of no use.
        """
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def encode(self, messages: Sequence[Message]) -> Tokens:
        """The token ids of a conversation, as the model is given it."""
        return self._encoded([messages])[0]

    def prompts(self, block: Sequence[Request]) -> dict[tuple[Message, ...], Tokens]:
        """What `encode` gives for every conversation of a block, each worked out once."""
        asked = list(dict.fromkeys(request.messages for request in block))
        return dict(zip(asked, self._encoded(asked), strict=True))

    def _encoded(self, asked: Sequence[Sequence[Message]]) -> list[Tokens]:
        """What `encode` gives; a call of the tokenizer costs more than a prompt."""
        begun = False  # a chat template writes the beginning itself
        if self.model.system_prompt:
            asked = [(Message("system", self.model.system_prompt), *turns) for turns in asked]
        if self.model.prompt == "plain":
            texts, begun = [plain(turns) for turns in asked], True
        else:
            try:
                texts = self.library.apply_chat_template(
                    [[{"role": m.role, "content": m.content} for m in turns] for turns in asked],
                    add_generation_prompt=True,
                    tokenize=False,
                )
            except (TemplateError, TypeError, ValueError) as error:
                raise InputError(
                    f"model '{self.model.name}': its chat template refuses these messages: "
                    f"{first_line(error)}"
                    + ("; it may know no system prompt" if self.model.system_prompt else "")
                ) from error
        return [tuple(ids) for ids in self.library(texts, add_special_tokens=begun)["input_ids"]]

    def more(self, text: str) -> Tokens:
        """The token ids of a text that goes on from another."""
        if text not in self._more:
            self._more[text] = tuple(self.library(text, add_special_tokens=False)["input_ids"])
        return self._more[text]

    def options(self, options: tuple[Option, ...]) -> Spelled:
        """By which tokens the answer begins for each option."""
        if options not in self._spelled:
            found = spell(options, self.more)
            lacking = [name for name, firsts in found.firsts.items() if not firsts]
            if lacking and not found.led:
                raise InputError(
                    f"model '{self.model.name}': its tokenizer cannot tell option '{lacking[0]}' "
                    "from the others by one token; this kind cannot be measured on it"
                )
            self._spelled[options] = found
        return self._spelled[options]

    def text(self, tokens: Sequence[int], stop: Sequence[str] = ()) -> str:
        """The words of these tokens, up to the first stop string."""
        text: str = self.library.decode(tokens, skip_special_tokens=True)
        return text[: min([text.find(s) for s in stop if s in text], default=len(text))]

    def stops(self, stop: Sequence[str]) -> Callable[[Sequence[int]], bool]:
        """Whether a stop string is among the words so far.

        Only the tokens that can spell the longest one are put into words: each spells a byte or
        more, and the one before them may begin in the middle of a character.
        """
        if not stop:
            return lambda _: False
        last = 4 + max(len(text.encode()) for text in stop)
        return lambda tokens: any(s in self.text(tokens[-last:]) for s in stop)

    def _load(self) -> Any:
        from transformers import AutoTokenizer

        name, chat = self.model.name, self.model.prompt == "chat"
        with quiet_transformers():
            try:
                loaded = AutoTokenizer.from_pretrained(
                    self._folder(), trust_remote_code=self.model.trust_remote_code
                )
            except (OSError, ValueError, KeyError) as error:
                bare = not any(self._folder().glob("tokenizer*"))
                why = "no tokenizer.json is beside the weights" if bare else first_line(error)
                raise InputError(f"model '{name}': no usable tokenizer: {why}") from error
        if chat and not loaded.chat_template:
            raise InputError(
                f"model '{name}': its tokenizer has no chat template; write `prompt: plain` in its "
                "definition"
            )
        if chat and deaf(loaded):
            raise InputError(
                f"model '{name}': its chat template leaves out what is said, so all prompts would "
                "be one; mend it, or write `prompt: plain` in its definition"
            )
        return loaded


def first_line(error: BaseException) -> str:
    """What an error says first: its first line, and the next where that one only announces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
