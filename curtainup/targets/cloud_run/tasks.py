"""A task on Cloud Run: an execution of the environment's job, with the task's command and time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.platforms.google.api import Refused
from curtainup.platforms.google.jobs import Execution, Jobs
from curtainup.targets.cloud_run.task_output import Output
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended

FIRST_LOOK, LONGEST_LOOK = 0.25, 5.0
"""Seconds between looks, growing from the one to the other."""
STARTING = 300.0
"""Seconds that Cloud Run may take, beyond the task's own time, to begin an execution and to end it."""
AWAY, TOO_MANY, OUT_OF_ORDER = 60.0, 429, 500
"""Seconds for which nobody may know of an execution, which goes on by itself, and the statuses for that."""
CANCELLING = 60.0
"""Seconds that a cancelled execution is waited for."""
SETTLING, LOOK_AGAIN = 20.0, 1.0
"""Seconds that the last lines are waited for, and between two looks for them."""


@dataclass(frozen=True)
class Waiting:
    """How executions are waited for: what stops that, and how many seconds are given on top.

    Attributes:
        cancel: ends the waiting, and the execution.
        starting: for Cloud Run to begin one.
        settling: for Cloud Logging to have the last lines of one that has ended.
        away: for Google to tell again how it is, when a call was lost.
        stays: whether the execution goes on when `cancel` ends the waiting.

    """

    cancel: threading.Event
    starting: float = STARTING
    settling: float = SETTLING
    away: float = AWAY
    stays: bool = False


def run(jobs: Jobs, job: str, task: Task, waiting: Waiting, on_line: Callable[[str], None]) -> Ran:
    """Run a task to its end.

    Its command takes the place of the image's CMD; ENTRYPOINT, user and folder are the image's own. Cloud
    Run itself stops it when its time is over; one that is cancelled here is cancelled there.

    Args:
        jobs: of the account.
        job: the full name of the environment's job.
        task: what to run, and for how long at most.
        waiting: how long it is waited for.
        on_line: takes each line of its output, as Cloud Logging tells them.

    Raises:
        SetupError: Cloud Run refuses, or is not reached.

    """
    try:
        name = jobs.run(job, task.command, task.timeout)
        try:
            ended, found = _waited(jobs, name, task, waiting, on_line)
        except BaseException:
            if not waiting.stays:
                jobs.cancel(name)
            raise
        place = f"Cloud Run execution {name.rpartition('/')[2]}"
        if ended is not Ended.BY_ITSELF:
            return Ran(None, ended, place)
        return _result(jobs, found, task, place)
    except Refused as refused:
        raise _refused(job, refused) from refused


def _waited(
    jobs: Jobs, name: str, task: Task, waiting: Waiting, on_line: Callable[[str], None]
) -> tuple[Ended, Execution]:
    """Wait until an execution has ended, or have it end."""
    deadline = time.monotonic() + task.timeout + waiting.starting
    output = Output(jobs, name, on_line)
    found = _looked(jobs, name, waiting)
    pause = FIRST_LOOK
    while not found.completed:
        if waiting.cancel.wait(pause):
            return Ended.STOPPED, found if waiting.stays else _cancelled(jobs, name)
        if time.monotonic() > deadline:
            return Ended.TIMED_OUT, _cancelled(jobs, name)
        pause = min(pause * 1.5, LONGEST_LOOK)
        output.tell()
        found = _looked(jobs, name, waiting)
    _settle(output, waiting)
    if not output.is_whole:
        on_line(f"(there may be more of its output: {found.log_uri})")
    return Ended.BY_ITSELF, found


def _looked(jobs: Jobs, name: str, waiting: Waiting) -> Execution:
    """Return how an execution is; a call that is lost is made again, as what it asks about goes on."""
    deadline = time.monotonic() + waiting.away
    while True:
        try:
            return jobs.execution(name)
        except (Refused, SetupError) as error:
            if isinstance(error, Refused) and not (error.status == TOO_MANY or error.status >= OUT_OF_ORDER):
                raise
            if time.monotonic() > deadline or waiting.cancel.wait(LOOK_AGAIN):
                raise


def _settle(output: Output, waiting: Waiting) -> None:
    """Wait a while for the last lines: they come after the end of what has printed them."""
    deadline = time.monotonic() + waiting.settling
    while True:
        output.tell()
        if output.is_whole or time.monotonic() > deadline or waiting.cancel.wait(LOOK_AGAIN):
            return


def _cancelled(jobs: Jobs, name: str) -> Execution:
    """Cancel an execution, and wait for a while until it has ended: what it does ends with it."""
    jobs.cancel(name)
    deadline = time.monotonic() + CANCELLING
    pause = threading.Event()
    while not (found := jobs.execution(name)).completed and time.monotonic() < deadline:
        pause.wait(FIRST_LOOK)
    return found


def _result(jobs: Jobs, found: Execution, task: Task, place: str) -> Ran:
    if found.succeeded:
        return Ran(0, Ended.BY_ITSELF, place)
    if found.seconds is not None and found.seconds >= task.timeout:
        return Ran(None, Ended.TIMED_OUT, place)
    return Ran(jobs.exit_code(found.name), Ended.BY_ITSELF, place, found.said)


def _refused(job: str, refused: Refused) -> SetupError:
    return SetupError(
        "Cloud Run did not run a task",
        where=job,
        consequence="the release gets no traffic, and the environment is put back",
        fix="compare the deployer's role with docs/cloud-run-role.yaml: curtainup doctor SERVICE",
        detail=refused.message,
    )
