"""Commands for those who write probes: lint, preview, schema, import-probe."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.lint import Finding
    from harness.lint.sheet import Counter

Commands = argparse._SubParsersAction  # argparse has no public name for it


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    lint = commands.add_parser("lint", help="check the words of probes, suites and lexicon")
    lint.add_argument("files", nargs="*", metavar="FILE",
                      help="YAML files (default: what is shipped, and your folder)")  # fmt: skip
    lint.add_argument("--model", metavar="MODEL",
                      help="whose tokenizer counts tokens (default: the embedded model, if it is "
                      "in the cache)")  # fmt: skip
    lint.add_argument("--json", action="store_true", help="print JSON instead of text")
    lint.set_defaults(command=_lint)
    preview = commands.add_parser(
        "preview", help="counterfactual sets of a probe, the words that differ marked"
    )
    preview.add_argument("probe", metavar="PROBE", help="name of a probe, or its YAML file")
    preview.add_argument("--axis", metavar="AXIS",
                         help="only this axis; AXIS=GROUP,GROUP: only these groups")  # fmt: skip
    preview.add_argument("--lang", metavar="LANGUAGE", help="only this language: en or zh")
    preview.add_argument("--limit", type=int, default=1, metavar="N",
                         help="scenarios of every language (default: 1)")  # fmt: skip
    preview.add_argument("--cue", choices=("explicit", "implicit"),
                         help="kind of cue (default: the probe's own)")  # fmt: skip
    preview.set_defaults(command=_preview)
    schema = commands.add_parser("schema", help="JSON Schema of a YAML file, for your editor")
    schema.add_argument("name", metavar="NAME",
                        help="probe, probe:KIND, suite, prompt-set, axis or names")  # fmt: skip
    schema.set_defaults(command=_schema)
    bring = commands.add_parser("import-probe", help="make a probe from a data set")
    bring.add_argument("mapping", metavar="MAPPING",
                       help="YAML file: which column is which key of a scenario")  # fmt: skip
    bring.add_argument("--out", required=True, metavar="FILE",
                       help="the probe's file: its name and .yaml")  # fmt: skip
    bring.set_defaults(command=_import_probe)


def _lint(given: argparse.Namespace) -> int:
    import orjson

    from harness import lexicon
    from harness.documents import shipped
    from harness.lint import lint
    from harness.questions import library

    words = shipped("probes") / "lexicon"
    known = library()
    paths = [Path(file) for file in given.files] or [
        *known.probes.values(), *known.suites.values(), *sorted(words.glob("*.yaml")),
    ]  # fmt: skip
    count = _counter(given.model)
    found = lint(paths, lexicon.load(words), count=count)
    errors = sum(f.level == "error" for f in found)
    if given.json:
        record = {"files": [str(path) for path in paths], "errors": errors,
                  "warnings": len(found) - errors, "tokens_checked": count is not None,
                  "findings": [_finding(f) for f in found]}  # fmt: skip
        print(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())
    else:
        for f in found:
            print(f"{f.where}: {f.level}: {f.message} [{f.rule}]")
        print(f"{_count(len(paths), 'file')}: {_count(errors, 'error')}, "
              f"{_count(len(found) - errors, 'warning')}"
              + ("" if count else "; token budget not checked, the embedded model is not in the "
                 "cache (--model NAME, or bias-harness models pull)"))  # fmt: skip
    return 2 if errors else 0


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _preview(given: argparse.Namespace) -> int:
    from harness.cli.preview import preview
    from harness.errors import InputError

    if given.limit < 1:
        raise InputError(f"--limit {given.limit}: must be at least 1 scenario")
    print(preview(given.probe, axis=given.axis, language=given.lang, limit=given.limit,
                  cue=given.cue))  # fmt: skip
    return 0


def _schema(given: argparse.Namespace) -> int:
    import orjson

    from harness.schemas import schema

    print(orjson.dumps(schema(given.name), option=orjson.OPT_INDENT_2).decode())
    return 0


def _import_probe(given: argparse.Namespace) -> int:
    from harness.prompt_sets import import_probe

    count = import_probe(Path(given.mapping), Path(given.out))
    print(f"{given.out}: {count} scenarios; next: bias-harness lint {given.out}")
    return 0


def _finding(found: Finding) -> dict[str, str | int]:
    file, _, line = found.where.rpartition(":")
    return {"level": found.level, "rule": found.rule, "file": file, "line": int(line),
            "message": found.message}  # fmt: skip


def _counter(name: str | None) -> Counter | None:
    """Tokens of a text by a model's tokenizer; None where the default one is not at hand.

    Raises
    ------
    InputError
        The model that was named has no tokenizer here.
    """
    from harness.backends import weights
    from harness.backends.local import LocalBackend
    from harness.documents import shipped
    from harness.errors import InputError
    from harness.models import LocalModel, resolve
    from harness.nouns import Message
    from harness.preparing import DEFAULT_MODEL

    model = resolve(name or DEFAULT_MODEL, shipped("models"))
    if not isinstance(model, LocalModel) or weights.cached(model) is None:
        if name is None:
            return None
        raise InputError(f"--model {name}: its tokenizer is not here; fetch it with "
                         f"`bias-harness models pull {name}`")  # fmt: skip
    backend = LocalBackend(model)
    frame = len(backend.encode([Message("user", "")]))  # what a chat template adds
    return lambda text: len(backend.encode([Message("user", text)])) - frame
