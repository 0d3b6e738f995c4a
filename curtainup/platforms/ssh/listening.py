"""The TCP ports on which somebody listens on a machine, from its /proc/net/tcp and tcp6.

The format: proc(5), and the kernel's Documentation/networking/proc_net_tcp.rst.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

SCRIPT = "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null"
LISTENING = "0A"
_PLACE = re.compile(r"(?P<host>(?:[0-9A-F]{8}){1,4}):(?P<port>[0-9A-F]{4})")

Place = tuple[IPv4Address | IPv6Address, int]
"""An address, and a port of it."""


def places(lines: Iterable[str]) -> frozenset[Place]:
    """Return where somebody listens, from the lines of both tables."""
    rows = [line.split() for line in lines]
    found = [_PLACE.fullmatch(row[1]) for row in rows if len(row) > 3 and row[3] == LISTENING]
    return frozenset((_address(one["host"]), int(one["port"], 16)) for one in found if one)


def is_free(port: int, bind: str, taken: Iterable[Place]) -> bool:
    """Return whether an address has a port for somebody else; all addresses overlap with each."""
    wanted = ipaddress.ip_address(bind)
    return not any(
        other == port and (wanted == there or wanted.is_unspecified or there.is_unspecified)
        for there, other in taken
    )


def _address(text: str) -> IPv4Address | IPv6Address:
    """Read an address, whose 32-bit words are in the byte order of the machine, here little-endian."""
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    found = ipaddress.ip_address(b"".join(words))
    return getattr(found, "ipv4_mapped", None) or found
