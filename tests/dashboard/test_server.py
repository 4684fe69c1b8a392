from __future__ import annotations

import http.client
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.dashboard import Site
from harness.dashboard.server import Server
from harness.errors import InputError
from tests.dashboard.conftest import finished


@pytest.fixture
def here(place: Path, tmp_path: Path) -> Path:
    shutil.copytree(place, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def server(here: Path) -> Iterator[Server]:
    with Server(Site(here / "ledger", here / "runs"), 0) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(
    server: Server, path: str = "/", method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, dict(answer.headers), body


def test_pages_are_given_out_on_loopback_only(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    status, headers, body = ask(server)
    assert status == 200 and "the newest of 3 runs" in body
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    for path in re.findall(r'href="((?:runs|comparisons)/[^"#]+)', body):
        status, headers, page = ask(server, f"/{path}")
        assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
        own = re.findall(r"'(sha256-[^']+)'", page[:2000])  # the page's own policy
        assert len(own) == 2 and all(f"'{digest}'" in policy for digest in own)


@pytest.mark.parametrize(
    "path",
    ["/runs/", "/runs", "/comparisons/", "/nothing", "/../ledger/", "/runs/../../pyproject.toml",
     "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/runs/toy-1.0/manifest.json", "/index.html/x"],
)  # fmt: skip
def test_nothing_else_is(server: Server, path: str) -> None:
    status, headers, body = ask(server, path)
    assert (status, body) == (404, "no such page\n")
    assert headers["Content-Type"].startswith("text/plain")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_foreign_host_name_and_other_methods_get_nothing(server: Server) -> None:
    assert ask(server, host="evil.example:80")[0] == 403
    assert ask(server, host=f"localhost:{server.server_port}")[0] == 200
    assert ask(server, method="POST")[0] == 501
    status, headers, body = ask(server, method="HEAD")
    assert status == 200 and body == "" and int(headers["Content-Length"]) > 1000


def test_it_is_built_anew_when_a_run_is_finished(server: Server, here: Path) -> None:
    assert "toy-2.0, the newest of 3 runs" in ask(server)[2]
    finished(here, "2.1")
    assert "toy-2.1, the newest of 4 runs" in ask(server)[2]


def test_an_edited_ledger_is_said_and_no_old_page_shown(server: Server, here: Path) -> None:
    assert ask(server)[0] == 200
    record = next((here / "ledger").glob("*.json"))
    whole = record.read_bytes()
    record.write_bytes(whole.replace(b'"limit": 12', b'"limit": 13'))
    status, headers, body = ask(server)
    assert status == 500 and "edited after it was written" in body
    assert headers["Content-Type"].startswith("text/plain")
    record.write_bytes(whole)
    assert ask(server)[0] == 200


def test_a_taken_port_is_said(server: Server) -> None:
    with pytest.raises(InputError, match=f"--port {server.server_port}: cannot be opened"):
        Server(server.site, server.server_port)


def test_the_commands(place: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    for name in ("ledger", "runs"):
        shutil.copytree(place / name, tmp_path / "results" / name)
    command = [sys.executable, "-c", "from harness.cli import main; raise SystemExit(main())"]
    paths = {"cwd": tmp_path, "env": {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""}}
    made = subprocess.run([*command, "dashboard"], capture_output=True, text=True, **paths)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == "results/dashboard/index.html\n7 pages\n"
    served = subprocess.Popen([*command, "serve", "--port", "0"], stdout=subprocess.PIPE,
                              text=True, **paths)  # fmt: skip
    assert served.stdout is not None
    found = re.match(r"http://127\.0\.0\.1:(\d+)/ ", served.stdout.readline())
    assert found
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    served.send_signal(signal.SIGINT)
    assert served.wait(30) == 0
    wrong = subprocess.run([*command, "serve", "--port", "x"], capture_output=True, text=True,
                           **paths)  # fmt: skip
    assert wrong.returncode == 2 and "not a port" in wrong.stderr
    own = tmp_path / "own"
    own.mkdir()
    (own / "note.txt").write_text("mine")
    refused = subprocess.run([*command, "dashboard", "--out", "own"], capture_output=True,
                             text=True, **paths)  # fmt: skip
    assert refused.returncode == 2 and "no dashboard" in refused.stderr
