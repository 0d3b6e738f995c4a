"""What the cluster would make of the program's objects, and an environment on Kubernetes to try."""

from __future__ import annotations

from typing import Any

from components.kubernetes.kubernetes import Kubernetes
from curtainup.model.release import Deployment
from curtainup.model.targets.kubernetes import KubernetesEnvironment, KubernetesSettings
from tests.components.cloud_samples import Samples
from tests.components.program import COMPUTED, Run

ACCOUNT = "kubernetes:core/v1:ServiceAccount"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
CRON_JOB = "kubernetes:batch/v1:CronJob"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
NAMESPACE = "kubernetes:core/v1:Namespace"
PROVIDER = "pulumi:providers:kubernetes"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
SECRET = "kubernetes:core/v1:Secret"
SERVICE = "kubernetes:core/v1:Service"

SETTINGS = KubernetesSettings(
    container_port=8080,
    health_path="/ping",
    env={"PYM_ENV": "shop-live"},
    memory_mb=512,
    start_timeout=60,
    health_timeout=5,
    drain_timeout=30,
    stop_timeout=20,
)
_SAMPLES = Samples(Kubernetes, "registry.example.com/team/shop", SETTINGS)
release, deployment, one = _SAMPLES.release, _SAMPLES.deployment, _SAMPLES.one

COMPUTED.update(
    {GATEWAY: lambda _: {"status": {"addresses": [{"type": "IPAddress", "value": "203.0.113.7"}]}}},
)


def environment(**changed: Any) -> KubernetesEnvironment:
    """Return the settings of an environment on Kubernetes."""
    values: dict[str, Any] = {
        "service": "shop",
        "name": "live",
        "context": "production",
        "cluster": "0f1e2d3c",
        "namespace": f"shop-{changed.get('name', 'live')}",
        "gateway_class": "envoy",
        "min_replicas": 2,
        "max_replicas": 2,
        "request_timeout": 60,
        "ready_timeout": 300,
        "state": "a1b2c3",
        "generation": 3,
    }
    return KubernetesEnvironment(**{**values, **changed})


def rendered(deployed: Deployment, secrets: dict[str, dict[str, str]] | None = None, **changed: Any) -> Run:
    """Declare the environment; `changed` are fields of its settings."""
    return _SAMPLES.rendered(environment(**changed), deployed, secrets)
