"""The manifests of the way in: a Gateway, and the routes on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.kubernetes.names import labels
from components.kubernetes.objects import SERVICE_PORT, Manifest
from curtainup.model.release import Deployment
from curtainup.model.targets.kubernetes import OWN_LISTENERS, KubernetesEnvironment

API = "gateway.networking.k8s.io/v1"
AWAITED = "pulumi.com/waitFor"
"""The annotation that says what the provider waits for."""
MOST_BACKENDS = 16
"""How many Services a rule of an HTTPRoute may name."""
_HTTP, _HTTPS = OWN_LISTENERS
_CERTIFIED = (
    f"jsonpath={{.status.listeners[?(@.name=='{_HTTPS}')].conditions[?(@.type=='Programmed')].status}}=True"
)
"""A Gateway as a whole counts as programmed while a listener has no certificate yet."""


def gateway(settings: KubernetesEnvironment) -> Manifest:
    """Return the environment's own Gateway; the provider waits for its controller, and its certificate."""
    host = {"hostname": settings.host} if settings.host else {}
    own = {"allowedRoutes": {"namespaces": {"from": "Same"}}}
    listeners: list[Manifest] = [{"name": _HTTP, "port": 80, "protocol": "HTTP", **host, **own}]
    awaited = ["condition=Programmed"]
    annotations: dict[str, str] = {}
    if settings.issuer:
        annotations["cert-manager.io/cluster-issuer"] = settings.issuer
        awaited.append(_CERTIFIED)
        certificate = {"kind": "Secret", "group": "", "name": f"{settings.service}-tls"}
        tls = {"mode": "Terminate", "certificateRefs": [certificate]}
        listeners.append({"name": _HTTPS, "port": 443, "protocol": "HTTPS", "tls": tls, **host, **own})
    annotations[AWAITED] = json.dumps(awaited)
    return {
        "apiVersion": API,
        "kind": "Gateway",
        "metadata": {**_metadata(settings, settings.service), "annotations": annotations},
        "spec": {"gatewayClassName": settings.gateway_class, "listeners": listeners},
    }


def unawaited(gateway: Mapping[str, Any]) -> Manifest:
    """Return a Gateway for which nobody waits, because nothing is behind it."""
    metadata = gateway["metadata"]
    annotations = {key: value for key, value in metadata["annotations"].items() if key != AWAITED}
    return {**gateway, "metadata": {**metadata, "annotations": annotations}}


def route(settings: KubernetesEnvironment, deployment: Deployment) -> Manifest:
    """Return the route whose weights are the shares of traffic."""
    rule: Manifest = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": _backends(settings, deployment),
    }
    if settings.route_has_timeout:
        rule["timeouts"] = {"request": f"{settings.request_timeout}s"}
    return _route(settings, settings.service, settings.serving_listeners, rule)


def redirect(settings: KubernetesEnvironment) -> Manifest:
    """Return the route that sends plain HTTP to HTTPS."""
    target = {"scheme": "https", "statusCode": 301}
    rule = {"filters": [{"type": "RequestRedirect", "requestRedirect": target}]}
    return _route(settings, f"{settings.service}-redirect", (settings.http_listener,), rule)


def redirects(settings: KubernetesEnvironment) -> bool:
    """Return whether plain HTTP leads to HTTPS."""
    return bool(settings.http_listener) and settings.is_secure


def _route(
    settings: KubernetesEnvironment, name: str, listeners: tuple[str, ...], rule: Manifest
) -> Manifest:
    namespace, gateway_name = settings.gateway_place
    parents = [{"name": gateway_name, "namespace": namespace, "sectionName": one} for one in listeners]
    hosts = {"hostnames": [settings.host]} if settings.host else {}
    return {
        "apiVersion": API,
        "kind": "HTTPRoute",
        "metadata": _metadata(settings, name),
        "spec": {"parentRefs": parents, **hosts, "rules": [rule]},
    }


def _backends(settings: KubernetesEnvironment, deployment: Deployment) -> list[dict[str, Any]]:
    """Return the releases with traffic, and for a Gateway that needs it the newest others, if there is room.

    A release without traffic whose Service somebody has removed would take the others' traffic away, too: a
    controller may answer 500 for a whole rule of which it does not know one Service, whatever its weight.
    """
    traffic = deployment.traffic
    age = {one.id: at for at, one in enumerate(reversed(deployment.releases))}
    may_be = [one for one in age if traffic.get(one) or settings.route_names_idle]
    named = sorted(may_be, key=lambda one: (not traffic.get(one), age[one]))[:MOST_BACKENDS]
    return [
        {"name": settings.workload(one.id), "port": SERVICE_PORT, "weight": traffic.get(one.id, 0)}
        for one in deployment.releases
        if one.id in named
    ]


def _metadata(settings: KubernetesEnvironment, name: str) -> Manifest:
    return {"name": name, "namespace": settings.namespace, "labels": labels(settings)}
