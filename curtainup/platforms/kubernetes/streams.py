"""One connection to a port of a pod, by the API's `portforward` over a WebSocket.

Each message begins with the number of a channel: 0 is what is passed on, and 1 says why that failed. The
first message of each channel is the port's number. The Python client has the same, with two threads more for
each connection, and reads the certificates anew each time; the probe makes many connections a second.
"""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import certifi
from kubernetes.client.rest import ApiException  # noqa: TID253 - imported once there is a connection to make
from kubernetes.stream.ws_client import get_websocket_url, websocket_proxycare  # noqa: TID253
from websocket import (
    ABNF,
    WebSocket,
    WebSocketBadStatusException,
    WebSocketConnectionClosedException,
    WebSocketException,
)

from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.util.deadlines import within

DATA, ERROR = 0, 1
PROTOCOL = "v4.channel.k8s.io"
CHUNK, MOST, PART = 65536, 1 << 20, 16384
"""Bytes that are read at once, that may wait for a side which does not read, and that are written at once.

A socket that can be written to takes that many without waiting.
"""
_SENT = select.POLLOUT


def trust(configuration: Any) -> ssl.SSLContext:
    """Return how the API server is known, and how it knows who asks: as the configuration says.

    Raises:
        OSError: a certificate cannot be read.

    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not configuration.verify_ssl or configuration.assert_hostname is False:
        found.check_hostname = False
    if configuration.verify_ssl:
        found.load_verify_locations(configuration.ssl_ca_cert or certifi.where())
    else:
        found.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        found.load_cert_chain(configuration.cert_file, configuration.key_file)
    return found


def opened(
    configuration: Any, tls: ssl.SSLContext, url: str, headers: dict[str, str], port: int, patience: float
) -> Stream:
    """Open a connection to a port.

    Args:
        configuration: the Python client's.
        tls: see `trust`.
        url: of the pod's `portforward`.
        headers: prove who asks.
        port: of the pod.
        patience: seconds in which the API server has to begin.

    Raises:
        Refused: the API server refuses.
        OSError: it does not answer.

    """
    asked = get_websocket_url(url, [("ports", str(port))])
    lines = [f"{name}: {value}" for name, value in headers.items()]
    options = {"header": [*lines, f"sec-websocket-protocol: {PROTOCOL}"]}
    name = configuration.tls_server_name
    trusted = {"context": tls} | ({"server_hostname": name} if name else {})
    websocket: Any = WebSocket(sslopt=trusted, enable_multithread=False)

    def connect() -> None:
        by_proxy = configuration.proxy or configuration.proxy_headers
        found = websocket_proxycare(options, configuration, asked, headers) if by_proxy else options
        websocket.connect(asked, **found)

    try:
        within(patience, connect)
    except WebSocketBadStatusException as error:
        said = error.resp_body.decode(errors="replace") if error.resp_body else str(error)
        raise Refused(error.status_code, "", said) from error
    except (WebSocketException, ApiException) as error:
        raise ConnectionError(str(error)) from error
    websocket.settimeout(None)
    return Stream(websocket)


@dataclass
class Stream:
    """A connection to a pod that is open.

    Attributes:
        websocket: the connection to the API server.

    """

    websocket: Any
    _begun: set[int] = field(default_factory=set)
    _error: str = ""
    _is_over: bool = False

    def join(self, guest: socket.socket) -> str:
        """Pass on what a guest and the pod send until one is done; return why it failed, or nothing."""
        try:
            self._pump(guest)
        except (OSError, WebSocketException) as error:
            return self._error or str(error) or type(error).__name__
        finally:
            with suppress(OSError):
                guest.shutdown(socket.SHUT_RDWR)
            self.websocket.shutdown()
        return self._error

    def _pump(self, guest: socket.socket) -> None:
        pod, poll = self.websocket.sock, select.poll()
        to_pod, to_guest = b"", b""
        while not self._is_over:
            poll.register(pod, _wanted(to_guest, to_pod))
            poll.register(guest, _wanted(to_pod, to_guest))
            may_wait = len(to_guest) >= MOST or not _has_more(pod)
            told = dict(poll.poll(None if may_wait else 0))
            if not may_wait or told.get(pod.fileno(), 0) & ~_SENT:
                to_guest += self._received()
            if told.get(guest.fileno(), 0) & ~_SENT:
                part = guest.recv(CHUNK)
                to_pod += _frame(part) if part else b""
                self._is_over = self._is_over or not part
            if told.get(pod.fileno(), 0) & _SENT:
                to_pod = to_pod[pod.send(to_pod[:PART]) :]
            if told.get(guest.fileno(), 0) & _SENT:
                to_guest = to_guest[guest.send(to_guest[:PART]) :]
        for side, left in ((guest, to_guest), (pod, to_pod)):
            with suppress(OSError):
                side.sendall(left)

    def _received(self) -> bytes:
        """Return what one message has for the guest."""
        try:
            kind, message = self.websocket.recv_data(control_frame=True)
        except WebSocketConnectionClosedException:
            kind, message = ABNF.OPCODE_CLOSE, b""
        if kind == ABNF.OPCODE_CLOSE:
            self._is_over = True
        if kind != ABNF.OPCODE_BINARY or not message:
            return b""
        channel, text = message[0], bytes(message[1:])
        if channel not in self._begun:
            self._begun.add(channel)
            return b""
        if channel == ERROR:
            self._error += text.decode(errors="replace")
            self._is_over = True
        return text if channel == DATA else b""


def _has_more(pod: socket.socket) -> bool:
    """Return whether something has come of which no poll tells: a record of TLS has several messages."""
    return isinstance(pod, ssl.SSLSocket) and pod.pending() > 0


def _wanted(waiting: bytes, given: bytes) -> int:
    """Return what to wait for on one side: to read, unless the other has much to take, and to write."""
    return (select.POLLIN if len(waiting) < MOST else 0) | (select.POLLOUT if given else 0)


def _frame(part: bytes) -> bytes:
    return bytes(ABNF.create_frame(bytes([DATA]) + part, ABNF.OPCODE_BINARY).format())
