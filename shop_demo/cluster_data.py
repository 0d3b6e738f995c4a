"""PostgreSQL and Redis on a cluster, where curtainup keeps no accessories: one of each for an environment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import yaml

from cluster_demo.driver import say
from curtainup.engine.aftermath import cluster_objects
from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import cluster as api
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.setup import docker_engine
from curtainup.setup.cluster.models import Cluster
from shop_demo import images, kept
from shop_demo.images import POSTGRES, REDIS, Part

MANIFEST = Path(__file__).parent / "data.yaml"
ENVIRONMENTS = ("staging", "live")
PATIENCE = 300.0
"""Seconds in which a cluster pulls the images and starts them."""
LABELS = {"app.kubernetes.io/part-of": "curtainup-demo-shop"}
"""On all that the demo makes; what has them not belongs to somebody else."""


def put(cluster: Cluster, repository: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Put them on a cluster, wait until they can be used, and return the variables of the shop.

    Args:
        cluster: which one.
        repository: from which it pulls what is made on this machine.
        environ: the variables of commands.

    Raises:
        SetupError: an image cannot be had, the cluster refuses something, or they do not start.

    """
    found = kept.values()
    named = images_for(cluster, repository)
    there = Clusters(environ).of(cluster.context)
    for environment in ENVIRONMENTS:
        apply(there, environment, named, found["POSTGRES_PASSWORD"])
    for environment in ENVIRONMENTS:
        wait(there, namespace(environment))
    return found


def apply(there: api.Cluster, environment: str, named: Mapping[Part, str], password: str) -> None:
    """Create the objects of one environment; one that is there gets what is wanted.

    Raises:
        SetupError: the cluster refuses one, or has one of somebody else; then nothing is changed.

    """
    wanted = objects(environment, named, password)
    with there.said_clearly():
        found = {_path(one): there.find(_path(one)) for one in wanted}
        for path, known in found.items():
            _require_own(there, path, known)
        for one in wanted:
            if found[_path(one)] is None:
                there.create(_path(one).rpartition("/")[0], one)
            else:
                there.patch(_path(one), one)


def _require_own(there: api.Cluster, path: str, known: Mapping[str, Any] | None) -> None:
    if known is None or LABELS.items() <= (known["metadata"].get("labels") or {}).items():
        return
    raise SetupError(
        "the cluster has an object of somebody else where the demo puts its database",
        where=f"{path}, {there}",
        consequence="nothing was changed there, and the shop was not deployed",
        fix="give another cluster: make demo-shop TARGET=kubernetes CONTEXT=…",
    )


def namespace(environment: str) -> str:
    """Return the namespace of an environment's data, which pym-config.kubernetes.yaml names."""
    return f"shop-data-{environment}"


def objects(environment: str, named: Mapping[Part, str], password: str) -> list[dict[str, Any]]:
    """Return the objects of one environment.

    Args:
        environment: its name.
        named: the image of each part.
        password: of the database.

    """
    filled = {
        "NAMESPACE": namespace(environment),
        "PASSWORD": password,
        "IMAGE_OF_POSTGRES": named[POSTGRES],
        "IMAGE_OF_REDIS": named[REDIS],
    }
    found = [_filled(one, filled) for one in yaml.safe_load_all(MANIFEST.read_text())]
    return [{**one, "metadata": {**one["metadata"], "labels": LABELS}} for one in found]


def _filled(value: Any, filled: Mapping[str, str]) -> Any:
    """Return a part of an object, in which each text that stands for another is that other one."""
    if isinstance(value, dict):
        return {key: _filled(one, filled) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, filled) for one in value]
    return filled.get(value, value) if isinstance(value, str) else value


def images_for(cluster: Cluster, repository: str) -> dict[Part, str]:
    """Return the image of each part, by a name by which the cluster can pull it."""
    if cluster.folder is None:
        return {part: part.public for part in (POSTGRES, REDIS)}
    with closing(docker_engine.connect(os.environ)) as client:
        return {part: _pushed(client, part, repository) for part in (POSTGRES, REDIS)}


def _pushed(client: docker.DockerClient, part: Part, repository: str) -> str:
    """Return the name of a part's image in the registry of a cluster."""
    found = images.reference(client, part, say)
    name, tag = f"{repository}/{part.name}", found.rpartition(":")[2]
    client.images.get(found).tag(name, tag=tag)
    said: Iterator[dict[str, Any]] = client.images.push(name, tag=tag, stream=True, decode=True)
    refused = [str(one["error"]) for one in said if "error" in one]
    client.images.remove(f"{name}:{tag}")  # its other name stays
    if refused:
        raise SetupError(
            f"the image {found} could not be pushed for the cluster",
            where=name,
            consequence="the shop was not deployed",
            fix="make cluster-down, and the same again",
            detail=refused[-1],
        )
    return f"{name}:{tag}"


def _path(wanted: Mapping[str, Any]) -> str:
    path = cluster_objects.path_of(wanted)
    if path is None:
        raise TypeError(f"nobody knows where a {wanted['kind']} belongs")
    return path


def wait(there: api.Cluster, of: str) -> None:
    """Wait until both can be used.

    Raises:
        SetupError: one cannot, after a long time.

    """
    deadline = time.monotonic() + PATIENCE
    say(f"waiting for PostgreSQL and Redis in {of}")
    while waiting := _not_ready(there, of):
        if time.monotonic() > deadline:
            raise SetupError(
                f"{' and '.join(waiting)} in {of} did not start within {PATIENCE:g} s",
                where=str(there),
                consequence="the shop was not deployed",
                fix=f"kubectl describe pods --namespace {of} says why",
            )
        time.sleep(0.5)


def _not_ready(there: api.Cluster, of: str) -> Sequence[str]:
    with there.said_clearly():
        found = there.items(f"/apis/apps/v1/namespaces/{of}/deployments")
    return [str(one["metadata"]["name"]) for one in found if not _is_ready(one)]


def _is_ready(deployment: Mapping[str, Any]) -> bool:
    status = deployment.get("status", {})
    if status.get("observedGeneration") != deployment["metadata"]["generation"]:
        return False
    return bool(status.get("updatedReplicas") == status.get("readyReplicas") == 1)
