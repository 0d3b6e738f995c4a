"""Rules of processes that concern more than one key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.processes import RUN_PROCESSES
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import Problem

_REASONS: Final = {
    "gcp-cloud-run": "a container of a Cloud Run service works only while it answers a request, and "
    "curtainup makes no worker pools",
    "aws-beanstalk": "an environment of Elastic Beanstalk serves before its traffic is swapped, so its "
    "processes would take real jobs before the release is proven",
}


MOST_CONTAINERS: Final = 40
"""Containers of processes in an environment on a Docker host, whose network has 64 addresses for them."""


def processes(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """No target may leave out a process, and a Docker host has to have room for all of them."""
    target = environment.deploy_target
    copies = sum(one.count * (2 if one.overlap else 1) for one in environment.processes.values())
    copies += 2 if environment.schedule else 0
    if target == "docker" and copies > MOST_CONTAINERS:
        yield Problem(
            path=place(config, environment, "processes"),
            what=f"makes {copies} containers at a time; those that overlap count twice",
            consequence=f"the environment's network has addresses for {MOST_CONTAINERS} of them",
            fix="lower `count`, or let one process start several workers of its own",
        )
    if environment.processes and target not in RUN_PROCESSES:
        yield Problem(
            path=place(config, environment, "processes"),
            what=f"is not possible on {target}: {_REASONS.get(target, 'curtainup runs none there')}",
            consequence="nobody would do their work",
            fix="run them on a target that can (docker, kubernetes), or write `processes: {}` in the "
            "environment's section",
        )
