"""Kubernetes: an environment on a cluster, and what the pods of a release run with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.process import WithProcesses
from curtainup.model.schedule import WithSchedules
from curtainup.scheduler import place

NO_GATEWAY: Final = "none"
"""The gateway of an environment whose traffic moves by the selector of a Service."""
OWN_LISTENERS: Final = ("http", "https")
"""The names of the listeners of a gateway that comes with an environment."""
CONTAINER: Final = "app"
"""The name of the service's container in its pods."""
LONGEST_CRON_JOB: Final = 52
"""Characters of the name of a CronJob: eleven more have to fit into the name of its Jobs."""
_HASH: Final = 8


class KubernetesEnvironment(EnvironmentSettings):
    """An environment on a Kubernetes cluster: a namespace, and a Deployment per release.

    How to get into the cluster is never in it: the provider reads KUBECONFIG, or `~/.kube/config`.

    Attributes:
        context: the context of the kubeconfig.
        cluster: the uid of the cluster's namespace `kube-system`, which is no other cluster's.
        namespace: the environment's own namespace.
        gateway: `NAMESPACE/NAME` of a Gateway that is there; empty makes one; `none` has none.
        gateway_class: the class of a Gateway that is made.
        http_listener: the Gateway's listener for plain HTTP; empty if a Gateway that is there has none.
        https_listener: the Gateway's listener for HTTPS; empty without HTTPS.
        host: the name for which the Gateway lets requests in; empty lets in all.
        issuer: cert-manager's ClusterIssuer of the certificate of a Gateway that is made; empty is none.
        min_replicas: fewest pods of each release.
        max_replicas: most pods of each release; the same as the fewest makes no autoscaler.
        autoscale_cpu: per cent of the processors that pods ask for, at which there are to be more pods.
        image_pull_secret: `NAMESPACE/NAME` of the Secret with the login to the registry, of which the
            namespace gets a copy; empty is none.
        request_timeout: seconds that the Gateway waits for an answer.
        ready_timeout: seconds that the cluster may take to make a change real.
        state: a random name, a label of what the environment is made of; another state has another one.

    """

    target: Literal["kubernetes", "gke"] = "kubernetes"
    context: str = Field(min_length=1)
    cluster: str = Field(min_length=1)
    namespace: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    gateway: str = ""
    gateway_class: str = ""
    http_listener: str = OWN_LISTENERS[0]
    https_listener: str = ""
    host: str = ""
    issuer: str = ""
    min_replicas: int = Field(ge=1)
    max_replicas: int = Field(ge=1)
    autoscale_cpu: int = Field(70, ge=1, le=100)
    image_pull_secret: str = ""
    request_timeout: int = Field(ge=1)
    ready_timeout: int = Field(ge=1)
    state: str = ""

    @property
    def has_gateway(self) -> bool:
        """Whether a Gateway splits the traffic."""
        return self.gateway != NO_GATEWAY

    @property
    def makes_gateway(self) -> bool:
        """Whether the Gateway comes with the environment."""
        return not self.gateway

    @property
    def gateway_place(self) -> tuple[str, str]:
        """The namespace and the name of the Gateway."""
        namespace, _, name = self.gateway.partition("/")
        return (namespace, name) if name else (self.namespace, self.service)

    @property
    def is_secure(self) -> bool:
        """Whether users reach it over HTTPS, so that plain HTTP leads there."""
        return bool(self.https_listener)

    @property
    def serving_listeners(self) -> tuple[str, ...]:
        """The names of the listeners that lead to the releases."""
        return (self.https_listener or self.http_listener,)

    @property
    def route_has_timeout(self) -> bool:
        """Whether the route says how long an answer may take."""
        return True

    @property
    def route_names_idle(self) -> bool:
        """Whether the route names releases without traffic, too, with weight 0."""
        return False

    def workload(self, release_id: str) -> str:
        """Return the name of a release's Deployment, Service and what else is its own."""
        return f"{self.service}-{release_id}"

    def process_workload(self, process: str) -> str:
        """Return the name of a process's Deployment, which is the same for every release."""
        return f"{self.service}-process-{process}"

    def schedule_workload(self, schedule: str) -> str:
        """Return the name of a schedule's CronJob, which is the same for every release."""
        named = f"{self.service}-schedule-{schedule}"
        if len(named) <= LONGEST_CRON_JOB:
            return named
        told_apart = hashlib.sha256(named.encode()).hexdigest()[:_HASH]
        return f"{named[: LONGEST_CRON_JOB - _HASH - 1].rstrip('-')}-{told_apart}"

    def inside(self, service: str) -> str:
        """Return the URL of one of the environment's Services inside the cluster."""
        return f"http://{service}.{self.namespace}.svc"

    @property
    def autoscales(self) -> bool:
        """Whether the number of pods follows their load."""
        return self.max_replicas > self.min_replicas


class KubernetesSettings(WithProcesses, WithSchedules):
    """What the pods of a release run with.

    Attributes:
        memory_mb: limit of a container's memory, MiB.
        cpus: limit in CPU cores of a container, or None for no limit.
        start_timeout: seconds that a container may take to answer on `health_path`.
        health_timeout: seconds that one answer on `health_path` may take.
        probe_headers: headers that the probes send, such as `Host`.
        drain_timeout: seconds that a pod goes on serving once it is to stop.
        stop_timeout: seconds after that, between SIGTERM and SIGKILL.
        run_as_user: the id of the user that the container runs as; None is the image's.
        read_only: whether the container may write to `/tmp` alone.

    """

    OPTIONAL: ClassVar[tuple[str, ...]] = (*WithProcesses.OPTIONAL, *WithSchedules.OPTIONAL)
    memory_mb: int = Field(ge=16)
    cpus: float | None = None
    start_timeout: int = Field(ge=1)
    health_timeout: int = Field(ge=1)
    probe_headers: dict[str, str] = Field(default_factory=dict)
    drain_timeout: int = Field(ge=0)
    stop_timeout: int = Field(ge=0)
    run_as_user: int | None = Field(default=None, ge=1)
    read_only: bool = False

    @property
    def logged(self) -> tuple[str, ...]:
        """The names by which logs are found; all runs of schedules have one, as on a Docker host."""
        return (*super().logged, place.NAME) if self.schedules else super().logged


def gateway_url(status: Mapping[str, Any] | None) -> str:
    """Return the URL at the first address of a Gateway, by its status; empty while it has none."""
    values = (str(one.get("value") or "") for one in (status or {}).get("addresses") or ())
    address = next((one for one in values if one), "")
    if not address:
        return ""
    return f"http://[{address}]" if ":" in address else f"http://{address}"


def unexpanded(text: str) -> str:
    """Return a text as the cluster leaves it alone: it would expand `$(NAME)` in it."""
    return text.replace("$", "$$")
