"""Rules of schedules that concern more than one key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import KeyPath, Problem
from curtainup.config.schedules import RUN_SCHEDULES
from curtainup.scheduler.place import MEMORY, NAME
from curtainup.util import cron
from curtainup.util.docker_mounts import mount_of

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
    elif target == "docker":
        yield from _on_docker(config, environment)
    else:
        yield from _lines(path, environment)


def _on_docker(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if NAME in environment.processes:
        yield Problem(
            path=(*place(config, environment, "processes"), NAME),
            what="is the name of what runs the schedules",
            consequence="two containers would have the same name",
            fix="give the process another name, e.g. `clock`",
        )
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


def _is_plain(part: str) -> bool:
    return bool(_EVERYWHERE.fullmatch(part)) and not _LAST_OR_NTH.fullmatch(part)
