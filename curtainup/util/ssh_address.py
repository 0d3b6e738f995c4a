"""The address of a Docker host that is reached by SSH, as Docker writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

SCHEME = "ssh://"
SOCKET = "/var/run/docker.sock"
"""Where Docker listens unless it is told otherwise."""
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_ADDRESS = re.compile(
    rf"ssh://(?:(?P<user>{_NAME})@)?(?P<host>{_NAME}|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>(?:/[A-Za-z0-9._%+-]+)*)/?"
)
"""No part begins with a hyphen: ssh would take it for an option."""


@dataclass(frozen=True)
class Address:
    """Where a Docker engine is.

    Attributes:
        host: the machine's name, its address, or its alias in the user's SSH configuration.
        user: who logs in there; None leaves it to the configuration.
        port: of its SSH server; None leaves it to the configuration.
        socket: the engine's socket on that machine.

    """

    host: str
    user: str | None = None
    port: int | None = None
    socket: str = SOCKET

    @property
    def login(self) -> str:
        """The user and the machine, as `ssh` takes them."""
        return f"{self.user}@{self.host}" if self.user else self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, port = f"{self.user}@" if self.user else "", f":{self.port}" if self.port else ""
        return f"{SCHEME}{user}{host}{port}{'' if self.socket == SOCKET else self.socket}"


def parse(text: str) -> Address:
    """Return the address that a text such as `ssh://deploy@shop.example.com` is.

    Raises:
        ValueError: it is none; a password has no place in it.

    """
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise ValueError(f"{text!r} is not ssh://USER@HOST:PORT")
    port = int(found["port"]) if found["port"] else None
    return Address(found["host"].strip("[]"), found["user"], port, unquote(found["path"]) or SOCKET)


def normal(text: str) -> str:
    """Return an address in its shortest spelling; raises ValueError as `parse` does."""
    return str(parse(text))
