"""How this machine reaches a Gateway: by the URL that users have, by its address, or through the API server.

A cluster on a laptop, or in a network of its own, gives a Gateway an address that nobody else reaches; and a
name may lead there only later. The requests bear the environment's host, so that the Gateway takes them.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from curtainup.model.targets.kubernetes import gateway_url
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.forward import Door
from curtainup.platforms.kubernetes.gateways import API
from curtainup.util.deadlines import within

PATIENCE = 2.0
"""Seconds in which a name has to be found, and something has to listen there."""
_ENVOY = "gateway.envoyproxy.io/owning-gateway"
OWNED = (
    "gateway.networking.k8s.io/gateway-name={name}",
    f"{_ENVOY}-name={{name}},{_ENVOY}-namespace={{namespace}}",
)
"""The labels of what a controller makes for a Gateway: the standard's (GEP-1762), and Envoy Gateway's."""


def is_reached(url: str) -> bool:
    """Return whether something listens where a URL leads, as far as this machine knows."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        within(PATIENCE, lambda: socket.create_connection((str(parts.hostname), port), PATIENCE).close())
    except (OSError, TimeoutError, UnicodeError):
        return False
    return True


def address_url(cluster: Cluster, namespace: str, name: str) -> str | None:
    """Return the URL of a Gateway's own address; None if it has none.

    Raises:
        Refused: the API server refuses.
        SetupError: it does not answer.

    """
    gateway = cluster.find(f"{API}/namespaces/{namespace}/gateways/{name}") or {}
    return gateway_url(gateway.get("status")) or None


def services(cluster: Cluster, namespace: str, name: str) -> list[dict[str, Any]]:
    """Return the Services through which a controller leads to a Gateway; empty where it has none."""
    for labels in OWNED:
        found = cluster.items("/api/v1/services", labelSelector=labels.format(name=name, namespace=namespace))
        if found:
            return found
    return []


def is_inside(service: Mapping[str, Any], url: str) -> bool:
    """Return whether a URL leads to a Service's address inside the cluster, elsewhere to whoever has that."""
    spec = service.get("spec") or {}
    return urlsplit(url).hostname in {*(spec.get("clusterIPs") or ()), spec.get("clusterIP")}


def may_be_inside(url: str) -> bool:
    """Return whether a URL's host is an address of a kind that several networks have."""
    try:
        address = ipaddress.ip_address(str(urlsplit(url).hostname))
    except ValueError:
        return False
    return address.is_private and not address.is_loopback


def doors(cluster: Cluster, service: Mapping[str, Any], port: int) -> list[Door]:
    """Return the pods behind a port of a Service."""
    spec = service["spec"]
    ports = {one["port"]: one.get("targetPort", one["port"]) for one in spec.get("ports") or ()}
    target = ports.get(port)
    selector = ",".join(f"{key}={value}" for key, value in (spec.get("selector") or {}).items())
    if target is None or not selector:
        return []
    namespace = service["metadata"]["namespace"]
    found = []
    for pod in cluster.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector):
        number = target if isinstance(target, int) else _named(pod, str(target))
        if pods.is_ready(pod) and number:
            found.append(Door(pods.name_of(pod), number))
    return found


def _named(pod: Mapping[str, Any], name: str) -> int | None:
    """Return the number of a pod's port by its name."""
    ports = [port for one in pod["spec"]["containers"] for port in one.get("ports") or ()]
    return next((int(one["containerPort"]) for one in ports if one.get("name") == name), None)
