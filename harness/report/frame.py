"""What every page has: its policy, its style, its script, the language switch.

The policy forbids everything but the page's own style and its own script, both named by their
hashes: whatever a model wrote, nothing else can run or load.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2

from harness.nouns import visible
from harness.report.phrases import Words

REPORT = "harness.report"


@dataclass(frozen=True, slots=True)
class Frame:
    """Style and script of a page and its content security policy."""

    style: str
    script: str

    @property
    def policy(self) -> str:
        return content_policy(self.style, [self.script])


def frame(scripts: Sequence[str]) -> Frame:
    """The frame of a page with these script texts, in one scope of their own."""
    script = "\n".join(["(() => {", '"use strict";', *scripts, "})();\n"])
    return Frame(asset("report.css"), script)


def content_policy(style: str, scripts: Sequence[str]) -> str:
    """A content security policy under which only this style and these scripts work."""
    run = " ".join(f"'{_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {run}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def asset(name: str, room: str = REPORT) -> str:
    """The text of a file that ships with a room."""
    return files(room).joinpath(name).read_text(encoding="utf-8")


def environment(words: Words, room: str = REPORT) -> jinja2.Environment:
    """Jinja with autoescape on; templates of `room` first, then those of the report."""
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(r) for r in dict.fromkeys((room, REPORT))]
        ),
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["t"] = words
    made.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
    return made


def _visible(value: object) -> object:
    """Text from data without the marks that nobody sees; markup of ours as it is."""
    return visible(value) if type(value) is str else value


def _hash(text: str) -> str:
    """How a content security policy names an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
