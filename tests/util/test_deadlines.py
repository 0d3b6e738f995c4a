"""A peer that never ends its answer does not keep anybody who calls it."""

from __future__ import annotations

import itertools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from curtainup.util.deadlines import whole, within


def test_what_work_returns_or_raises_is_passed_on() -> None:
    assert within(60, lambda: 7) == 7
    with pytest.raises(KeyError):
        within(60, lambda: dict[str, str]()["x"])


def test_work_without_end_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        within(0.05, threading.Event().wait)


class Endless(BaseHTTPRequestHandler):
    """Answers as its path says, and never ends."""

    def do_GET(self) -> None:
        pause = threading.Event()
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            if self.path == "/body":
                self.wfile.write(b"\r\n")
            for _ in itertools.count():
                self.wfile.write(b"X-A: b\r\n" if self.path == "/head" else b"x" * 1024)
                pause.wait(0.01)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@pytest.mark.parametrize(
    ("path", "seconds", "most"),
    [("/head", 0.5, 1 << 30), ("/body", 0.5, 1 << 30), ("/body", 60, 1 << 14)],
)
def test_an_answer_without_end_is_an_error(path: str, seconds: float, most: int) -> None:
    with Server(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}{path}"
        with pytest.raises(requests.RequestException):
            whole(lambda: requests.get(url, timeout=30, stream=True), seconds=seconds, most=most)
        server.shutdown()
