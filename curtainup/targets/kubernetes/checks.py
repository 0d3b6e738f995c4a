"""What the doctor looks at of a cluster; nothing is changed there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.errors import SetupError
from curtainup.model.checks import Found, Piece
from curtainup.model.names import Names
from curtainup.model.targets.kubernetes import NO_GATEWAY
from curtainup.platforms.kubernetes import gateways
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.setup import extras
from curtainup.targets import plugin_check
from curtainup.targets.grouping import Grouped, grouped
from curtainup.targets.kubernetes import permissions
from curtainup.targets.kubernetes.permissions import Rule

SDK = "Kubernetes SDK"
OLDEST = (1, 30)
"""The first version in which a pod's preStop can sleep by itself (PodLifecycleSleepAction, beta and on)."""
METRICS = "/apis/metrics.k8s.io/v1beta1"
LEVEL = "pod-security.kubernetes.io/enforce"

Reach = Callable[[], Cluster]


@dataclass(frozen=True)
class Way:
    """How users come to an environment: by a Gateway, one of a class that is made, or none."""

    gateway: str | None
    made: str | None
    host: str


def of_service(service: ServiceConfig, environments: Sequence[EnvironmentConfig]) -> list[Piece]:
    """Return everything to look at for a service's environments on Kubernetes."""
    import os

    return [*pieces(service, environments, Clusters(os.environ)), plugin_check.piece("kubernetes", needs=SDK)]


def pieces(
    service: ServiceConfig, environments: Sequence[EnvironmentConfig], clusters: Clusters
) -> list[Piece]:
    """Return what to look at for environments on clusters.

    Args:
        service: the service.
        environments: those on Kubernetes.
        clusters: of the deployer's kubeconfig.

    """
    found = [Piece(SDK, _sdk)]
    for group in grouped((one.environment, one.kube_context or "") for one in environments):
        own = [one for one in environments if (one.kube_context or "") == group.value]
        found += _of_cluster(service, own, clusters, group)
    return found


def _of_cluster(
    service: ServiceConfig,
    environments: Sequence[EnvironmentConfig],
    clusters: Clusters,
    group: Grouped[str],
) -> list[Piece]:
    reach = cache(lambda: clusters.of(group.value or None))
    cluster = f"Kubernetes cluster{group.suffix}"
    names = Names(service.name)
    ways = grouped(
        (one.environment, Way(one.gateway, one.gateway_class, service.gateway_host(one.environment) or ""))
        for one in environments
        if one.gateway != NO_GATEWAY
    )
    needs = permissions.rules(
        gateways=any(one.gateway != NO_GATEWAY for one in environments),
        schedules=any(one.schedule for one in environments),
    )
    scaled = [one for one in environments if (one.max_replicas or 0) > one.replicas]
    spaces = [names.environment(one.environment) for one in environments]
    return [
        Piece(cluster, partial(_cluster, reach), needs=SDK),
        Piece(
            f"Kubernetes permissions{group.suffix}",
            partial(_permissions, reach, spaces, needs),
            needs=cluster,
        ),
        *(
            Piece(f"Gateway{one.suffix or group.suffix}", partial(_gateway, reach, one.value), needs=cluster)
            for one in ways
        ),
        *(
            [Piece(f"Kubernetes metrics{group.suffix}", partial(_metrics, reach), needs=cluster)]
            if scaled
            else []
        ),
        Piece(f"Pod Security{group.suffix}", partial(_security, reach, spaces), needs=cluster),
    ]


def _sdk() -> Found:
    extras.require(extras.KUBERNETES)
    found = extras.versions(extras.KUBERNETES)
    told = ", ".join(f"{name} {version}" for name, version in found.items())
    return Found(found["pulumi-kubernetes"], told)


def _cluster(reach: Reach) -> Found:
    cluster = reach()
    with cluster.said_clearly():
        version = cluster.get("/version")
    found = f"{version.get('major')}.{version.get('minor')}"
    numbers = [int(one) for one in re.findall(r"\d+", found)[:2]]
    if tuple(numbers) < OLDEST:
        raise SetupError(
            f"the cluster has Kubernetes {version.get('gitVersion')}",
            where=str(cluster),
            fix=f"use a cluster with Kubernetes {'.'.join(str(one) for one in OLDEST)} or later",
        )
    return Found(str(version.get("gitVersion")), f"{cluster}, {cluster.identity}")


def _permissions(reach: Reach, namespaces: Sequence[str], needs: Sequence[Rule]) -> Found:
    cluster = reach()
    lacking: dict[str, None] = {}
    with cluster.said_clearly():
        for namespace in namespaces:
            for one in permissions.missing(cluster, namespace, needs):
                lacking[f"{one} in {namespace}"] = None
    if lacking:
        raise SetupError(
            f"the deployer lacks {len(lacking)} permissions",
            where=str(cluster),
            fix="give the deployer the Role of docs/kubernetes.md",
            detail="\n".join(lacking),
        )
    return Found(None, f"all {permissions.count(needs)} that a deployment uses")


def _gateway(reach: Reach, way: Way) -> Found:
    cluster = reach()
    try:
        version = cluster.get("/apis/gateway.networking.k8s.io").get("preferredVersion") or {}
    except Refused as refused:
        raise SetupError(
            "the cluster has no Gateway API", where=str(cluster), fix=gateways.INSTALL
        ) from refused
    api = str(version.get("version") or "")
    if way.gateway:
        found = gateways.listeners(cluster, way.gateway, way.host, gateways.Listeners.of(None))
        names = ", ".join(one for one in (found.http, found.https) if one)
        return Found(api, f"{way.gateway}, with the listeners {names}")
    there = gateways.classes(cluster)
    if way.made and way.made not in there:
        raise SetupError(
            f"the cluster has no accepted GatewayClass {way.made}",
            where="gateway_class in pym-config.yaml",
            fix=f"name one of these: {', '.join(there)}" if there else gateways.INSTALL,
        )
    return Found(api, f"of class {way.made or gateways.only_class(cluster)}")


def _metrics(reach: Reach) -> Found:
    cluster = reach()
    try:
        cluster.get(METRICS)
    except Refused as refused:
        raise SetupError(
            "the cluster measures no load, so the number of pods cannot follow it",
            where=str(cluster),
            fix="install metrics-server, or remove max_replicas from pym-config.yaml",
            detail=refused.message,
        ) from refused
    return Found(None, "for the autoscaler")


def _security(reach: Reach, namespaces: Sequence[str]) -> Found:
    cluster, told = reach(), []
    for name in namespaces:
        with cluster.said_clearly():
            found = cluster.find(f"/api/v1/namespaces/{name}")
        level = (
            "not there yet" if found is None else (found["metadata"].get("labels") or {}).get(LEVEL, "none")
        )
        told.append(f"{name}: {level}")
    return Found(None, ", ".join(told))
