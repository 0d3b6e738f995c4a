"""A registry on this machine's loopback address, for a cluster that curtainup has started here."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager

from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from curtainup.errors import SetupError
from curtainup.setup import docker_engine
from curtainup.setup.base_images.catalogue import REFERENCES

PORT = 5000
HOST = "127.0.0.1"
ACCOUNT = "local"
"""The account of images in it."""
OWNER, CLUSTER = "curtainup.cluster-registry.uid", "curtainup.cluster-registry"
"""The labels of its container: whose it is, and which cluster's."""


def _owner() -> str:
    return str(os.getuid())


def name(cluster: str) -> str:
    """Return the name of the registry's container."""
    return f"curtainup-cluster-registry-{_owner()}-{cluster}"


def inside(cluster: str) -> str:
    """Return where containers on its Docker networks reach the registry."""
    return f"http://{name(cluster)}:{PORT}"


def ensure(cluster: str) -> str:
    """Start the registry of a cluster if it does not run, and return its address, `HOST:PORT`.

    It keeps its port while it is stopped, as the names of images hold it.

    Args:
        cluster: what tells the cluster from others: an id of curtainup's own, or the name of a tool.

    Raises:
        SetupError: no Docker engine answers, or it refuses.

    """
    with _engine() as client:
        container = _found(client, cluster) or _made(client, cluster)
        container.start()
        container.reload()
        return f"{HOST}:{container.attrs['HostConfig']['PortBindings'][f'{PORT}/tcp'][0]['HostPort']}"


def join(cluster: str, network: str) -> None:
    """Let containers on a Docker network reach the registry of a cluster by its name.

    Raises:
        SetupError: as `ensure`.

    """
    with _engine() as client:
        container = client.containers.get(name(cluster))
        if network not in container.attrs["NetworkSettings"]["Networks"]:
            client.networks.get(network).connect(container)


def sweep(there: Collection[str]) -> None:
    """Remove the registries of this user's clusters that are gone.

    Args:
        there: the clusters that are not.

    Raises:
        SetupError: as `ensure`.

    """
    with _engine() as client:
        mine = client.containers.list(all=True, filters={"label": f"{OWNER}={_owner()}"})
        for container in mine:
            if container.labels[CLUSTER] not in there:
                _remove(container)


def remove(cluster: str) -> None:
    """Remove the registry of a cluster with its images, if it is there.

    Raises:
        SetupError: as `ensure`.

    """
    with _engine() as client:
        found = _found(client, cluster)
        if found is not None:
            _remove(found)


@contextmanager
def _engine() -> Iterator[DockerClient]:
    with closing(docker_engine.connect(os.environ)) as client:
        try:
            yield client
        except DockerException as error:
            raise SetupError(
                "the Docker engine refuses the registry of a cluster",
                consequence="there is no cluster to try with",
                fix="curtainup doctor --fix",
                detail=str(error),
            ) from error


def _remove(container: Container) -> None:
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return


def _found(client: DockerClient, cluster: str) -> Container | None:
    try:
        return client.containers.get(name(cluster))
    except NotFound:
        return None


def _made(client: DockerClient, cluster: str) -> Container:
    """Make it, unless somebody else has done so just now."""
    labels = {OWNER: _owner(), CLUSTER: cluster}
    bound = {f"{PORT}/tcp": (HOST, _free_port())}
    try:
        return client.containers.create(
            REFERENCES["registry"], name=name(cluster), ports=bound, labels=labels
        )
    except APIError:
        if (found := _found(client, cluster)) is None:
            raise
        return found


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind((HOST, 0))
        return int(asked.getsockname()[1])
