"""What carries our labels on a Docker host and is in no state.

A provider that is killed while it creates a container leaves one that Pulumi never hears of. It blocks its
name, as the next update wants to create it again. The label of the state tells such a stray from what belongs
to somebody else's state: each environment, and each registry, has a random one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curtainup.errors import RefusedError
from curtainup.platforms.docker import errors
from curtainup.platforms.docker.labels import ACCESSORY, ENVIRONMENT, LOCK, RUN, SERVICE, STATE, TASK

if TYPE_CHECKING:
    import docker

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"


@dataclass(frozen=True)
class Scope:
    """What one stack holds on a Docker host.

    Attributes:
        service: the service's name.
        environment: the environment's; None is the service's registry.
        state: the random name of the state that it belongs to; empty if it was made without one.
        accessories: whether it holds what is beside the environment's releases, and not these.

    """

    service: str
    environment: str | None
    state: str
    accessories: bool = False


@dataclass(frozen=True)
class Found:
    """A container, network or volume that is in no state.

    Attributes:
        kind: its type in Pulumi.
        id: as the Docker engine takes it.
        name: of it.
        is_own: whether it belongs to the state that does not know it.

    """

    kind: str
    id: str
    name: str
    is_own: bool


def scope_of(config: Mapping[str, Any]) -> Scope | None:
    """Return what a stack with that configuration holds on a Docker host; None if that is nothing.

    Args:
        config: by key, with or without namespace.

    """
    plain = {key.rpartition(":")[2]: value for key, value in config.items()}
    environment, registry = plain.get("environment"), plain.get("registry")
    accessories = plain.get("accessories")
    if isinstance(environment, Mapping) and environment.get("target") == "docker":
        state = str(environment.get("state") or "")
        return Scope(str(environment["service"]), str(environment["name"]), state)
    if isinstance(accessories, Mapping):
        owner = str(accessories["service"]), str(accessories["environment"])
        return Scope(*owner, str(accessories["state"]), accessories=True)
    if isinstance(registry, Mapping) and registry.get("kind") == "local":
        return Scope(str(plain.get("service")), None, str(registry.get("state") or ""))
    return None


def find(client: docker.DockerClient, scope: Scope, resources: Sequence[Mapping[str, Any]]) -> list[Found]:
    """Return what carries the labels of a stack and is not in its state, containers first.

    Args:
        client: the Docker engine.
        scope: what to look for.
        resources: the stack's, as Pulumi remembers them.

    Raises:
        SetupError: the Docker engine does not answer.

    """
    with _said_clearly():
        return list(_found(client, scope, resources))


def require_own(scope: Scope, found: Sequence[Found]) -> None:
    """Check that nothing stands on the Docker host where a stack's resources are to be.

    Raises:
        RefusedError: something does that another state knows, or nobody.

    """
    names = sorted(one.name for one in found if not one.is_own)
    if names:
        what = (
            f"{scope.environment} of {scope.service}"
            if scope.environment
            else f"the registry of {scope.service}"
        )
        raise RefusedError(
            f"{what} is on this Docker host already, and belongs to another state",
            where=", ".join(names),
            consequence="somebody else's deployment could be lost, so nothing was created",
            fix="use the state that it was made with (`backend:` in pym-config.yaml), or set another `name:`",
        )


def remove(client: docker.DockerClient, found: Sequence[Found], note: Callable[[str], None]) -> None:
    """Remove what belongs to a stack and is not in its state. The caller holds the service's lock.

    Raises:
        SetupError: the Docker engine does not answer.

    """
    with _said_clearly():
        for one in found:
            if one.is_own:
                _remove(client, one)
                note(f"removed {one.name}, which a run that was cut off had created")


def _found(
    client: docker.DockerClient, scope: Scope, resources: Sequence[Mapping[str, Any]]
) -> Iterator[Found]:
    """Yield what carries the labels of a stack and is not recorded in its state: containers first.

    A volume of an accessory is none: it may hold data, and an update that creates it takes it as it is.
    """
    known = {str(one.get("id")) for one in resources}
    own = {(one.get("outputs") or {}).get("name") for one in resources if one.get("type") == NETWORK}
    wanted = {"label": [f"{SERVICE}={scope.service}"]}
    if scope.environment is not None:
        wanted["label"].append(f"{ENVIRONMENT}={scope.environment}")
    for one in client.api.containers(all=True, filters=wanted):
        name, labels = str(one["Names"][0]).lstrip("/"), one["Labels"]
        if one["Id"] not in known and _is_of(scope, name, labels):
            beside = not own.isdisjoint((one.get("NetworkSettings") or {}).get("Networks") or {})
            yield Found(CONTAINER, one["Id"], name, _is_own(scope, labels, beside=beside))
    for one in client.api.networks(filters=wanted):
        if one["Id"] not in known and _is_of(scope, one["Name"], one["Labels"]):
            yield Found(NETWORK, one["Id"], one["Name"], _is_own(scope, one["Labels"], beside=False))
    for one in () if scope.accessories else client.api.volumes(filters=wanted)["Volumes"] or ():
        if one["Name"] not in known and _is_of(scope, one["Name"], one["Labels"]):
            yield Found(VOLUME, one["Name"], one["Name"], _is_own(scope, one["Labels"], beside=False))


def _is_of(scope: Scope, name: str, labels: Mapping[str, str]) -> bool:
    """Return whether a stack makes it, and not a run beside Pulumi, which has its own labels.

    Whatever somebody runs from the service's image has its label too: the registry is known by name.
    """
    if any(label in labels for label in (RUN, LOCK, TASK)) or (ACCESSORY in labels) != scope.accessories:
        return False
    return scope.environment is not None or name == f"{scope.service}-registry"


def _is_own(scope: Scope, labels: Mapping[str, str], *, beside: bool) -> bool:
    """Return whether a stray is of this state: by its label, or without one by the network that it is on."""
    if STATE in labels:
        return labels[STATE] == scope.state
    return beside


def _remove(client: docker.DockerClient, one: Found) -> None:
    from docker.errors import NotFound

    try:
        if one.kind == CONTAINER:
            client.api.remove_container(one.id, force=True, v=True)
        elif one.kind == NETWORK:
            client.api.remove_network(one.id)
        else:
            client.api.remove_volume(one.id)
    except NotFound:
        return


def _said_clearly() -> AbstractContextManager[None]:
    return errors.translated(
        "the Docker engine does not tell what it runs",
        where="containers with curtainup's labels",
        consequence="nothing was changed",
    )
