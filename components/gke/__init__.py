"""The components of an environment on Google Kubernetes Engine."""

from __future__ import annotations

from components.targets import TargetSpec
from curtainup.model.targets.gke import GkeEnvironment
from curtainup.model.targets.kubernetes import KubernetesSettings
from curtainup.setup import extras

SPEC = TargetSpec(
    environment=GkeEnvironment,
    settings=KubernetesSettings,
    component="components.gke.gke:Gke",
    extra=extras.GKE,
)
