"""What a release reaches beside its environment: see `curtainup.platforms.docker.surroundings`."""

from __future__ import annotations

from typing import Any

import pulumi_docker as docker

from curtainup.model.targets.docker import DockerSettings
from curtainup.util.docker_mounts import HOST_GATEWAY, HOST_NAME, mount_of


def networks(settings: DockerSettings) -> list[docker.ContainerNetworksAdvancedArgs]:
    """Return the further networks of a release's container."""
    return [docker.ContainerNetworksAdvancedArgs(name=name) for name in settings.networks]


def arguments(settings: DockerSettings) -> dict[str, Any]:
    """Return arguments of a release's container: none for what the release does not use."""
    found: dict[str, Any] = {}
    if settings.volumes:
        found["mounts"] = [
            docker.ContainerMountArgs(
                type=one.kind, source=one.source, target=one.target, read_only=one.read_only
            )
            for one in map(mount_of, settings.volumes)
        ]
    if settings.host_gateway:
        found["hosts"] = [docker.ContainerHostArgs(host=HOST_NAME, ip=HOST_GATEWAY)]
    return found
