"""The components of an environment on a Docker host."""

from __future__ import annotations

from components.targets import TargetSpec
from curtainup.model.targets.docker import DockerEnvironment, DockerSettings

SPEC = TargetSpec(
    environment=DockerEnvironment,
    settings=DockerSettings,
    component="components.docker.docker_host:DockerHost",
)
