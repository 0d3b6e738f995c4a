"""Finds the TCP ports on which a container listens, from inside its own network.

The format of /proc/net/tcp and tcp6: proc(5), and the kernel's Documentation/networking/proc_net_tcp.rst.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from docker.utils.socket import frames_iter
from requests import RequestException

from curtainup.platforms.docker.distant import is_here
from curtainup.util.deadlines import within

LISTENING = "0A"
LONGEST = 10.0
"""Seconds in which the container's `cat` has to print."""
MOST = 1 << 20
"""Bytes that are read of it."""
_ADDRESS = re.compile(r"(?P<host>(?:[0-9A-F]{8}|[0-9A-F]{32})):(?P<port>[0-9A-F]{4})")
DOCKER_DNS = "0B00007F"
"""127.0.0.11: Docker's name server inside each container of a network."""


@dataclass(frozen=True, order=True)
class Listener:
    """A listening socket.

    Attributes:
        port: its port.
        loopback: whether nothing outside the container can reach it.
        ipv6: whether its address is one of IPv6. The socket may take IPv4 connections all the same.

    """

    port: int
    loopback: bool
    ipv6: bool = False


def listeners(client: docker.DockerClient, container: str) -> frozenset[Listener] | None:
    """Return the listening ports of a running container; None if they cannot be read.

    The container's own `cat` reads them. If the image has none and the Docker engine runs on this machine,
    they come from this machine's /proc.
    """
    try:
        table = within(LONGEST, lambda: _printed(client, container))
    except (DockerException, RequestException, TimeoutError):
        table = ""
    if "local_address" not in table:
        table = _table_on_this_machine(client, container)
    return parse(table.splitlines()) if "local_address" in table else None


def _printed(client: docker.DockerClient, container: str) -> str:
    """Return what the container's `cat` prints, which may be any program, so only the beginning."""
    command = client.api.exec_create(container, ["cat", "/proc/net/tcp", "/proc/net/tcp6"])
    stream: Any = client.api.exec_start(command["Id"], socket=True)
    frames: Any = frames_iter  # it has no types
    printed = bytearray()
    try:
        for _, piece in frames(stream, tty=False):
            printed += piece
            if len(printed) > MOST:
                break
    finally:
        stream._response.close()  # noqa: SLF001 - closing the stream leaves its connection open
    return printed.decode(errors="replace")


def parse(lines: Iterable[str]) -> frozenset[Listener]:
    """Return the listeners in the lines of /proc/net/tcp and tcp6, without Docker's name server."""
    rows = [line.split() for line in lines]
    found = [_ADDRESS.fullmatch(row[1]) for row in rows if len(row) > 3 and row[3] == LISTENING]
    return frozenset(
        Listener(int(one["port"], 16), _is_loopback(one["host"]), len(one["host"]) > 8)
        for one in found
        if one and one["host"] != DOCKER_DNS
    )


def _is_loopback(host: str) -> bool:
    """Addresses are 32-bit words in the byte order of the machine, here little-endian."""
    return host == "00000000000000000000000001000000" or (
        host[-2:] == "7F" and host[:-8] in ("", "0000000000000000FFFF0000")
    )


def refuses_ipv4(client: docker.DockerClient, container: str, port: int) -> bool:
    """Return whether a running container refuses an IPv4 connection to a port on which it listens.

    False if nobody knows, because the Docker engine runs elsewhere or the container has no address.
    """
    if not is_here(client):
        return False
    try:
        networks = client.api.inspect_container(container)["NetworkSettings"]["Networks"].values()
    except (DockerException, RequestException):
        return False
    addresses = [network["IPAddress"] for network in networks if network["IPAddress"]]
    return bool(addresses) and all(_refused(address, port) for address in addresses)


def _refused(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _table_on_this_machine(client: docker.DockerClient, container: str) -> str:
    if not is_here(client):
        return ""
    try:
        pid = client.api.inspect_container(container)["State"]["Pid"]
        return "\n".join(Path(f"/proc/{pid}/net/{table}").read_text() for table in ("tcp", "tcp6"))
    except (DockerException, RequestException, OSError):
        return ""
