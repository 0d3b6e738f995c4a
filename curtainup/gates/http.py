"""One light HTTP GET, for the probe and the health check: no retries, no redirects, no cookies."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from curtainup.util.plain import one_line

RELEASE_HEADER = "Curtainup-Release"
"""The response header in which the proxy names the release that answered."""

NO_END = "the answer did not end in time"
LONGEST = 300
"""Characters of an explanation: it may repeat what the peer has sent."""
NO_HEADERS: Mapping[str, str] = {}

FetchError = (OSError, http.client.HTTPException)
"""The errors that `get` raises when it does not get a complete answer."""


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer: its status, and what it names: its release, and where a redirect leads."""

    status: int
    release: str | None
    location: str | None = None


def connect(url: str, timeout: float) -> http.client.HTTPConnection:
    """Return an unopened connection to the host of `url`; connecting may take `timeout` seconds.

    Raises ValueError when `url` is not http(s)://host….
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http(s) URL: {url!r}")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, parts.port, timeout=timeout)


def target(url: str, path: str) -> str:
    """Return the request target: `path` below the path of `url`."""
    return urlsplit(url).path.rstrip("/") + "/" + path.lstrip("/")


def get(
    connection: http.client.HTTPConnection, path: str, deadline: float, headers: Mapping[str, str]
) -> Answer:
    """Send one GET on `connection`, and read and discard the body of the answer.

    Raises OSError or http.client.HTTPException, and closes the connection then. The OSError is a TimeoutError
    when the answer is not complete at `deadline`, a value of `time.monotonic()`: whatever the peer does,
    nothing of the exchange outlasts it.
    """
    try:
        return _exchange(connection, path, deadline, headers)
    except FetchError:
        connection.close()
        raise
    except ValueError as error:  # of a head that http.client does not expect
        connection.close()
        raise http.client.HTTPException(f"the answer is no HTTP: {one_line(str(error))}") from error


def _exchange(
    connection: http.client.HTTPConnection, path: str, deadline: float, headers: Mapping[str, str]
) -> Answer:
    def answer(sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        bounded: Any = _Bounded(sock, deadline)  # of a socket, it reads `makefile` alone
        return http.client.HTTPResponse(bounded, *args, **options)

    connection.response_class = answer  # type: ignore[assignment]  # it only calls it
    if connection.sock is None:
        connection.timeout = min(connection.timeout or _left(deadline), _left(deadline))
        connection.connect()
    connection.sock.settimeout(_left(deadline))
    connection.request("GET", path, headers=dict(headers))
    response = connection.getresponse()
    try:
        _read_body(response)
    except TimeoutError as error:
        raise TimeoutError(NO_END) from error
    release, location = response.getheader(RELEASE_HEADER), response.getheader("Location")
    return Answer(response.status, release and one_line(release), location and one_line(location))


def _left(deadline: float) -> float:
    """Return the seconds that are left; raise TimeoutError if none are."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(NO_END)
    return left


class _Bounded:
    """A socket from which `http.client` reads until a deadline, in however many pieces.

    Its own time limit is for each read, so that a peer that sends one byte at a time would never reach it.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> Any:
        """Return what the answer is read from."""
        if mode != "rb":
            raise ValueError(mode)
        return io.BufferedReader(_Raw(self._sock.makefile("rb", buffering=0), self._sock, self._deadline))


class _Raw(io.RawIOBase):
    """The reads of one answer."""

    def __init__(self, raw: Any, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return int(self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


def _read_body(response: http.client.HTTPResponse) -> None:
    """Read the body in pieces.

    This function counts the bytes itself: `read1` of Python 3.11 does not, and would wait for more.
    """
    missing = response.length
    while missing != 0 and (piece := response.read1(65536)):
        missing = missing if missing is None else missing - len(piece)
    if missing:
        raise http.client.IncompleteRead(b"", missing)
    response.close()


def get_once(url: str, path: str, timeout: float, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
    """Send one GET on a new connection; raises the errors of `get`."""
    connection = connect(url, timeout)
    try:
        deadline = time.monotonic() + timeout
        return get(connection, target(url, path), deadline, {**headers, "Connection": "close"})
    finally:
        connection.close()


def explain(error: OSError | http.client.HTTPException) -> str:
    """Describe why a request failed, as in `ConnectionRefusedError: Connection refused`."""
    text = getattr(error, "strerror", None) or str(error)
    name = type(error).__name__
    return one_line(f"{name}: {text}" if text else name)[:LONGEST]
