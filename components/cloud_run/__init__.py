"""The components of an environment on Cloud Run."""

from __future__ import annotations

from components.environment import EnvironmentType
from components.registry_args import CloudRegistryType
from components.spec import RegistrySpec, TargetSpec
from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from curtainup.setup import extras


def _component() -> EnvironmentType:
    from components.cloud_run.cloud_run import CloudRun

    return CloudRun


def _registry() -> CloudRegistryType:
    from components.cloud_run.artifact_registry import ArtifactRegistry

    return ArtifactRegistry


SPEC = TargetSpec(
    environment=CloudRunEnvironment,
    settings=CloudRunSettings,
    component=_component,
    registry=RegistrySpec("artifact-registry", _registry),
    extra=extras.GCP,
)
