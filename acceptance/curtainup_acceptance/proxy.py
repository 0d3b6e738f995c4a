"""Sees what curtainup's proxy refuses, and refuses itself what the proxy would where there is none before it.

Like `headers`, it works for every client that uses Python's `http.client`.
"""

from __future__ import annotations

import http.client
import os
from typing import Any, Mapping

from curtainup_acceptance.headers import goes_to

HEADER, RELEASE = "Curtainup-Refused", "Curtainup-Release"
SAID = "curtainup: the proxy refused"


class Refusals:
    """What was refused in this process: `request` or `answer`, each time.

    Attributes:
        seen: what was refused, in order.
        url: the URL under test; requests to others are not looked at.
        limit: bytes of headers that the proxy takes; None where a proxy is asked and says so itself.
        is_proxy: whether the URL is that of a proxy, which names the release in every answer of one.

    """

    def __init__(self, url: str, limit: int | None = None, *, is_proxy: bool = False) -> None:
        self.seen: list[str] = []
        self.url = url
        self.limit = limit
        self.is_proxy = is_proxy

    def lines(self) -> list[str]:
        """Return the lines that tell the gate."""
        return [f"{SAID} {kind}" for kind in dict.fromkeys(self.seen)]

    def look(self, response: http.client.HTTPResponse) -> None:
        """Note an answer that comes from the proxy itself because it refused something."""
        if response.headers.get(HEADER):
            self.seen.append(response.headers[HEADER])
        elif self.is_proxy and response.status == 400 and not response.headers.get(RELEASE):
            self.seen.append("request")

    def require(self, kind: str, size: int) -> None:
        """Refuse headers that are too large.

        Raises:
            http.client.HTTPException: they are; every client tells its text.

        """
        if self.limit is not None and size > self.limit:
            self.seen.append(kind)
            raise http.client.HTTPException(
                f"curtainup's proxy would refuse this {kind}: its headers have {size} bytes, "
                f"and `header_limit` in pym-config.yaml allows {self.limit}"
            )


def from_environment(environ: Mapping[str, str] = os.environ) -> Refusals:
    """Return what the gate asks for."""
    limit = environ.get("CURTAINUP_HEADER_LIMIT")
    is_proxy = environ.get("CURTAINUP_EXPECT_RELEASE_HEADER") == "1"
    return Refusals(environ.get("CURTAINUP_URL", ""), int(limit) if limit else None, is_proxy=is_proxy)


def install(refusals: Refusals) -> None:
    """Look at every request and answer of `http.client` from now on."""
    connection = http.client.HTTPConnection
    putheader, getresponse = connection.putheader, connection.getresponse
    sizes: dict[int, int] = {}

    def put(self: http.client.HTTPConnection, header: Any, *values: Any) -> None:
        if goes_to(refusals.url, self):
            size = len(header) + 4 + sum(len(str(value)) for value in values)
            sizes[id(self)] = sizes.get(id(self), 0) + size
            refusals.require("request", sizes[id(self)])
        putheader(self, header, *values)

    def answer(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        sizes.pop(id(self), None)
        response = getresponse(self)
        if goes_to(refusals.url, self):
            refusals.look(response)
            size = sum(len(name) + len(value) + 4 for name, value in response.headers.items())
            refusals.require("answer", size)
        return response

    for name, function in {"putheader": put, "getresponse": answer}.items():
        setattr(connection, name, function)
