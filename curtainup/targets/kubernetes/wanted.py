"""The settings of an environment on a cluster: as configured, with what the cluster itself says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.errors import RefusedError, SetupError
from curtainup.model.targets.kubernetes import NO_GATEWAY, OWN_LISTENERS, KubernetesEnvironment
from curtainup.platforms.kubernetes import gateways
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.targets.kubernetes import READY_SECONDS, removal

LONGEST = 63
"""Characters of the name of a namespace."""


@dataclass(frozen=True)
class Place:
    """The cluster that an environment is to be on.

    Attributes:
        context: by which the engine finds it.
        identity: what no other cluster has.
        reach: returns it, to be asked.

    """

    context: str
    identity: str
    reach: Callable[[], Cluster]


def settings(
    service: ServiceConfig,
    config: EnvironmentConfig,
    place: Place,
    namespace: str,
    state: str,
    known: KubernetesEnvironment | None,
) -> KubernetesEnvironment:
    """Return the settings of an environment.

    Args:
        service: the service.
        config: of the environment.
        place: where it is to be.
        namespace: its own.
        state: the name of what it belongs to.
        known: its settings until now; None if it has none.

    Raises:
        SetupError: the cluster does not answer, or lacks what is configured.
        ConfigError: the cluster has several classes of Gateways, and none is named.
        RefusedError: the Gateway does not let the environment's host in.

    """
    host = service.gateway_host(config.environment) or ""
    found = _gateway(config, place.reach, host, known)
    return KubernetesEnvironment(
        service=service.name,
        name=config.environment,
        generation=known.generation if known else 0,
        context=place.context,
        cluster=place.identity,
        namespace=namespace,
        host=host,
        issuer=issuer(config, host),
        min_replicas=config.replicas,
        max_replicas=config.max_replicas or config.replicas,
        autoscale_cpu=config.autoscale_cpu,
        image_pull_secret=config.image_pull_secret or "",
        request_timeout=config.request_timeout,
        ready_timeout=config.ready_timeout or READY_SECONDS,
        state=state,
    ).model_copy(update=found)


def issuer(config: EnvironmentConfig, host: str) -> str:
    """Return who certifies an environment; nobody certifies one without a host."""
    return (config.cert_issuer or "") if host else ""


def _gateway(
    config: EnvironmentConfig, reach: Callable[[], Cluster], host: str, known: KubernetesEnvironment | None
) -> dict[str, str]:
    """Return by which Gateway users come: one that is there, one that is made, or none."""
    if config.gateway == NO_GATEWAY:
        return {"gateway": NO_GATEWAY, "http_listener": ""}
    if config.gateway:
        same = known if known is not None and known.gateway == config.gateway else None
        found = gateways.listeners(reach(), config.gateway, host, gateways.Listeners.of(same))
        return {"gateway": config.gateway, "http_listener": found.http, "https_listener": found.https}
    kept = known.gateway_class if known is not None and known.makes_gateway else ""
    made = config.gateway_class or kept or gateways.only_class(reach())
    return {"gateway_class": made, "https_listener": OWN_LISTENERS[1] if issuer(config, host) else ""}


def rehearsed(namespace: str) -> str:
    """Return the namespace of a rehearsal of an environment, of which that one is the namespace."""
    named = f"{namespace}-rehearsal"
    if len(named) <= LONGEST:
        return named
    return f"rehearsal-{hashlib.sha256(namespace.encode()).hexdigest()[:16]}"


def require_free(cluster: Cluster, namespace: str) -> None:
    """Check that a cluster has no namespace of that name: what is in one may be somebody else's.

    Raises:
        RefusedError: it has one.
        SetupError: one is still being deleted, or the cluster does not answer.

    """
    where = f"namespace {namespace}, {cluster}"
    with cluster.said_clearly():
        found = cluster.find(f"/api/v1/namespaces/{namespace}")
    if found is None:
        return
    if found["metadata"].get("deletionTimestamp"):
        raise SetupError(
            f"the namespace {namespace} is still being deleted",
            where=where,
            consequence="nothing was built or changed",
            fix=f"wait; if it stays, `kubectl get namespace {namespace} -o yaml` says what holds it",
            detail=removal.holding(found) or None,
        )
    raise RefusedError(
        f"the cluster has a namespace {namespace} already, which this state does not know",
        where=where,
        consequence="what is in it may be somebody else's, so nothing was done",
        fix="give the service another name, or delete the namespace if nobody needs it: "
        f"kubectl delete namespace {namespace}",
    )
