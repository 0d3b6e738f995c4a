"""A service of the examples on a cluster, from source to live.

The cluster is the one of KUBECONFIG, else one of kind or k3d where they are installed, else one of
curtainup's own. It stays until `make cluster-down`. A second run deploys what has changed meanwhile to the
same cluster.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from cluster_demo import settings, state
from cluster_demo.driver import curtainup, say
from cluster_demo.settings import BASE, OVERLAY, Asked
from curtainup.platforms.kubernetes import gateways
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.setup.cluster import choice
from curtainup.setup.cluster.models import Cluster
from curtainup.setup.cluster.others import registry

Beside = Callable[[Cluster, str, Mapping[str, str]], Mapping[str, str]]
"""Puts what a service needs on a cluster, and returns the variables that lead there.

Its arguments are the cluster, the repository from which it pulls, and the variables of commands.
"""


def show(service: Path, asked: Asked, beside: Beside | None = None) -> int:
    """Take a service live, say where it answers, and return the exit code.

    Args:
        service: its folder, with a configuration for Kubernetes.
        asked: what somebody wants.
        beside: puts what the service needs on the cluster before it is deployed.

    Raises:
        SetupError: there is no cluster, or it does not take what is put beside the service.

    """
    cluster = choice.staying(os.environ, say, context=asked.context)
    settings.require_repository(cluster, asked)
    found = state.variables(cluster.folder, cluster.kubeconfig)
    environ = state.merged(os.environ, found)
    repository = asked.docker_repo or _repository(cluster)
    base = yaml.safe_load((service / f"pym-config.{BASE}.yaml").read_text())
    classes = [] if cluster.gateway else _classes(cluster, environ)
    wanted = settings.keys(base, cluster, repository, asked, classes)
    settings.write(service, yaml.safe_dump(wanted, sort_keys=False))
    if beside is not None:
        found |= beside(cluster, repository, environ)
        environ |= found
    said = ""
    for command in (("doctor", str(service), "--fix"), ("deploy", str(service), "--dirty")):
        code, said = curtainup([*command, "--config", OVERLAY], environ)
        if code != 0:
            return code
    _conclude(cluster, service, found, said, wanted)
    return 0


def _repository(cluster: Cluster) -> str:
    return cluster.repository or f"{registry.ensure(cluster.id)}/{registry.ACCOUNT}"


def _classes(cluster: Cluster, environ: Mapping[str, str]) -> list[str]:
    """Return the classes of Gateways that a cluster has; none without the Gateway API."""
    there = Clusters(environ).of(cluster.context)
    try:
        found = there.find(f"{gateways.API}/gatewayclasses")
    except Refused:
        return []
    return gateways.classes(there) if found is not None else []


def _conclude(
    cluster: Cluster, service: Path, found: dict[str, str], url: str, wanted: Mapping[str, object]
) -> None:
    """Say where live answers, and how to go on."""
    print(settings.answers_at(cluster, url), flush=True)
    if wanted.get("gateway") == "none":
        name = str(wanted["name"])
        forward = f"kubectl port-forward --namespace {name}-live service/{name} 8080:80"
        say(f"it has no Gateway: `{forward}` leads there from http://127.0.0.1:8080")
    if cluster.folder is not None:
        file = state.for_shell(cluster.folder, found)
        say(f"it serves until `make cluster-down`; to work on it: . {file}")
        say(f"then e.g.: curtainup status {service} --config {OVERLAY}")
