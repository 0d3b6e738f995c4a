"""Google Kubernetes Engine: a cluster in a project, and an environment on it."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from curtainup.model.targets.kubernetes import OWN_LISTENERS, KubernetesEnvironment

GATEWAY_CLASS: Final = "gke-l7-global-external-managed"
"""The class of Gateways that are a global external Application Load Balancer.

Source: https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities
"""
CLUSTER_APIS: Final = ("compute", "container")
"""What a cluster uses of Google's, each as NAME.googleapis.com."""
ENVIRONMENT_APIS: Final = ("certificatemanager", "compute")
"""What an environment uses besides its cluster."""


class GkeCluster(BaseModel):
    """A cluster in Autopilot mode, whose nodes Google runs.

    Attributes:
        project: the Google Cloud project's id.
        location: its region.
        name: of the cluster.
        network: the VPC network that it is in.
        subnetwork: of that network; empty is the one of the region.

    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    project: str
    location: str
    name: str = Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")
    network: str = "default"
    subnetwork: str = ""

    @classmethod
    def at(cls, path: str) -> GkeCluster:
        """Return the cluster with a name in Google's API: see `path`."""
        _, project, _, location, _, name = path.split("/")
        return cls(project=project, location=location, name=name)

    @property
    def path(self) -> str:
        """Its name in Google's API, which no other cluster has at the same time."""
        return f"projects/{self.project}/locations/{self.location}/clusters/{self.name}"

    @property
    def context(self) -> str:
        """The context that `gcloud container clusters get-credentials` writes for it."""
        return f"gke_{self.project}_{self.location}_{self.name}"


class GkeEnvironment(KubernetesEnvironment):
    """An environment on a cluster of GKE.

    Attributes:
        project: the Google Cloud project's id.
        certificate_host: the name that the certificate is for which comes with the environment; empty makes
            none.
        certificate_map: the name of a certificate map that is there, for the Gateway that is made.
        is_certified: whether the certificate is there, so that plain HTTP may lead to HTTPS.

    """

    target: Literal["gke"] = "gke"
    project: str = Field(min_length=1)
    certificate_host: str = ""
    certificate_map: str = ""
    is_certified: bool = False

    @property
    def is_secure(self) -> bool:
        """Whether users reach it over HTTPS: not before the certificate is there, which takes its time."""
        return bool(self.https_listener) and (self.is_certified or not self.makes_gateway)

    @property
    def serving_listeners(self) -> tuple[str, ...]:
        """The listeners that lead to the releases: both, until plain HTTP can lead to HTTPS."""
        if not self.https_listener or self.is_secure:
            return super().serving_listeners
        return OWN_LISTENERS

    @property
    def route_has_timeout(self) -> bool:
        """Whether the route says how long an answer may take: GKE refuses such a route, and has a policy."""
        return False

    @property
    def route_names_idle(self) -> bool:
        """Whether the route names releases without traffic: the load balancer takes minutes to know one."""
        return True
