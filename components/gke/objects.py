"""The manifests that only GKE has: its Gateway, and the policies of its load balancer.

Sources: https://cloud.google.com/kubernetes-engine/docs/how-to/deploying-gateways and
https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources
"""

from __future__ import annotations

import pulumi

from components.kubernetes import ways_in
from components.kubernetes.names import labels, runtime
from components.kubernetes.objects import Manifest
from curtainup.model.release import Release
from curtainup.model.targets.gke import GkeEnvironment
from curtainup.model.targets.kubernetes import OWN_LISTENERS, KubernetesSettings

API = "networking.gke.io/v1"
CERTIFICATES = "networking.gke.io/certmap"
"""The annotation of a Gateway that names its certificate map; its listener then names no certificate."""
CHECK_EVERY = 5
"""Seconds between two health checks of the load balancer; one must have ended before the next begins."""
WELL_AFTER, ILL_AFTER = 1, 3


def gateway(
    settings: GkeEnvironment, address: pulumi.Input[str], certificates: pulumi.Input[str] | None
) -> Manifest:
    """Return the environment's own Gateway.

    Args:
        settings: of the environment.
        address: the name of its static address.
        certificates: the name of its certificate map; None is plain HTTP alone.

    """
    found = ways_in.gateway(settings)
    spec = {**found["spec"], "addresses": [{"type": "NamedAddress", "value": address}]}
    metadata = found["metadata"]
    if certificates is not None and settings.https_listener:
        spec["listeners"] = [*spec["listeners"], _secure_listener(settings)]
        annotations = {**metadata["annotations"], CERTIFICATES: certificates}
        metadata = {**metadata, "annotations": annotations}
    return {**found, "metadata": metadata, "spec": spec}


def health_check(settings: GkeEnvironment, release: Release) -> Manifest:
    """Return how the load balancer finds out whether the pods of a release are well.

    By itself it asks for `/`, and takes nothing but 200 for an answer.
    """
    own = runtime(release)
    check = {"port": own.container_port, "requestPath": own.health_path, **_host(own)}
    default = {
        "checkIntervalSec": max(CHECK_EVERY, own.health_timeout),
        "timeoutSec": own.health_timeout,
        "healthyThreshold": WELL_AFTER,
        "unhealthyThreshold": ILL_AFTER,
        "config": {"type": "HTTP", "httpHealthCheck": check},
    }
    return _policy(settings, release, "HealthCheckPolicy", default)


def backend(settings: GkeEnvironment, release: Release) -> Manifest:
    """Return how long the load balancer waits for an answer, and for those that are under way."""
    own = runtime(release)
    default = {
        "timeoutSec": settings.request_timeout,
        "connectionDraining": {"drainingTimeoutSec": own.drain_timeout},
    }
    return _policy(settings, release, "GCPBackendPolicy", default)


def _policy(settings: GkeEnvironment, release: Release, kind: str, default: Manifest) -> Manifest:
    name = settings.workload(release.id)
    return {
        "apiVersion": API,
        "kind": kind,
        "metadata": {"name": name, "namespace": settings.namespace, "labels": labels(settings, release)},
        "spec": {"default": default, "targetRef": {"group": "", "kind": "Service", "name": name}},
    }


def _secure_listener(settings: GkeEnvironment) -> Manifest:
    host = {"hostname": settings.host} if settings.host else {}
    own = {"allowedRoutes": {"namespaces": {"from": "Same"}}}
    return {"name": OWN_LISTENERS[1], "port": 443, "protocol": "HTTPS", **host, **own}


def _host(own: KubernetesSettings) -> dict[str, str]:
    named = {name.lower(): value for name, value in own.probe_headers.items()}
    return {"host": named["host"]} if "host" in named else {}
