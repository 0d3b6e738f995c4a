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


def processes(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """No target may leave out a process."""
    target = environment.deploy_target
    if environment.processes and target not in RUN_PROCESSES:
        yield Problem(
            path=place(config, environment, "processes"),
            what=f"is not possible on {target}: {_REASONS.get(target, 'curtainup runs none there')}",
            consequence="nobody would do their work, so nothing was deployed",
            fix="run them on a target that can (docker, kubernetes), or write `processes: {}` in the "
            "environment's section",
        )
