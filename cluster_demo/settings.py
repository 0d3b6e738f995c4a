"""The configuration of the demo's service, for the cluster that was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from curtainup.errors import SetupError
from curtainup.setup.cluster.models import Cluster, Gateway

BASE, OVERLAY = "kubernetes", "kubernetes-demo"
"""The configuration that comes with the service, and the one that is written beside it."""
DOMAIN = "localhost"
"""Names below it lead to this machine, for browsers and for curl."""
_HEAD = "# Written by the demo, for the cluster that it has found.\n"


@dataclass(frozen=True)
class Asked:
    """What somebody wants of the demo.

    Attributes:
        context: of the kubeconfig; None is its current one.
        docker_repo: a registry that both this machine and the cluster reach; None is one of this machine.
        gateway_class: of Gateways; None is the cluster's only one.

    """

    context: str | None = None
    docker_repo: str | None = None
    gateway_class: str | None = None


def keys(
    base: Mapping[str, Any], cluster: Cluster, repository: str, asked: Asked, classes: Sequence[str]
) -> dict[str, Any]:
    """Return the configuration of the service.

    Args:
        base: what comes with it.
        cluster: where it is deployed.
        repository: where its images go.
        asked: what somebody wants.
        classes: of Gateways that the cluster has; empty where it has no Gateway API.

    """
    name = f"{base['name']}-demo"  # `make demo` has the other name
    found = {**base, "name": name, "kube_context": cluster.context, "docker_repo": repository}
    if cluster.gateway is not None:
        return {**found, **_shared(name, cluster.gateway)}
    if asked.gateway_class:
        return {**found, "gateway_class": asked.gateway_class}
    return found if classes else {**found, "gateway": "none"}


def _shared(name: str, gateway: Gateway) -> dict[str, str]:
    """Return the keys of a service on a Gateway that carries others too, and is told them apart by host."""
    return {
        "gateway": f"{gateway.namespace}/{gateway.name}",
        "live_host": f"{name}.{DOMAIN}",
        "staging_host": f"{name}-staging.{DOMAIN}",
    }


def answers_at(cluster: Cluster, url: str) -> str:
    """Return where a browser on this machine finds what the cluster's Gateway serves at a URL."""
    if cluster.gateway is None:
        return url
    port = urlsplit(cluster.gateway.url).port
    return f"http://{urlsplit(url).hostname}:{port}"


def require_repository(cluster: Cluster, asked: Asked) -> None:
    """Check that the cluster can pull the image.

    Raises:
        SetupError: nobody knows from where.

    """
    if cluster.folder is None and not asked.docker_repo:
        raise SetupError(
            "somebody else's cluster cannot pull images from this machine",
            where=f"context {cluster.context} of {cluster.kubeconfig}",
            consequence="nothing was built or changed",
            fix="the same make command with DOCKER_REPO=HOST/ACCOUNT, a registry that both reach; "
            "or `unset KUBECONFIG`, and a cluster is started here",
        )


def write(service: Path, content: str) -> None:
    """Write the configuration beside the service's own; git ignores it."""
    (service / f"pym-config.{OVERLAY}.yaml").write_text(_HEAD + content)
