"""What is in the way of an environment's accessories, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from curtainup.config import EnvironmentConfig
from curtainup.errors import AccessoryFailed, RefusedError, StateError
from curtainup.model.accessories import AccessoriesSettings, Accessory
from curtainup.platforms.docker import errors
from curtainup.platforms.docker.labels import ACCESSORY, ENVIRONMENT, SERVICE, STATE

if TYPE_CHECKING:
    from docker import DockerClient

    from curtainup.environments.accessories import Accessories

UNTOUCHED = "nothing was built or changed"


def not_accessories(stack: str) -> StateError:
    """Return the error for a stack that holds something else."""
    return StateError(
        "this stack holds something else than the accessories of this service",
        where=f"stack {stack}",
        consequence=UNTOUCHED,
        fix="give the service, or the review environment, another name",
    )


def down(one: Accessories, name: str, trouble: str, log: str) -> AccessoryFailed:
    """Return the error for an accessory that is not well."""
    at = f"--env {one.environment}"
    restart = f"curtainup accessory restart {name} {at}; its log: curtainup accessory logs {name} {at}"
    is_gone = trouble.endswith("is gone")
    return AccessoryFailed(
        f"{name} of {one.environment} is not well: {trouble}",
        where=f"container {one.container(name)}",
        consequence="no release was deployed; the accessory, its data and what serves stay as they are",
        fix=f"curtainup accessory up {at} makes its container again" if is_gone else restart,
        detail=log or None,
    )


def require_names(client: DockerClient, config: EnvironmentConfig) -> None:
    """Check that nothing on the networks that releases join is called like an accessory.

    Raises:
        RefusedError: something is.

    """
    with _said_clearly("the networks that releases join"):
        for network in config.networks:
            for other in client.api.containers(filters={"network": network}):
                taken = {*_aliases(client, other["Id"], network), str(other["Names"][0]).lstrip("/")}
                for name in sorted(taken & set(config.accessories)):
                    raise _ambiguous(name, network, str(other["Names"][0]).lstrip("/"))


def _aliases(client: DockerClient, container: str, network: str) -> list[str]:
    found = client.api.inspect_container(container)["NetworkSettings"]["Networks"].get(network) or {}
    return [*(found.get("Aliases") or ()), *(found.get("DNSNames") or ())]


def _ambiguous(name: str, network: str, other: str) -> RefusedError:
    return RefusedError(
        f"two would be called {name}: the accessory, and {other} on the network {network}",
        where=f"accessories.{name} in pym-config.yaml",
        consequence=f"releases would reach now the one and now the other, so {UNTOUCHED}",
        fix=f"give the accessory another name, or take {network} out of `networks`",
    )


def require_own_volume(
    client: DockerClient, volume: str, wanted: Accessory, settings: AccessoriesSettings | None
) -> None:
    """Check that the volume of an accessory that is to be made is free, or was made for it.

    Raises:
        RefusedError: it belongs to something else, or a container uses it.

    """
    from docker.errors import NotFound

    if not wanted.volume:
        return
    with _said_clearly(f"volume {volume}"):
        try:
            labels = client.api.inspect_volume(volume)["Labels"] or {}
        except NotFound:
            return
        users = client.api.containers(all=True, filters={"volume": volume})
    if not _is_ours(labels, wanted, settings):
        used = f", which {str(users[0]['Names'][0]).lstrip('/')} uses" if users else ""
        raise RefusedError(
            f"there is a volume {volume} already{used}, and this state did not make it",
            where=f"accessories.{wanted.name} in pym-config.yaml",
            consequence=f"its data could be lost, so {UNTOUCHED}",
            fix=f"give the accessory another name; or if nobody needs the data: docker volume rm {volume}",
        )


def _is_ours(labels: Mapping[str, str], wanted: Accessory, settings: AccessoriesSettings | None) -> bool:
    if settings is None:
        return False
    own = {
        SERVICE: settings.service,
        ENVIRONMENT: settings.environment,
        ACCESSORY: wanted.name,
        STATE: settings.state,
    }
    return own.items() <= dict(labels).items()


def require_image(
    client: DockerClient, settings: AccessoriesSettings, name: str, say: Callable[[str], None]
) -> None:
    """Have the Docker engine pull the image of an accessory, unless it has it.

    Raises:
        SetupError: the image is not to be had.

    """
    from docker.errors import ImageNotFound

    one = settings.find(name)
    if one is None:
        return
    with errors.translated(
        f"the image of {name} is not to be had",
        where=one.image,
        consequence="the accessory was not made, and nothing was deployed",
        fix="check its name; for a private registry, run docker login first",
    ):
        try:
            client.images.get(one.image)
        except ImageNotFound:
            say(f"pulling {one.image}")
            repository, tag = _parted(one.image)
            client.images.pull(repository, tag=tag)


def _parted(image: str) -> tuple[str, str]:
    """Return an image's repository, and its tag or digest: Docker pulls all tags if it is told of none."""
    repository, _, digest = image.partition("@")
    if digest:
        return repository, digest
    head, _, tag = image.rpartition(":")
    return (head, tag) if head and "/" not in tag else (image, "latest")


def _said_clearly(where: str) -> AbstractContextManager[None]:
    return errors.translated(
        "the Docker engine does not tell what it has", where=where, consequence=UNTOUCHED
    )
