"""The schedules of a new release, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.model.schedule import Schedule

if TYPE_CHECKING:
    from curtainup.config import EnvironmentConfig
    from curtainup.config.schedules import ScheduleSettings


def wanted(config: EnvironmentConfig) -> tuple[Schedule, ...]:
    """Return the schedules that an environment is to have, in the order of their names."""
    return tuple(_schedule(name, one, config) for name, one in sorted(config.schedule.items()))


def _schedule(name: str, one: ScheduleSettings, config: EnvironmentConfig) -> Schedule:
    return Schedule(
        name=name,
        command=one.command,
        cron=one.cron,
        timezone=one.timezone,
        time_limit=one.time_limit,
        overlap=one.overlap,
        start_within=one.start_within,
        stop_timeout=config.stop_timeout if one.stop_timeout is None else one.stop_timeout,
    )
