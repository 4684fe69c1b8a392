"""Options and commands for models behind a server: what a run may send and spend, the cache."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from harness.errors import InputError

if TYPE_CHECKING:
    from harness.backends import Backend
    from harness.models import Model

Commands = Any  # argparse has no public name for it


def options(run: argparse.ArgumentParser) -> None:
    """What `run` takes for a model behind a server."""
    run.add_argument("--max-requests", type=_whole, metavar="N",
                     help="send a server at most N requests now, retries included")  # fmt: skip
    run.add_argument("--max-cost", type=_amount, metavar="X",
                     help="spend at most X now, by the prices in the model's file")  # fmt: skip
    run.add_argument("--cache", action="store_true",
                     help="keep a server's answers, and take those of earlier runs of the very "
                     "same model (default: off)")  # fmt: skip
    run.add_argument("--until-decided", action="store_true",
                     help="stop asking about an axis at the first of three looks at which it is "
                     "decided; where answers are sampled")  # fmt: skip


def commands(top: Commands) -> None:
    """The command `cache`."""
    cache = top.add_parser("cache", help="answers kept by `run --cache`: list or clear them")
    actions = cache.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="models, numbers of answers, sizes")
    listing.add_argument("--json", action="store_true", help="print JSON instead of text")
    listing.set_defaults(command=cache_list)
    clear = actions.add_parser("clear", help="delete the answers kept for a model, or all")
    clear.add_argument("which", nargs="?", metavar="NAME",
                       help="a model's name or a fingerprint's beginning; all without")  # fmt: skip
    clear.set_defaults(command=cache_clear)


def backend(given: argparse.Namespace, model: Model, say: Any) -> Backend | None:
    """The backend that keeps the limits that were given; None where none were.

    Raises
    ------
    InputError
        They were given for a model on this machine.
    """
    names = [n for n in ("max_requests", "max_cost", "cache") if getattr(given, n)]
    if not names:
        return None
    from harness.models import RemoteModel

    if not isinstance(model, RemoteModel):
        raise InputError(
            f"--{names[0].replace('_', '-')}: model '{model.name}' is not behind a server"
        )
    from harness.backends.remote import RemoteBackend

    return RemoteBackend(
        model, say, max_requests=given.max_requests, max_cost=given.max_cost, cache=given.cache
    )


def cache_list(given: argparse.Namespace) -> int:
    """Print what is kept."""
    import orjson

    from harness.backends import response_cache
    from harness.cli import screen

    rows = response_cache.listing()
    print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() if given.json
          else screen.columns(rows))  # fmt: skip
    return 0


def cache_clear(given: argparse.Namespace) -> int:
    """Delete what is kept."""
    from harness.backends import response_cache

    gone = response_cache.clear(given.which)
    print(f"cleared: {', '.join(gone)}" if gone else "nothing was kept")
    return 0


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return int(text)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not an amount above 0")
    return amount
