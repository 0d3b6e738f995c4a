"""A cluster that is there, and its gateway; one of curtainup's own notes both for whoever comes later."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from curtainup.setup.cluster.place import Place, every


@dataclass(frozen=True)
class Gateway:
    """A Gateway that carries traffic.

    Attributes:
        namespace: where it is.
        name: what it is called.
        gateway_class: the class of those that others make.
        url: where this machine reaches it.

    """

    namespace: str
    name: str
    gateway_class: str
    url: str


@dataclass(frozen=True)
class Cluster:
    """A cluster that is there.

    Attributes:
        kubeconfig: what `KUBECONFIG` is to be: a file, or several of somebody else's.
        context: the context in it.
        gateway: the gateway that curtainup has put on it; None where it has put none.
        kubectl: the command of a kubectl.
        id: what tells a cluster of curtainup's own from others; empty for one of somebody else's.
        folder: goes with the cluster; None where somebody else has made it.
        repository: what `docker_repo` has to be so that its nodes can pull; empty where any registry on this
            machine's loopback address will do, and where nobody knows.

    """

    kubeconfig: str
    context: str
    gateway: Gateway | None
    kubectl: tuple[str, ...]
    id: str = ""
    folder: Path | None = None
    repository: str = ""


def note(place: Place, cluster: Cluster) -> None:
    """Note in a cluster's folder how it is used; the next one who reads it meets all of it or nothing."""
    gateway = cluster.gateway
    told = {
        "kubectl": list(cluster.kubectl),
        "context": cluster.context,
        "gateway": None
        if gateway is None
        else [gateway.namespace, gateway.name, gateway.gateway_class, gateway.url],
    }
    new = place.note.with_suffix(".new")
    new.write_text(json.dumps(told))
    new.replace(place.note)


def noted(place: Place) -> Cluster | None:
    """Return a cluster as its folder says; None while it is starting."""
    try:
        told = json.loads(place.note.read_text())
    except FileNotFoundError:
        return None
    gateway = told["gateway"]
    return Cluster(
        str(place.kubeconfig),
        told["context"],
        Gateway(*gateway) if gateway else None,
        tuple(told["kubectl"]),
        place.id,
        place.folder,
    )


def by_kubeconfig(files: str) -> Cluster | None:
    """Return the cluster of curtainup's own to which a kubeconfig leads; None if it leads to another one.

    Args:
        files: as in the variable `KUBECONFIG`.

    """
    given = Path(files).resolve() if os.pathsep not in files else None
    return next((noted(place) for place in every() if place.kubeconfig == given), None)
