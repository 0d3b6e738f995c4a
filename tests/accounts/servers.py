"""HTTP servers on loopback that answer as a cloud's documented API does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from tests import loopback


@dataclass(frozen=True)
class Request:
    """What was asked: the headers' names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Answer:
    """What to say."""

    status: int
    body: str

    @classmethod
    def of(cls, value: object, status: int = 200) -> Answer:
        return cls(status, json.dumps(value))


@contextmanager
def serving(answer: Callable[[Request], Answer]) -> Iterator[str]:
    """Serve, and give the URL that paths come after."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0))).decode()
            said = answer(Request(self.command, self.path, headers, body))
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(said.body.encode())))
            self.end_headers()
            self.wfile.write(said.body.encode())

        do_POST = do_GET  # noqa: N815
        do_PATCH = do_GET  # noqa: N815

    with loopback.serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"
