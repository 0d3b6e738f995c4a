"""Connections to a Docker engine behind a socket, kept for whatever this process asks next.

Docker's SDK keeps connections apart by URL and by client, so nearly each request opens one. If the engine is
on another machine, that costs a round trip more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from docker import APIClient, DockerClient
from docker.transport import UnixHTTPAdapter

from curtainup.platforms.docker.supported import OLDEST_API

Client = TypeVar("Client", bound=DockerClient)

SCHEME = "http+docker://"
"""The scheme of the SDK's URLs for a socket."""


class _Connections(UnixHTTPAdapter):
    """Connections to one socket, whatever the URL, for as long as the process lives."""

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ARG002 - as in the SDK
        """Return the pool of all connections."""
        return super().get_connection(SCHEME)

    def close(self) -> None:
        """Do nothing: other clients use them too."""


@cache
def _to(socket: str) -> _Connections:
    return _Connections(socket)


@cache
def version(socket: str) -> Mapping[str, Any]:
    """Return what the engine behind a socket says of its version; it is asked once.

    Args:
        socket: its address, as in `unix:///run/docker.sock`.

    Raises:
        DockerException: the engine does not answer rightly.
        RequestException: it does not answer.

    """
    api = APIClient(base_url=socket, version=".".join(map(str, OLDEST_API)))
    _keep(api, socket)
    found: dict[str, Any] = api.version(api_version=False)
    return found


def client(kind: type[Client], socket: str) -> Client:
    """Return a client of the engine behind a socket.

    Raises:
        DockerException: the engine does not answer rightly.
        RequestException: it does not answer.

    """
    made = kind(base_url=socket, version=version(socket)["ApiVersion"])
    _keep(made.api, socket)
    return made


def _keep(api: APIClient, socket: str) -> None:
    api.mount(SCHEME, _to(socket.removeprefix("unix://")))
