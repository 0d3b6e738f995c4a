"""One light HTTP GET, for the probe and the health check: no retries, no redirects, no cookies."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

RELEASE_HEADER = "Curtainup-Release"
"""The response header in which the proxy names the release that answered."""

FetchError = (OSError, http.client.HTTPException)
"""The errors that `get` raises when it does not get a complete answer."""


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer: its status, and the release that the proxy names in it, if any."""

    status: int
    release: str | None


def connect(url: str, timeout: float) -> http.client.HTTPConnection:
    """Return an unopened connection to the host of `url`; each socket operation may take `timeout` seconds.

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
    when the body is not complete at `deadline`, a value of `time.monotonic()`.
    """
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        _read_body(response, deadline)
    except FetchError:
        connection.close()
        raise
    return Answer(response.status, response.getheader(RELEASE_HEADER))


def _read_body(response: http.client.HTTPResponse, deadline: float) -> None:
    """Read the body in pieces, because a single `read` of a slow body could outlast any deadline.

    This function counts the bytes itself: `read1` of Python 3.11 does not, and would wait for more.
    """
    missing = response.length
    while missing != 0 and (piece := response.read1(65536)):
        missing = missing if missing is None else missing - len(piece)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer did not end in time")
    if missing:
        raise http.client.IncompleteRead(b"", missing)
    response.close()


def get_once(url: str, path: str, timeout: float) -> Answer:
    """Send one GET on a new connection; raises the errors of `get`."""
    connection = connect(url, timeout)
    try:
        return get(connection, target(url, path), time.monotonic() + timeout, {"Connection": "close"})
    finally:
        connection.close()


def explain(error: OSError | http.client.HTTPException) -> str:
    """Describe why a request failed, as in `ConnectionRefusedError: Connection refused`."""
    text = getattr(error, "strerror", None) or str(error)
    name = type(error).__name__
    return f"{name}: {text}" if text else name
