"""The site on this machine's loopback: built anew when runs or ledger changed.

Only pages of the site are given out, from memory: no path of a request ever reaches the disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.dashboard import comparison, overview
from harness.dashboard.site import INDEX, Site
from harness.errors import HarnessError, InputError
from harness.report.frame import content_policy
from harness.report.page import page_frame

HOST = "127.0.0.1"
PORT = 8470
NAMES = ("127.0.0.1", "localhost")
"""Host names a request may be for: a foreign name that resolves to us gets nothing."""


class Server(ThreadingHTTPServer):
    """A loopback server of one site."""

    daemon_threads = True

    def __init__(self, site: Site, port: int = PORT) -> None:
        self.site = site
        self._lock = threading.Lock()
        self._stamp = ""
        frames = [page_frame(), overview.page_frame(), comparison.page_frame()]
        policy = content_policy(frames[0].style, [frame.script for frame in frames])
        self.policy = f"{policy}; frame-ancestors 'none'"
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise InputError(f"--port {port}: cannot be opened: {error}; give another") from error

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"

    def page(self, path: str) -> bytes | None:
        """A page of the site as it is now, None where there is none."""
        with self._lock:
            stamp = self.site.stamp()
            if stamp != self._stamp:
                self.site.build()
                self._stamp = stamp
            return self.site.pages.get(path.removeprefix("/") or INDEX)


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD of pages."""

    server: Server
    server_version = "bias-harness"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(send=True)

    def do_HEAD(self) -> None:
        self._answer(send=False)

    def _answer(self, *, send: bool) -> None:
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        status, kind, body = HTTPStatus.OK, "text/html", b""
        try:
            if host not in NAMES:
                status, kind, body = HTTPStatus.FORBIDDEN, "text/plain", b"another host's name\n"
            elif (page := self.server.page(unquote(urlsplit(self.path).path))) is not None:
                body = page
            else:
                status, kind, body = HTTPStatus.NOT_FOUND, "text/plain", b"no such page\n"
        except HarnessError as error:  # an edited ledger: never an old page in its place
            status, kind = HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain"
            body = f"{error}\n".encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", self.server.policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if send:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No line a request: the terminal is for what went wrong."""


def serve(
    ledger: Path, runs: Path, port: int = PORT, *, say: Callable[[str], None] = print
) -> None:
    """Show the site until interrupted. `port` 0 takes a free one.

    Raises
    ------
    InputError
        The port cannot be opened, or the ledger was edited.
    """
    with Server(Site(ledger, runs), port) as server:
        server.page("/")  # what is wrong is said here, not first in the browser
        say(f"{server.url} (Ctrl-C ends it)")
        server.serve_forever()
