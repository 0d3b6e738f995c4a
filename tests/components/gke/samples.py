"""What Google and the cluster would make of the program's resources, and an environment on GKE to try."""

from __future__ import annotations

from typing import Any

from components.gke.gke import Gke
from curtainup.model.release import Deployment
from curtainup.model.targets.gke import GATEWAY_CLASS, GkeEnvironment
from tests.components.cloud_samples import Samples
from tests.components.kubernetes.samples import SETTINGS
from tests.components.program import COMPUTED, Run

ADDRESS = "gcp:compute/globalAddress:GlobalAddress"
API = "gcp:projects/service:Service"
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
CLUSTER = "gcp:container/cluster:Cluster"
ENTRY = "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry"
HEALTH = "kubernetes:networking.gke.io/v1:HealthCheckPolicy"
MAP = "gcp:certificatemanager/certificateMap:CertificateMap"
BACKEND = "kubernetes:networking.gke.io/v1:GCPBackendPolicy"

_SAMPLES = Samples(Gke, "europe-west1-docker.pkg.dev/team-1/shop/shop", SETTINGS)
release, deployment, one = _SAMPLES.release, _SAMPLES.deployment, _SAMPLES.one

COMPUTED.update(
    {
        ADDRESS: lambda _: {"address": "203.0.113.7"},
        CLUSTER: lambda _: {"endpoint": "198.51.100.4"},
    }
)


def environment(**changed: Any) -> GkeEnvironment:
    """Return the settings of an environment on GKE."""
    values: dict[str, Any] = {
        "service": "shop",
        "name": "live",
        "project": "team-1",
        "context": "gke_team-1_europe-west1_shops",
        "cluster": "projects/team-1/locations/europe-west1/clusters/shops",
        "namespace": f"shop-{changed.get('name', 'live')}",
        "gateway_class": GATEWAY_CLASS,
        "min_replicas": 2,
        "max_replicas": 2,
        "request_timeout": 90,
        "ready_timeout": 900,
        "state": "a1b2c3",
        "generation": 3,
    }
    return GkeEnvironment(**{**values, **changed})


def rendered(deployed: Deployment, secrets: dict[str, dict[str, str]] | None = None, **changed: Any) -> Run:
    """Declare the environment; `changed` are fields of its settings."""
    return _SAMPLES.rendered(environment(**changed), deployed, secrets)
