"""The networks that a Docker engine has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.platforms.docker import errors, routes

if TYPE_CHECKING:
    from docker import DockerClient


def subnets(client: DockerClient) -> list[str]:
    """Return the subnets of all networks, in CIDR notation."""
    return [
        pool["Subnet"]
        for network in client.networks.list()
        for pool in (network.attrs.get("IPAM") or {}).get("Config") or []
        if "Subnet" in pool
    ]


def routed(client: DockerClient) -> list[str]:
    """Return where the Docker host's traffic goes; of one that only Docker reaches that is not known."""
    from curtainup.platforms.docker import distant

    if isinstance(client, distant.DistantClient):
        return routes.parse(client.there.connection.shell(routes.SCRIPT))
    return routes.routed() if distant.is_here(client) else []


def leave_all(client: DockerClient, network: str) -> None:
    """Take all containers off a network that is about to be removed; without one nothing is done.

    Raises:
        SetupError: the Docker engine does not answer.

    """
    from docker.errors import NotFound

    with errors.translated(
        "the Docker engine does not free a network", where=f"network {network}", consequence="it stays"
    ):
        try:
            there = client.api.inspect_network(network).get("Containers") or {}
        except NotFound:
            return
        for container in there:
            client.api.disconnect_container_from_network(container, network, force=True)
