"""Where a Docker host routes its traffic: a network of ours must hide nothing that it reaches otherwise."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

SECONDS = 5.0
"""How long `ip` may take."""


def routed() -> list[str]:
    """Return the IPv4 networks that this machine has a route to, in CIDR notation, without the default one.

    `ip` tells of all tables: a VPN may have its own. Without it the kernel's list of the main table serves.
    """
    command = ["ip", "-json", "-4", "route", "show", "table", "all"]
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        done = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
        return _of_ip(json.loads(done.stdout))
    with suppress(OSError, ValueError):
        return _of_table(Path("/proc/net/route").read_text().splitlines()[1:])
    return []


SCRIPT = "PATH=$PATH:/sbin ip -json -4 route show table all 2>/dev/null || cat /proc/net/route"
"""What another machine runs to tell the same; `parse` reads what it prints."""


def parse(text: str) -> list[str]:
    """Return the networks in what the script prints; none where that cannot be read."""
    with suppress(ValueError):
        return _of_ip(json.loads(text))
    with suppress(ValueError, IndexError):
        return _of_table(text.splitlines()[1:])
    return []


def _of_ip(routes: Iterable[dict[str, Any]]) -> list[str]:
    """Return the destinations of what `ip -json route` tells; those of one address have no prefix."""
    found = (str(one.get("dst", "default")) for one in routes)
    return [str(ipaddress.IPv4Network(one)) for one in found if one not in ("default", "0.0.0.0/0")]


def _of_table(lines: Iterable[str]) -> list[str]:
    """Return the destinations in the lines of /proc/net/route; its numbers begin with the lowest byte."""
    found = []
    for line in lines:
        destination, mask = (bytes.fromhex(line.split()[column])[::-1] for column in (1, 7))
        network = ipaddress.IPv4Network((destination, str(ipaddress.IPv4Address(mask))))
        if network.prefixlen:
            found.append(str(network))
    return found
