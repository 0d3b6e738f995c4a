"""What a container reaches beside its environment: further networks, volumes, and the Docker host itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from curtainup.errors import SetupError
from curtainup.model.targets.docker import DockerSettings
from curtainup.util.docker_mounts import HOST_GATEWAY, HOST_NAME, Mount, mount_of

if TYPE_CHECKING:
    from docker import APIClient


def options(settings: DockerSettings, *, trial: bool = False) -> dict[str, Any]:
    """Return options of a container that Docker's API creates; networks are joined later, by `join`.

    Args:
        settings: what the container runs with.
        trial: whether it may write nothing that stays: each volume that it may write is then an empty one,
            which goes with the container.

    """
    found: dict[str, Any] = {}
    if settings.volumes:
        found["mounts"] = [_mount(mount_of(one), trial=trial) for one in settings.volumes]
    if settings.host_gateway:
        found["extra_hosts"] = {HOST_NAME: HOST_GATEWAY}
    return found


def join(api: APIClient, container: str, networks: Sequence[str]) -> None:
    """Let a container that is not started yet join further networks.

    Raises:
        SetupError: one of them is gone.
        docker.errors.APIError: Docker does not let it join.

    """
    from docker.errors import NotFound

    for name in networks:
        try:
            api.connect_container_to_network(container, name)
        except NotFound as error:
            raise SetupError(
                f"the Docker host has no network {name}",
                where=f"container {container[:12]}",
                consequence="the container was not started",
                fix="curtainup deploy says which key needs it, or makes it with its accessories",
                detail=str(error),
            ) from error


def _mount(one: Mount, *, trial: bool) -> Any:
    from docker.types import Mount as DockerMount

    if trial and not one.read_only:
        return DockerMount(target=one.target, source=None, type="volume")
    return DockerMount(target=one.target, source=one.source, type=one.kind, read_only=one.read_only)
