"""The targets: adding one touches no existing module of the program but this."""

from __future__ import annotations

from importlib import import_module

from components.environment import EnvironmentType
from curtainup.setup import extras

TARGETS = {
    "docker": "components.docker.docker_host:DockerHost",
    "gcp-cloud-run": "components.cloud_run.cloud_run:CloudRun",
    "aws-beanstalk": "components.beanstalk.beanstalk:Beanstalk",
}


def component(target: str) -> EnvironmentType:
    """Return the component of a target; the SDK of its provider is imported only now.

    Raises:
        SetupError: the SDK is not installed.

    """
    extras.require(target)
    module, _, name = TARGETS[target].partition(":")
    found: EnvironmentType = getattr(import_module(module), name)
    return found
