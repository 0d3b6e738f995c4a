"""The networks that a Docker engine has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.platforms.docker import routes

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
    """Return where the Docker host's traffic goes; that of another machine is not known."""
    is_here = client.api.base_url.startswith("http+docker://localhost")
    return routes.routed() if is_here else []
