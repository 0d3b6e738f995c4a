"""Where notifications go in tests: a web hook and a mail server on loopback."""

from __future__ import annotations

import email.policy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Any

from tests import loopback

TOKEN = "T0k3nOfTheChannel"


@dataclass
class Hook:
    """A web hook as Apprise's `json://` calls it.

    Attributes:
        received: what came, oldest first.
        status: what it answers.
        open: while this is not set, it takes calls and answers none.

    """

    port: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    open: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/{TOKEN}"

    def titles(self) -> list[str]:
        return [str(one["title"]) for one in self.received]


@contextmanager
def hook() -> Iterator[Hook]:
    """Serve a hook on a free port."""
    served = Hook()
    served.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            served.open.wait()
            if self.path == f"/{TOKEN}" and served.status == 200:
                served.received.append(json.loads(body))
            self.send_response(served.status)
            self.end_headers()

    with loopback.serving(Handler) as port:
        served.port = port
        yield served
    served.open.set()


@dataclass
class Mailbox:
    """A mail server that takes all mail; as little of RFC 5321 as that needs."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=ci@example.com&to=team@example.com&mode=insecure"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Serve a mail server on a free port."""
    box = Mailbox()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 box.example\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    box.received.append(email.message_from_bytes(text, policy=email.policy.default))
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")
                if verb == b"QUIT":
                    return

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        box.port = listening.server_address[1]
        thread = Thread(target=listening.serve_forever, args=(loopback.POLL,))
        thread.start()
        try:
            yield box
        finally:
            listening.shutdown()
            thread.join()
