"""What an environment has on its cluster: its objects by their names, and which release has traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.platforms.docker.labels import ENVIRONMENT, RELEASE, SERVICE
from curtainup.platforms.kubernetes import gateways
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.targets.kubernetes import selected, weights

APPS, BATCH, GATEWAY_API = "apis/apps/v1", "apis/batch/v1", "apis/gateway.networking.k8s.io/v1"
CORE = "api/v1"


@dataclass(frozen=True)
class Space:
    """An environment's namespace.

    Attributes:
        cluster: where it is.
        settings: of the environment.

    """

    cluster: Cluster
    settings: KubernetesEnvironment

    def __str__(self) -> str:
        """Name it, for people."""
        return f"namespace {self.settings.namespace}, {self.cluster}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of whatever is the environment's."""
        return {SERVICE: self.settings.service, ENVIRONMENT: self.settings.name}

    def path(self, group: str, kind: str, name: str = "") -> str:
        """Return the path of the objects of a kind, or of one of them, in the API."""
        return f"/{group}/namespaces/{self.settings.namespace}/{kind}" + (f"/{name}" if name else "")

    def deployment(self, release_id: str) -> dict[str, Any] | None:
        """Return the Deployment of a release; None if it is gone."""
        return self.cluster.find(self.path(APPS, "deployments", self.settings.workload(release_id)))

    def replicas(self, release_id: str) -> int | None:
        """Return how many pods a release is to have; None if its Deployment is gone."""
        found = self.deployment(release_id)
        return None if found is None else int((found.get("spec") or {}).get("replicas", 1))

    def scale(self, release_id: str, replicas: int) -> None:
        """Let a release have so many pods."""
        path = self.path(APPS, "deployments", self.settings.workload(release_id))
        self.cluster.patch(path, {"spec": {"replicas": replicas}})

    def pods(self, release_id: str) -> list[dict[str, Any]]:
        """Return the pods of a release."""
        return self.cluster.items(self.path(CORE, "pods"), labelSelector=f"{RELEASE}={release_id}")

    def shares(self) -> dict[str, int]:
        """Return the per cent of each release that has traffic, as the cluster has it now."""
        return self._shares(self.route() if self.settings.has_gateway else None)

    def _shares(self, route: Mapping[str, Any] | None) -> dict[str, int]:
        if self.settings.has_gateway:
            found = weights(route or {})
        else:
            service = self.cluster.find(self.path(CORE, "services", self.settings.service))
            found = selected(service or {}) or {}
        return {one: share for one, share in found.items() if share}

    def route(self) -> dict[str, Any] | None:
        """Return the route that splits the traffic; None if it is gone."""
        return self.cluster.find(self.path(GATEWAY_API, "httproutes", self.settings.service))

    def not_moved(self, traffic: Mapping[str, int]) -> str | None:
        """Return why the traffic is not split as it was to be; None if it is."""
        wanted = {one: share for one, share in traffic.items() if share}
        route = self.route() if self.settings.has_gateway else None
        found = self._shares(route)
        if found != wanted:
            return f"the cluster has {found}, not {wanted}: somebody else changed it"
        return gateways.not_taken_on(route, self.settings.gateway_place[1]) if route is not None else None
