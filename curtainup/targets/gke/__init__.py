"""Google Kubernetes Engine as a target: Kubernetes, and the cluster itself."""

from __future__ import annotations

from curtainup.model.targets.gke import GkeEnvironment
from curtainup.model.targets.kubernetes import KubernetesSettings
from curtainup.setup import extras
from curtainup.targets import kubernetes
from curtainup.targets.artifact_registry import ARTIFACT_REGISTRY
from curtainup.targets.spec import TargetSpec
from curtainup.util.references import Deferred

READY_SECONDS = 900
"""A load balancer takes minutes until it has an address and serves there."""

SPEC = TargetSpec(
    name="gke",
    environment=GkeEnvironment,
    settings=KubernetesSettings,
    bind=Deferred("curtainup.targets.gke.target:GkeTarget"),
    logs=Deferred("curtainup.targets.gke.logs:GkeLogs"),
    switch=kubernetes.SPEC.switch,
    registry=ARTIFACT_REGISTRY,
    checks=Deferred("curtainup.targets.gke.checks:of_service"),
    extra=extras.GKE,
    standin="gcp",
    on_cluster=True,
    ready_seconds=READY_SECONDS,
)
