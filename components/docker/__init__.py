"""The components of an environment on a Docker host."""

from __future__ import annotations

from components.environment import EnvironmentType
from components.spec import TargetSpec
from curtainup.model.targets.docker import DockerEnvironment, DockerSettings


def _component() -> EnvironmentType:
    from components.docker.docker_host import DockerHost

    return DockerHost


SPEC = TargetSpec(environment=DockerEnvironment, settings=DockerSettings, component=_component)
