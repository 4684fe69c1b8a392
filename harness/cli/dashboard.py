"""Commands `dashboard` and `serve`. Nothing heavy at the top."""

from __future__ import annotations

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # argparse has no public name for it
OUT = Path("results") / "dashboard"
PORT = 8470


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    make = commands.add_parser("dashboard", help="write every run and version as a static site")
    make.add_argument("--out", metavar="DIR", default=str(OUT),
                      help=f"folder of the site (default: {OUT})")  # fmt: skip
    make.set_defaults(command=_dashboard)
    serve = commands.add_parser("serve", help="show that site on this machine while runs come in")
    serve.add_argument("--port", metavar="PORT", type=_port, default=PORT,
                       help=f"port on 127.0.0.1 (default: {PORT}; 0 takes a free one)")  # fmt: skip
    serve.set_defaults(command=_serve)


def _dashboard(given: argparse.Namespace) -> int:
    from harness import ledger, preparing
    from harness.dashboard import Site, write
    from harness.nouns import counted

    site = Site(ledger.LEDGER, preparing.RUNS)
    site.build()
    out = Path(given.out)
    pages = write(site, out)
    print(f"{out / 'index.html'}\n{counted(f'{len(pages)} pages')}")
    return 0


def _serve(given: argparse.Namespace) -> int:
    from functools import partial

    from harness import ledger, preparing
    from harness.dashboard import serve

    try:
        serve(ledger.LEDGER, preparing.RUNS, given.port, say=partial(print, flush=True))
    except KeyboardInterrupt:
        print()
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: a whole number up to 65535")
    return int(text)
