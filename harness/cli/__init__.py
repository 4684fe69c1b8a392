"""The command line: arguments in, text out, exit code. Nothing heavy is imported here.

Exit codes: 0 done or pass, 1 a control or the gate failed, 2 usage or input, 3 the gate is
inconclusive or a budget is used up, 4 model or server failed, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Sequence

from harness import __version__
from harness.cli import dashboard, probing, remote, texts, versions

DONE, USAGE, INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what it returns is the process's exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal without our signs gets question marks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    given = parser().parse_args(arguments)
    from harness.errors import HarnessError
    from harness.nouns import visible

    try:
        _check_utf8(sys.argv[1:] if arguments is None else arguments)
        code = int(given.command(given))
        if sys.stdout is not None:  # it is where the process was started without one
            sys.stdout.flush()
        return code
    except HarnessError as error:
        print(f"bias-harness: {visible(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "\nbias-harness: interrupted; every finished answer is kept. "
            "Give the same command again to go on.",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _close_stdout()
        return DONE
    except OSError as error:  # a path that cannot be, a folder that may not, a full device
        _close_stdout()
        print(f"bias-harness: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        return USAGE


def _check_utf8(arguments: Sequence[str]) -> None:
    """Refuse what no file of ours could hold, before anything is asked."""
    from harness.errors import InputError

    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            said = argument.encode("ascii", "backslashreplace").decode()
            raise InputError(f"argument '{said}': not UTF-8; give a name that is") from None


def _close_stdout() -> None:
    """What could not be written is not tried again at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    top = argparse.ArgumentParser(
        prog="bias-harness",
        description="Does a language model treat counterfactual persons differently? "
        "Eight protected axes, honest statistics.",
    )
    top.add_argument("--version", action="version", version=f"bias-harness {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _run(commands)
    _list(commands)
    _folders(commands)
    _checks(commands)
    versions.register(commands)
    remote.commands(commands)
    probing.register(commands)
    dashboard.register(commands)
    texts.register(commands)
    models = commands.add_parser("models", help="fetch a model before it is needed")
    pull = models.add_subparsers(metavar="ACTION", required=True).add_parser(
        "pull", help="fetch a model's weights into the cache"
    )
    pull.add_argument("model", metavar="NAME", help="name, YAML file or Hub id of a model")
    pull.set_defaults(command=_lazily("models_pull"))
    return top


Commands = argparse._SubParsersAction  # argparse has no public name for it


def _run(commands: Commands[argparse.ArgumentParser]) -> None:
    run = commands.add_parser("run", help="ask a model a suite of probes and report disparities")
    run.add_argument("--model", metavar="MODEL",
                     help="shipped name, YAML file, folder with weights, or Hub id "
                     "(default: smollm2-135m-instruct-q4_1)")  # fmt: skip
    run.add_argument("--device", metavar="DEVICE",
                     help="cpu, cuda, cuda:1 (default: as the model's definition says, "
                     "else a GPU where there is one)")  # fmt: skip
    run.add_argument("--dtype", choices=("float32", "bfloat16", "float16"),
                     help="precision of a local model (default: its definition's)")  # fmt: skip
    run.add_argument("--suite", default="quick", help="suite of probes (default: quick)")
    run.add_argument("--axes", nargs="+", metavar="AXIS",
                     help="only these axes; AXIS=GROUP,GROUP keeps only these groups")  # fmt: skip
    run.add_argument("--limit", type=_count, metavar="N",
                     help="only the first N scenarios of every probe")  # fmt: skip
    run.add_argument("--out", metavar="DIR", help="run folder (default: results/runs/...)")
    run.add_argument("--policy", metavar="FILE",
                     help="margins and rules of the run (default: the shipped policy)")  # fmt: skip
    run.add_argument("--shard", type=_shard, metavar="I/N",
                     help="only the I-th of N slices; join them with `merge`")  # fmt: skip
    run.add_argument("--fresh", action="store_true", help="start anew, forget an earlier run")
    run.add_argument("--yes", action="store_true", help="ask even more than 200,000 prompts")
    run.add_argument("--dry-run", action="store_true",
                     help="count prompts and tokens, write nothing; a server is asked once "
                     "what it offers")  # fmt: skip
    run.add_argument("--json", action="store_true", help="print JSON instead of text")
    remote.options(run)
    run.set_defaults(command=_lazily("run"))


def _list(commands: Commands[argparse.ArgumentParser]) -> None:
    listing = commands.add_parser("list", help="what there is: models, suites, probes, axes")
    listing.add_argument("what", nargs="?", default="suites",
                         choices=("suites", "models", "probes", "axes"),
                         help="default: suites")  # fmt: skip
    listing.add_argument("--json", action="store_true", help="print JSON instead of text")
    listing.set_defaults(command=_listed)


def _folders(commands: Commands[argparse.ArgumentParser]) -> None:
    show = commands.add_parser("show", help="print the result table of a run again")
    show.add_argument("run", metavar="RUN", help="run folder")
    show.add_argument("--json", action="store_true", help="print effects.json instead")
    show.set_defaults(command=_lazily("show"))
    report = commands.add_parser("report", help="write the HTML report of a run again")
    report.add_argument("run", metavar="RUN", help="run folder")
    report.add_argument("--all-texts", action="store_true",
                        help="embed every prompt, not only those that matter")  # fmt: skip
    report.add_argument("--figure", metavar="FILE",
                        help="also draw the effects as a PNG or SVG figure")  # fmt: skip
    report.set_defaults(command=_lazily("report"))
    merge = commands.add_parser("merge", help="join the slices of a run")
    merge.add_argument("runs", nargs="+", metavar="RUN",
                       help="run folders; the first one takes the others' answers")  # fmt: skip
    merge.add_argument("--json", action="store_true", help="print effects.json instead")
    merge.set_defaults(command=_lazily("merge"))


def _checks(commands: Commands[argparse.ArgumentParser]) -> None:
    plan = commands.add_parser("plan", help="what a suite can detect; how many scenarios it needs")
    plan.add_argument("--suite", default="quick", help="suite of probes (default: quick)")
    plan.add_argument("--margin", type=float, metavar="M",
                      help="smallest difference that matters (default: the policy's)")  # fmt: skip
    plan.add_argument("--from", dest="run", metavar="RUN",
                      help="take the spread over scenarios from a finished run")  # fmt: skip
    plan.add_argument("--json", action="store_true", help="print JSON instead of text")
    plan.set_defaults(command=_lazily("plan"))
    selftest = commands.add_parser(
        "selftest", help="plant a disparity of known size and see that it is found"
    )
    selftest.add_argument("--model", metavar="MODEL", help="as for `run`")
    selftest.add_argument("--limit", type=_count, default=12, metavar="N",
                          help="scenarios asked (default: 12)")  # fmt: skip
    selftest.add_argument("--plant", nargs="+", metavar="KEY=VALUE",
                          help="what to plant (default: axis=age group=52 shift=0.05)")  # fmt: skip
    selftest.add_argument("--json", action="store_true", help="print JSON instead of text")
    selftest.set_defaults(command=_lazily("selftest"))


def _listed(given: argparse.Namespace) -> int:
    from harness.cli import listing, screen

    rows = getattr(listing, given.what)()
    text = screen.suites(rows) if given.what == "suites" else screen.columns(rows)
    screen.put(rows, text, as_json=given.json)
    return DONE


class _lazily:
    """A command of harness.cli.commands, imported when it is called."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, given: argparse.Namespace) -> int:
        from harness.cli import commands

        return int(getattr(commands, self.name)(given))


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N with I from 1 to N")
    return int(found[1]), int(found[2])
