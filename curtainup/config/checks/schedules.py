"""Rules of schedules that concern more than one key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import KeyPath, Problem
from curtainup.config.schedules import RUN_SCHEDULES
from curtainup.config.targets import ON_CLUSTERS
from curtainup.scheduler.place import MEMORY, NAME
from curtainup.util import cluster_cron, cron
from curtainup.util.docker_mounts import mount_of

SOONEST: Final = 10
"""Seconds between two looks of a cluster: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/."""
_REASONS: Final = {
    "aws-beanstalk": "an environment of Elastic Beanstalk would run them before its release is proven, and "
    "one machine of several would have to be chosen that may be taken away at any time",
}
_EVERYWHERE: Final = re.compile(r"(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?")
_LAST_OR_NTH: Final = re.compile(r"LW?|[0-9]L", re.IGNORECASE)


def schedules(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """No target may leave out a schedule, or run it at another time."""
    if not environment.schedule:
        return
    path = place(config, environment, "schedule")
    target = environment.deploy_target
    if target not in RUN_SCHEDULES:
        yield Problem(
            path=path,
            what=f"is not possible on {target}: {_REASONS.get(target, 'curtainup runs none there')}",
            consequence="nobody would do their work",
            fix=f"run them on a target that can ({', '.join(RUN_SCHEDULES)}), or write `schedule: {{}}` in "
            "the environment's section",
        )
        return
    yield from _names(config, environment)
    if target == "docker":
        yield from _on_docker(config, environment)
    else:
        yield from _lines(path, environment)
    if target in ON_CLUSTERS:
        yield from _on_cluster(path, environment)


def _names(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if NAME in environment.processes:
        yield Problem(
            path=(*place(config, environment, "processes"), NAME),
            what="is the name of what runs the schedules",
            consequence="nobody could tell the two apart, nor their logs",
            fix="give the process another name, e.g. `clock`",
        )


def _on_docker(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if any(mount_of(one).target == MEMORY for one in environment.volumes):
        yield Problem(
            path=place(config, environment, "volumes"),
            what=f"mounts a volume at {MEMORY}, where the scheduler keeps what has run",
            consequence="no schedule could run",
            fix="mount it at another path",
        )


def _lines(path: KeyPath, environment: EnvironmentConfig) -> Iterator[Problem]:
    """What only the scheduler of a Docker host reads."""
    for name, one in environment.schedule.items():
        where = (*path, name, "cron")
        if cron.has_seconds(one.cron):
            yield Problem(
                path=where,
                what=f"has six fields, and the finest there is on {environment.deploy_target} is one minute",
                consequence="it would not run when you meant",
                fix="leave out the first field, the second",
            )
        elif not all(_is_plain(part) for field in one.cron.split() for part in field.split(",")):
            yield Problem(
                path=where,
                what=f"has `L` or `#`, which {environment.deploy_target} does not read",
                consequence="it would not run when you meant",
                fix="write days by their numbers or names, and let the command look for the last one",
            )
        elif environment.deploy_target in ON_CLUSTERS and cluster_cron.needs_both(one.cron):
            yield Problem(
                path=where,
                what="wants both day fields to match, and a cluster runs it when one of them does",
                consequence="it would run on more days than you meant",
                fix="write `*` for one of them, and let the command look at the other",
            )


def _on_cluster(path: KeyPath, environment: EnvironmentConfig) -> Iterator[Problem]:
    for name, one in environment.schedule.items():
        if one.start_within < SOONEST:
            yield Problem(
                path=(*path, name, "start_within"),
                what=f"is {one.start_within}s, and a cluster may look for what is due every {SOONEST}s",
                consequence="it might never run",
                fix=f"write at least `start_within: {SOONEST}s`",
            )


def _is_plain(part: str) -> bool:
    return bool(_EVERYWHERE.fullmatch(part)) and not _LAST_OR_NTH.fullmatch(part)
