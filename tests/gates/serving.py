"""A small real HTTP service on loopback, whose answers each test chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BROKEN = 0  # a status: the connection is closed without an answer


@dataclass(frozen=True)
class Answer:
    """What a path answers."""

    body: str = "ok"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answers = Callable[[str], Answer]


@dataclass
class Served:
    """A running service: its URL, and the paths and headers of its requests, in order."""

    url: str
    asked: list[str] = field(default_factory=list)
    heard: list[dict[str, str]] = field(default_factory=list)


HEALTHY = {"/ping": Answer(), "/version": Answer('{"version": "v1"}')}


def paths(answers: Mapping[str, Answer]) -> Answers:
    """Answer from a mapping, and 404 for everything else."""
    return lambda path: answers.get(path, Answer("no such path", 404))


class _Server(ThreadingHTTPServer):
    request_queue_size = 64


@contextmanager
def serve(answers: Answers) -> Iterator[Served]:
    """Serve on a free port until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.asked.append(self.path)
            served.heard.append(dict(self.headers.items()))
            answer = answers(self.path)
            if answer.status == BROKEN:
                self.close_connection = True
                return
            body = answer.body.encode()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - likewise

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        served = Served(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
