"""The dashboard: a static site from ledger and runs, opened from disk or served on loopback.

One overview page (axes x versions), beside it a self-contained report page a run and a
comparison page for pairs of versions on one design. `site` says which pages there are and writes
them, `overview` and `comparison` make them, `server` shows them while runs come in.
"""

from __future__ import annotations

from harness.dashboard.server import serve
from harness.dashboard.site import Site, write

__all__ = ["Site", "serve", "write"]
