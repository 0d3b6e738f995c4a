"""Whose process is at the other end of a connection on the loopback interface.

Every user of a machine can connect to every port there. The kernel says to which user a socket belongs: it
answers a question about one socket at once (sock_diag(7)). Where it does not, its tables of all TCP sockets
have it (`/proc/net/tcp`, proc_pid_net(5)); to read them takes a thousand times as long.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

Address = tuple[str, int]
"""An IPv4 address and a port."""

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_UNREAD = {_ESTABLISHED, "08"}
"""The states in which a server can still read something: open, and closed by the other end."""
_MAPPED = "0000000000000000FFFF0000"
"""How an IPv6 socket's address begins in the table if it speaks IPv4."""
ROOT = 0

_ASK = struct.Struct("=IHHII BBBBI")
"""`nlmsghdr` with length, type, flags, sequence and sender; `inet_diag_req_v2` up to the socket's ends."""
_ENDS = struct.Struct("!HH 16s 16s")
_REST = struct.Struct("=III")
"""An interface and a cookie, which a question leaves open."""
_ANSWER = struct.Struct("=IHHII BBBB 36s 12x 12x II")
"""`nlmsghdr`, and `inet_diag_msg` with family, state, timer, retries, the socket's ends, user and inode."""
_SOCK_DIAG, _BY_FAMILY, _REQUEST, _ANY = 4, 20, 1, 0xFFFFFFFF
"""From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h."""
_PATIENCE = 1.0


def is_own(peer: Address, here: Address) -> bool:
    """Return whether the socket at the other end of a connection is this process's user's, or root's.

    Root may do everything anyway, and runs the tests that run in a service's image. A socket that its owner
    has closed belongs to nobody, so that nobody can give an order and vanish.

    Args:
        peer: the address of the other end.
        here: the address of this end.

    """
    user = asked(peer, here)
    return (owner(_lines(), peer, here) if user is None else user) in {ROOT, os.geteuid()}


def asked(peer: Address, here: Address) -> int | None:
    """Return whose the peer's socket is by the kernel's answer; None if it is closed or not told."""
    ends = _ENDS.pack(peer[1], here[1], socket.inet_aton(peer[0]), socket.inet_aton(here[0]))
    length = _ASK.size + _ENDS.size + _REST.size
    head = _ASK.pack(length, _BY_FAMILY, _REQUEST, 1, 0, socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ANY)
    with suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(_PATIENCE)
        kernel.send(head + ends + _REST.pack(0, _ANY, _ANY))
        return _told(kernel.recv(4096), ends)
    return None


def _told(answer: bytes, ends: bytes) -> int | None:
    if len(answer) < _ANSWER.size:
        return None
    _, kind, _, _, _, _, state, _, _, found, user, inode = _ANSWER.unpack_from(answer)
    is_it = kind == _BY_FAMILY and found == ends and state == int(_ESTABLISHED, 16) and inode
    return int(user) if is_it else None


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


def is_connected(port: int) -> bool:
    """Return whether somebody is connected to a loopback port, or has sent something and closed."""
    return _has_guests(_lines(), port)


def _has_guests(lines: Iterable[str], port: int) -> bool:
    end = f":{port:04X}"
    rows = (line.split() for line in lines)
    return any(len(row) > 3 and row[1].endswith(end) and row[3] in _UNREAD for row in rows)


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
