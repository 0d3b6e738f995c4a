"""Whose process is at the other end of a connection on the loopback interface.

Every user of a machine can connect to every port there. The kernel's tables of TCP sockets
(`/proc/net/tcp`, proc_pid_net(5)) say to which user a socket belongs.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

Address = tuple[str, int]
"""An IPv4 address and a port."""

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_MAPPED = "0000000000000000FFFF0000"
"""How an IPv6 socket's address begins in the table if it speaks IPv4."""


ROOT = 0


def is_own(peer: Address, here: Address) -> bool:
    """Return whether the socket at the other end of a connection is this process's user's, or root's.

    Root may do everything anyway, and runs the tests that run in a service's image. A socket that its owner
    has closed belongs to nobody, so that nobody can give an order and vanish.

    Args:
        peer: the address of the other end.
        here: the address of this end.

    """
    return owner(_lines(), peer, here) in {ROOT, os.geteuid()}


def owner(lines: Iterable[str], peer: Address, here: Address) -> int | None:
    """Return whose the peer's socket is by the kernel's tables; None if it is closed or not there."""
    ends = (_written(peer), _written(here))
    for line in lines:
        fields = line.split()
        if len(fields) < 10 or (fields[1].removeprefix(_MAPPED), fields[2].removeprefix(_MAPPED)) != ends:
            continue
        state, user, inode = fields[3], fields[7], fields[9]
        if state == _ESTABLISHED and inode != "0":
            return int(user)
    return None


class OwnHTTPServer(ThreadingHTTPServer):
    """An HTTP server on the loopback interface that hangs up on the processes of other users."""

    daemon_threads = True

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Return whether the connection is one of this process's user."""
        return is_own(client_address, request.getsockname())


def _lines() -> Iterator[str]:
    for table in TABLES:
        try:
            yield from table.read_text().splitlines()
        except OSError:
            continue


def _written(address: Address) -> str:
    """Return an address as the tables have it: the four bytes as a number of this machine's byte order."""
    number = int.from_bytes(socket.inet_aton(address[0]), sys.byteorder)
    return f"{number:08X}:{address[1]:04X}"
