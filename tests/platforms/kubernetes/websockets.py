"""A server that speaks WebSocket as the API server of Kubernetes does."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests import loopback

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer:
    """The server's end of a WebSocket (RFC 6455)."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._in, self._out = handler.rfile, handler.wfile

    def send(self, channel: int, data: bytes) -> None:
        body = bytes([channel]) + data
        head = bytes([0x82]) + (
            bytes([len(body)]) if len(body) < 126 else bytes([126]) + struct.pack(">H", len(body))
        )
        self._out.write(head + body)
        self._out.flush()

    def raw(self, text: bytes) -> None:
        """Send what is no message."""
        self._out.write(text)
        self._out.flush()

    def ended(self, status: dict[str, Any]) -> None:
        self.send(3, json.dumps(status).encode())
        self._out.write(bytes([0x88, 0]))
        self._out.flush()

    def receive(self) -> bytes:
        """Return a message, its channel first; nothing if the connection is closed."""
        head = self._in.read(2)
        if len(head) < 2 or head[0] & 0xF == 8:
            return b""
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._in.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._in.read(8))
        mask = self._in.read(4)
        return bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._in.read(length)))


@contextmanager
def serving(work: Callable[[Peer], None], version: str = V5) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve one pod's exec; give its URL, and what it is asked."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.extend(parse_qsl(urlsplit(self.path).query))
            assert V4 in self.headers["Sec-WebSocket-Protocol"]
            if self.headers.get("Authorization") != "Bearer x":
                self.send_error(403, "Forbidden")
                return
            accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + GUID).encode()).digest()
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
            self.send_header("Sec-WebSocket-Protocol", version)
            self.end_headers()
            work(Peer(self))
            self.close_connection = True

    with loopback.serving(Handler) as port:
        yield f"http://127.0.0.1:{port}/api/v1/namespaces/n/pods/p/exec", asked
