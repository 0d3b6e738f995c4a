"""Rules of what a release reaches beside its environment, which only a Docker host has."""

from __future__ import annotations

from collections.abc import Iterator

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import Problem
from curtainup.config.review import LOCAL

_INSTEAD = {
    "networks": "reach the other service by its address, in `env`",
    "volumes": "keep the files in a bucket of the cloud, and name it in `env`",
    "host_gateway": "reach the machine by its address, in `env`",
}


def beside(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Networks, volumes and the Docker host itself are there on a Docker host alone."""
    if environment.deploy_target == "docker" or environment.environment == LOCAL:
        return
    for name, instead in _INSTEAD.items():
        if getattr(environment, name):
            yield Problem(
                path=place(config, environment, name),
                what=f"is not possible on {environment.deploy_target}: it is of a Docker host",
                consequence="the service would not find there what it needs",
                fix=f"remove it, and {instead}",
            )
