"""The schedules of a new release, as configured, and what holds for them on every target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from curtainup.errors import RefusedError
from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import RUNNING, ScheduleRun

if TYPE_CHECKING:
    from curtainup.config import EnvironmentConfig
    from curtainup.config.schedules import ScheduleSettings


_NEVER = datetime.max.replace(tzinfo=UTC)


def in_order(runs: Iterable[ScheduleRun]) -> list[ScheduleRun]:
    """Return runs by when they were due, or else started; those that have neither come last."""
    return sorted(runs, key=lambda one: one.at or _NEVER)


def wanted(config: EnvironmentConfig) -> tuple[Schedule, ...]:
    """Return the schedules that an environment is to have, in the order of their names."""
    return tuple(_schedule(name, one, config) for name, one in sorted(config.schedule.items()))


def require_free(schedule: Schedule, runs: Sequence[ScheduleRun]) -> None:
    """Check that a schedule may be run now, by all its runs.

    Raises:
        RefusedError: one is on its way, and the schedule forbids an overlap.

    """
    going = [one for one in runs if one.schedule == schedule.name and one.outcome == RUNNING]
    if going and schedule.overlap == "forbid":
        raise refused(schedule, going[-1].place, "wait until it has ended: curtainup status")


def refused(schedule: Schedule, where: str, fix: str) -> RefusedError:
    """Return the error for a schedule that cannot run beside a run of its own."""
    return RefusedError(
        f"schedule {schedule.name} runs already, or cannot run just now",
        where=where,
        consequence="no run was started",
        fix=fix,
    )


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
