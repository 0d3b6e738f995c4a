"""The components of an environment on Kubernetes."""

from __future__ import annotations

from components.targets import TargetSpec
from curtainup.model.targets.kubernetes import KubernetesEnvironment, KubernetesSettings
from curtainup.setup import extras

SPEC = TargetSpec(
    environment=KubernetesEnvironment,
    settings=KubernetesSettings,
    component="components.kubernetes.kubernetes:Kubernetes",
    extra=extras.KUBERNETES,
)
