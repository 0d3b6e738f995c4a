"""The components of an environment on Cloud Run."""

from __future__ import annotations

from components.targets import TargetSpec
from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from curtainup.setup import extras

SPEC = TargetSpec(
    environment=CloudRunEnvironment,
    settings=CloudRunSettings,
    component="components.cloud_run.cloud_run:CloudRun",
    registries={"artifact-registry": "components.cloud_run.artifact_registry:ArtifactRegistry"},
    extra=extras.GCP,
)
