"""What a killed run was creating on a Kubernetes cluster.

The cluster may have made an object that no state records. It has the name that the next update needs, and the
API server refuses to make it again. The label of the state tells whose it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from threading import Event
from typing import Any, Final, Protocol

from curtainup.config.targets import ON_CLUSTERS
from curtainup.platforms.docker.labels import STATE

PREFIX: Final = "kubernetes:"
"""With what the types of such objects begin in Pulumi."""
GONE_WITHIN, LOOK = 60.0, 0.5
"""Seconds that an object may take to go, and between two looks."""
_PLURALS: Final = {
    "CronJob": "cronjobs",
    "Deployment": "deployments",
    "Gateway": "gateways",
    "HTTPRoute": "httproutes",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "Namespace": "namespaces",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
}


class Api(Protocol):
    """The API server of a cluster."""

    @property
    def identity(self) -> str:
        """What no other cluster has."""

    def said_clearly(self) -> AbstractContextManager[None]:
        """Raise an error for people for what the API server refuses in a block."""

    def find(self, path: str) -> dict[str, Any] | None:
        """Return an object; None if there is none."""

    def delete(self, path: str, **query: str) -> None:
        """Delete an object; what is gone stays gone."""


def context_of(config: Mapping[str, Any]) -> str | None:
    """Return the context that a stack with that configuration is deployed by; None if it is on no cluster."""
    environment = _environment(config)
    return str(environment["context"]) if environment.get("target") in ON_CLUSTERS else None


def removed(
    api: Api, config: Mapping[str, Any], resource: Mapping[str, Any], cancelled: Event
) -> bool | None:
    """Remove an object that a cut-off update was creating.

    Args:
        api: of the cluster.
        config: the stack's configuration, which names the state.
        resource: as the operation that was cut off has it.
        cancelled: is set when the command has to stop.

    Returns:
        Whether there was one; None if it is somebody else's or does not go, or the cluster is another one, so
        that a person has to look.

    Raises:
        CurtainupError: the API server does not answer, or refuses.

    """
    with api.said_clearly():
        return _removed(api, config, resource, cancelled)


def _removed(
    api: Api, config: Mapping[str, Any], resource: Mapping[str, Any], cancelled: Event
) -> bool | None:
    path = path_of(resource.get("inputs") or {})
    if not _is_on(api, _environment(config)):
        return None
    found = None if path is None else api.find(path)
    if path is None or found is None:
        return None if path is None else False
    state = _environment(config).get("state")
    if not state or (found["metadata"].get("labels") or {}).get(STATE) != state:
        return None
    api.delete(path)
    return True if _is_gone(api, path, cancelled) else None


def _is_on(api: Api, environment: Mapping[str, Any]) -> bool:
    """Return whether a cluster is an environment's; the context of one at Google says which one it is."""
    return environment.get("target") != "kubernetes" or environment.get("cluster") == api.identity


def path_of(manifest: Mapping[str, Any]) -> str | None:
    """Return the path of an object in the API; None if we make no such objects."""
    version, metadata = str(manifest.get("apiVersion")), manifest.get("metadata") or {}
    plural, name = _PLURALS.get(str(manifest.get("kind"))), metadata.get("name")
    if plural is None or not isinstance(name, str):
        return None
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    place = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
    return f"{root}{place}/{plural}/{name}"


def _is_gone(api: Api, path: str, cancelled: Event) -> bool:
    deadline = time.monotonic() + GONE_WITHIN
    while api.find(path) is not None:
        if time.monotonic() > deadline or cancelled.wait(LOOK):
            return False
    return True


def _environment(config: Mapping[str, Any]) -> Mapping[str, Any]:
    plain = {key.rpartition(":")[2]: value for key, value in config.items()}
    environment = plain.get("environment")
    return environment if isinstance(environment, Mapping) else {}
