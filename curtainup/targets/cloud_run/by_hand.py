"""A run of a schedule that somebody asks for: an execution of its job, which is followed to its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from curtainup.config.cloud_run_limits import TASK_START
from curtainup.config.tasks import Task
from curtainup.errors import Interrupted, SetupError
from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import TIMED_OUT
from curtainup.platforms.google.api import Refused
from curtainup.platforms.google.jobs import Jobs
from curtainup.targets import command
from curtainup.targets.cloud_run import tasks
from curtainup.targets.cloud_run.schedules import run_of, untold
from curtainup.targets.cloud_run.tasks import Waiting
from curtainup.targets.command import TERMINATED, WENT_ON, Asked
from curtainup.targets.schedules import refused, require_free
from curtainup.util import cron, durations, zones
from curtainup.util.process import Ended

LEAST: Final = 30
"""Seconds that a run has to have at least, once it has started."""
GOES_ON: Final = "the run goes on; curtainup status shows how it ends"


def run(jobs: Jobs, job: str, schedule: Schedule, asked: Asked) -> int:
    """Run a schedule to its end, and return the exit code of its command.

    Args:
        jobs: of the account.
        job: the full name of the schedule's job.
        schedule: the schedule.
        asked: what takes its output.

    Raises:
        RefusedError: another run is on its way, or due, and the schedule forbids an overlap.
        SetupError: Cloud Run refuses, is not reached, or does not tell how it ended.
        Interrupted: Ctrl-C; the run goes on.

    """
    limit = limit_now(jobs, job, schedule, asked.say)
    task = Task(name=schedule.name, command=schedule.command, timeout=limit)
    try:
        with command.cancelled_by_signals(asked.cancel):
            ran = tasks.run(jobs, job, task, Waiting(asked.cancel, stays=True), asked.show)
    except SetupError as error:
        error.consequence = WENT_ON
        raise
    if ran.ended is Ended.STOPPED:
        raise Interrupted("interrupted while a schedule ran", where=ran.place, consequence=GOES_ON)
    if ran.ended is Ended.TIMED_OUT:
        asked.say(f"{TIMED_OUT}: it took longer than {durations.render(limit)}")
        return TERMINATED
    if ran.code is None:
        raise SetupError(
            f"nobody knows how the run of {schedule.name} ended",
            where=ran.place,
            consequence=WENT_ON,
            fix="see its log: curtainup status names it",
            detail=ran.why or None,
        )
    return ran.code


def limit_now(
    jobs: Jobs, job: str, schedule: Schedule, say: Callable[[str], None], now: datetime | None = None
) -> int:
    """Return how many seconds a run may take that starts now.

    Where runs may not overlap, none starts beside another, and one has ended before the next is due: nothing
    else keeps Cloud Scheduler from starting that. A run may start late, and its time counts from then on.

    Args:
        jobs: of the account.
        job: the full name of the schedule's job.
        schedule: the schedule.
        say: takes what the deployer should know.
        now: the time.

    Raises:
        RefusedError: another run is on its way, or due.
        SetupError: Google does not say.

    """
    if schedule.overlap == "allow":
        return schedule.time_limit
    try:
        require_free(schedule, [run_of(schedule, one) for one in jobs.executions(job)])
    except Refused as why:
        raise untold(schedule.name, job, why) from why
    moment = now or datetime.now(UTC)
    due = next(cron.due_after(schedule.cron, zones.zone(schedule.timezone), moment), None)
    if due is None:
        return schedule.time_limit
    until = int((due - moment).total_seconds())
    left = until - TASK_START
    if left >= schedule.time_limit:
        return schedule.time_limit
    if left < LEAST:
        raise refused(schedule, f"the next run is due in {until} s", "wait until that one has ended")
    say(
        f"the next run is due in {durations.render(until)}, so this one may take no more than "
        f"{durations.render(left)} once it has started"
    )
    return left
