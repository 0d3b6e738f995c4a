"""Sends what the service expects of its users' requests: its public host, and that they come over HTTPS.

Only requests to the URL under test bear these headers, and only if the test does not set them itself. It
works for every client that uses Python's `http.client`, such as requests, urllib3 and urllib.request. A
redirect to the public host leads back to the URL under test, as behind a proxy, so that no test runs on to
another environment.
"""

from __future__ import annotations

import http.client
import os
from dataclasses import dataclass
from typing import Any, Mapping
from urllib.parse import urlsplit

PROTO = "X-Forwarded-Proto"
_MARK = "_curtainup_says_proto"


@dataclass(frozen=True)
class Sent:
    """What requests to one URL bear; None is what nobody has asked for."""

    url: str
    host: str | None
    proto: str | None

    @property
    def netloc(self) -> str:
        """What `Host` would be otherwise."""
        return urlsplit(self.url).netloc

    def goes_there(self, connection: http.client.HTTPConnection) -> bool:
        """Whether a connection is one to that URL."""
        return goes_to(self.url, connection)

    def location(self, value: str) -> str:
        """Return where a redirect leads, with the URL under test in the place of the public host."""
        there = urlsplit(value)
        if there.scheme not in ("http", "https") or there.netloc != self.host:
            return value
        return self.url.rstrip("/") + value.partition(there.netloc)[2]


def goes_to(url: str, connection: http.client.HTTPConnection) -> bool:
    """Return whether a connection is one to the host and port of a URL."""
    there = urlsplit(url)
    port = there.port or (443 if there.scheme == "https" else 80)
    return (connection.host.strip("[]").lower(), connection.port) == (there.hostname, port)


def from_environment(environ: Mapping[str, str] = os.environ) -> Sent | None:
    """Return what the gate wants requests to bear; None if that is nothing."""
    url = environ.get("CURTAINUP_URL")
    host, proto = environ.get("CURTAINUP_HOST_HEADER"), environ.get("CURTAINUP_FORWARDED_PROTO")
    return Sent(url, host, proto) if url and (host or proto) else None


def install(sent: Sent) -> None:
    """Let every `http.client` connection of this process send it from now on."""
    connection = http.client.HTTPConnection
    putheader, endheaders, getresponse = (
        connection.putheader,
        connection.endheaders,
        connection.getresponse,
    )

    def put(self: http.client.HTTPConnection, header: Any, *values: Any) -> None:
        name = _text(header).lower()
        if name == PROTO.lower():
            setattr(self, _MARK, True)
        if name == "host" and sent.host and sent.goes_there(self) and _text(values[0]) == sent.netloc:
            values = (sent.host,)
        putheader(self, header, *values)

    def end(self: http.client.HTTPConnection, *args: Any, **kwargs: Any) -> None:
        if sent.proto and not getattr(self, _MARK, False) and sent.goes_there(self):
            putheader(self, PROTO, sent.proto)
        setattr(self, _MARK, False)
        endheaders(self, *args, **kwargs)

    def answer(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        response = getresponse(self)
        location = response.headers.get("Location")
        if location and sent.host and sent.goes_there(self):
            response.headers.replace_header("Location", sent.location(location))
        return response

    for name, function in {"putheader": put, "endheaders": end, "getresponse": answer}.items():
        setattr(connection, name, function)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
