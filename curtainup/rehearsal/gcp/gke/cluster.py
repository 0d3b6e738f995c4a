"""Stand-in of Google Kubernetes Engine: clusters behind which is the rehearsal's real one."""

from __future__ import annotations

import re
from typing import Any

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.gcp.common import REGIONS, STATE, GoogleKind, conflict
from curtainup.rehearsal.gcp.gke import real
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import CloudError, Failure, Found, Made, Properties

ENDPOINT = "198.51.100.4"
"""An address that is nobody's (https://www.rfc-editor.org/rfc/rfc5737)."""
VERSION = "1.34.1-gke.1829001"
OF_STANDARD = (
    "addonsConfig.networkPolicyConfig",
    "clusterAutoscaling.enabled",
    "defaultMaxPodsPerNode",
    "enableShieldedNodes",
    "initialNodeCount",
    "nodeConfig",
    "nodePools",
    "removeDefaultNodePool",
)
"""Inputs that do not go with Autopilot. Source: terraform-provider-google, resource_container_cluster.go"""
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_ZONE = re.compile(r"(.+)-[a-z]")


class Cluster(GoogleKind):
    """A cluster."""

    token = "gcp:container/cluster:Cluster"  # noqa: S105
    api = "container.googleapis.com"
    replaced_by = frozenset({"name", "location", "project", "enableAutopilot", "network", "subnetwork"})
    computed = ("endpoint", "masterAuth", "masterVersion", "selfLink")

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse names, places, and what does not go with Autopilot."""
        found = []
        name, location = inputs.get("name"), str(inputs.get("location"))
        if name not in {None, UNKNOWN} and not _NAME.fullmatch(str(name)):
            found.append(Failure("name", f"{name!r} is not a valid name of a cluster"))
        zone = _ZONE.fullmatch(location)
        if (zone[1] if zone else location) not in REGIONS | {UNKNOWN}:
            found.append(Failure("location", f"Location {location!r} does not exist"))
        if inputs.get("enableAutopilot"):
            if zone:
                found.append(Failure("location", "Autopilot clusters must be regional clusters."))
            found += [
                Failure(path, f'"{path}": conflicts with enable_autopilot')
                for path in OF_STANDARD
                if _given(inputs, path) is not None
            ]
        return found

    def create(self, inputs: Properties) -> Made:
        """Make the cluster, and bring what GKE has on it to the real one."""
        project, location, name = self.project(inputs), inputs["location"], inputs["name"]
        self.throttled(name)
        path = f"projects/{project}/locations/{location}/clusters/{name}"
        with self.opened(project) as part:
            if path in part.setdefault("clusters", {}):
                raise conflict(f"Already exists: {path}.")
        if self.cloud.faults.strikes("quota", name):
            raise CloudError(
                "googleapi: Error 403: Insufficient regional quota to satisfy request: resource "
                "\"IN_USE_ADDRESSES\": request requires '5.0' and is short '1.0'. project has a quota of "
                "'4.0' with '4.0' available. View and manage quotas at "
                f"https://console.cloud.google.com/iam-admin/quotas?usage=USED&project={project}., forbidden"
            )
        real.furnish(self.cloud.home)
        with self.opened(project) as part:
            part["clusters"][path] = {"status": "RUNNING"}
        return Made(path, {"project": project, **_told(path)})

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change labels, channel or protection."""
        return {"project": outputs["project"], **_told(id)}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the cluster, or None if it is gone."""
        with self.opened(outputs["project"]) as part:
            there = id in part.get("clusters", {})
        return Found({}, _told(id)) if there else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the cluster; the real one stays."""
        if outputs.get("deletionProtection", True):
            raise CloudError(
                "Cannot destroy cluster because deletion_protection is set to true. Set it to false to "
                "proceed with cluster deletion."
            )
        real.clear(self.cloud.home)
        with self.opened(outputs["project"]) as part:
            part.get("clusters", {}).pop(id, None)


def kubeconfig(home: Home, path: str, context: str) -> dict[str, Any] | None:
    """Return the kubeconfig of a cluster, which leads to the real one; None if there is no such cluster."""
    project = path.split("/")[1]
    with home.cloud(STATE) as state:
        there = path in state.get("projects", {}).get(project, {}).get("clusters", {})
    return real.kubeconfig(home, context) if there else None


def _told(path: str) -> dict[str, Any]:
    return {
        "endpoint": ENDPOINT,
        "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
        "masterVersion": VERSION,
        "selfLink": f"https://container.googleapis.com/v1/{path}",
    }


def _given(inputs: Properties, path: str) -> Any:
    found: Any = inputs
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
