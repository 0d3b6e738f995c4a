"""Has the Docker engine of a host answer the user who is to deploy, over a connection of that user's own."""

from __future__ import annotations

import os
from dataclasses import replace

from curtainup.platforms.docker.hosts import There
from curtainup.util.ssh_address import Address


def deployer(address: Address, user: str | None) -> Address:
    """Return the address by which a user reaches the host; None is who it names already."""
    return replace(address, user=user) if user else address


def engine(address: Address) -> str:
    """Return the version of the engine; a new login has the user's new groups.

    Raises:
        HostUnreachable: the user cannot log in, or the engine does not let them work.

    """
    from curtainup.platforms.docker import distant

    client = distant.connect(There(address), os.environ)
    try:
        return str(client.version()["Version"])
    finally:
        client.close()
