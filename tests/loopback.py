"""HTTP servers of the tests themselves, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

POLL = 0.01
"""Seconds after which a server sees that it shall end."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Let a handler answer on a free port, and give that port; nothing is logged."""
    quiet = type(handler.__name__, (handler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), quiet) as server:
        thread = Thread(target=server.serve_forever, args=(POLL,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
