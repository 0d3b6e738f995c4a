"""A command in a pod, with a server that speaks WebSocket as the API server of Kubernetes does."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import signal
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from kubernetes.client import Configuration

from curtainup.errors import Interrupted
from curtainup.platforms.kubernetes import inside
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.inside import Lost
from curtainup.util.terminal import Terminal
from tests import loopback

SUCCESS = {"status": "Success"}
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


class Files:
    """What a command reads and writes, where no terminal is."""

    def __init__(self, given: bytes = b"") -> None:
        reading, writing = os.pipe()
        os.write(writing, given)
        os.close(writing)
        self._out, self._err = os.pipe(), os.pipe()
        self.terminal = Terminal(reading, self._out[1], self._err[1])

    def written(self) -> tuple[bytes, bytes]:
        os.close(self.terminal.stdin)
        found = []
        for reading, writing in (self._out, self._err):
            os.close(writing)
            found.append(os.read(reading, 1 << 16))
            os.close(reading)
        return found[0], found[1]


def _run(url: str, terminal: Terminal, token: str = "x") -> int:
    headers = {"authorization": f"Bearer {token}"}
    connection = inside.opened(Configuration(), url, headers, "app", ["sh", "-c", "a b"], terminal)
    return inside.pump(connection, terminal)


def test_its_streams_are_apart_and_the_end_of_its_input_is_told() -> None:
    def work(peer: Peer) -> None:
        peer.send(1, b"")
        assert peer.receive() == b"\x00given"
        assert peer.receive() == bytes([255, 0])
        peer.send(1, b"out")
        peer.send(2, b"err")
        peer.send(1, b"x" * 5000)
        peer.ended({"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "41"}]}})

    files = Files(b"given")
    with serving(work) as (url, asked):
        assert _run(url, files.terminal) == 41
    assert files.written() == (b"out" + b"x" * 5000, b"err")
    assert [value for key, value in asked if key == "command"] == ["sh", "-c", "a b"]
    assert {("container", "app"), ("tty", "false"), ("stdin", "true"), ("stderr", "true")} <= set(asked)


def test_an_older_server_is_not_told_what_it_does_not_know() -> None:
    seen: list[bytes] = []

    def work(peer: Peer) -> None:
        seen.append(peer.receive())
        peer.ended(SUCCESS)
        seen.append(peer.receive())

    files = Files(b"given")
    with serving(work, V4) as (url, _):
        assert _run(url, files.terminal) == 0
    files.written()
    assert seen == [b"\x00given", b""]


def test_a_terminal_has_its_size_and_its_keys() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (33, 101))
    before = termios.tcgetattr(theirs)

    def work(peer: Peer) -> None:
        size = peer.receive()
        assert (size[0], json.loads(size[1:])) == (4, {"Width": 101, "Height": 33})
        os.write(ours, b"\x03")
        assert peer.receive() == b"\x00\x03"
        os.kill(os.getpid(), signal.SIGWINCH)
        assert peer.receive()[0] == 4
        peer.send(1, b"bye")
        peer.ended(SUCCESS)

    with serving(work) as (url, asked):
        assert _run(url, Terminal(theirs, theirs, theirs)) == 0
    assert os.read(ours, 10) == b"bye"
    assert ("tty", "true") in asked
    assert ("stderr", "false") in asked
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_ctrl_c_without_a_terminal_leaves_the_command_alone() -> None:
    def work(peer: Peer) -> None:
        assert peer.receive() == bytes([255, 0])
        os.kill(os.getpid(), signal.SIGINT)
        assert peer.receive() == b""

    files = Files()
    with serving(work) as (url, _), pytest.raises(Interrupted):
        _run(url, files.terminal)
    files.written()


def test_a_connection_that_breaks_is_lost() -> None:
    files = Files()
    with serving(lambda peer: peer.send(1, b"half")) as (url, _), pytest.raises(Lost):
        _run(url, files.terminal)
    assert files.written()[0] == b"half"


def test_a_refusal_is_one() -> None:
    files = Files()
    with serving(lambda _: None) as (url, _), pytest.raises(Refused) as caught:
        _run(url, files.terminal, "other")
    assert caught.value.status == 403
    files.written()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (b"", "does not say"),
        (b"[]", "does not say"),
        (b'{"status": "Failure", "message": "no such file"}', "no such file"),
        (b'{"status": "Failure", "details": {"causes": [{"reason": "ExitCode"}]}}', "does not say"),
    ],
)
def test_an_end_that_is_not_told_is_an_error(status: bytes, said: str) -> None:
    with pytest.raises(Lost, match=said):
        inside.exit_code(status)
