"""The schedules of the release that works: when each comes due next, and what has become of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from curtainup.errors import CurtainupError
from curtainup.model.schedule import Schedule, schedules_of
from curtainup.model.schedule_run import ScheduleRun
from curtainup.targets.runs import RunsSchedules
from curtainup.util import cron, zones

if TYPE_CHECKING:
    from curtainup.model.release import Deployment, Release
    from curtainup.targets.target import Target


@dataclass(frozen=True)
class ScheduleState:
    """One schedule.

    Attributes:
        schedule: as the release has it.
        release: the id of the release that works.
        due: when it comes due next, in its time zone; None if it never does again.
        runs: those that are remembered, the newest last.
        trouble: why nobody knows what has run; None if it is known.

    """

    schedule: Schedule
    release: str
    due: datetime | None
    runs: tuple[ScheduleRun, ...] = ()
    trouble: str | None = None


def at_work(deployment: Deployment) -> Release | None:
    """Return the release whose schedules run; None if none works, or the one that does has none."""
    works = deployment.at_work()
    return works if works is not None and schedules_of(works.settings) else None


def states(target: Target, deployment: Deployment, now: datetime) -> list[ScheduleState]:
    """Return what is known of each schedule of the release that works, in the order of their names."""
    works = at_work(deployment)
    if works is None or not isinstance(target, RunsSchedules):
        return []
    try:
        runs, trouble = target.schedule_runs(works), None
    except CurtainupError as error:
        runs, trouble = [], error.what
    return [
        ScheduleState(
            one,
            works.id,
            _due(one, now),
            tuple(run for run in runs if run.schedule == one.name),
            trouble,
        )
        for one in schedules_of(works.settings)
    ]


def _due(one: Schedule, now: datetime) -> datetime | None:
    zone = zones.zone(one.timezone)
    found = next(cron.due_after(one.cron, zone, now), None)
    return found.astimezone(zone) if found else None
