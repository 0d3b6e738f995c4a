"""Schedules on Cloud Run: what Cloud Run and Cloud Scheduler tell of their runs.

A run is an execution of the schedule's Cloud Run job. Who asked for it tells whether it was due: Cloud
Scheduler asks as a service account of its own. What was due and has no execution is missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from curtainup.errors import SetupError
from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import FAILED, MISSED, OK, RUNNING, TIMED_OUT, ScheduleRun
from curtainup.platforms.google.api import Refused
from curtainup.platforms.google.jobs import Execution, Jobs
from curtainup.targets.schedules import in_order
from curtainup.util import cron, zones

REMEMBERED: Final = timedelta(days=7)
"""How far back it is looked for what was missed; Cloud Run keeps the last 1,000 executions of a job."""
KEPT: Final = 1000
EARLY: Final = timedelta(seconds=5)
"""By how much Google's clocks may differ."""
CLOCK_CHANGE: Final = timedelta(hours=3)
"""Around a change of the clock, Cloud Scheduler may run a job twice or not at all."""
LOOKED_AT: Final = 10
"""Of how many of the newest failed executions the exit code is asked: each is a call."""
CODES: Final[Mapping[int, str]] = {
    4: "Cloud Run did not answer in time",
    5: "the Cloud Run job is not there",
    7: "Cloud Scheduler may not run the Cloud Run job; a grant takes some minutes",
    8: "Google's quota was used up",
    14: "Cloud Run could not be reached",
    16: "Google did not accept the caller's token",
}
"""Of google.rpc, as Cloud Scheduler tells them of its last call."""


@dataclass(frozen=True)
class Calls:
    """The job of Cloud Scheduler that calls a schedule.

    Attributes:
        since: when it was made or changed last; earlier due times may have been others.
        paused: whether somebody has paused it.
        last: when it called last; None if it never has.
        code: with what code of google.rpc that call ended.

    """

    since: datetime
    paused: bool
    last: datetime | None
    code: int


def runs(
    jobs: Jobs, job: str, schedule: Schedule, caller: str, now: datetime | None = None
) -> list[ScheduleRun]:
    """Return the runs of a schedule, those that were missed included, the newest last.

    Args:
        jobs: of the account.
        job: the full name of the schedule's Cloud Run job, and of the job of Cloud Scheduler.
        schedule: the schedule.
        caller: the address as which Cloud Scheduler calls.
        now: the time.

    Raises:
        SetupError: Google does not say.

    """
    moment = now or datetime.now(UTC)
    try:
        executions = jobs.executions(job)
        calls = _calls(jobs.scheduler_job(job))
        executions.sort(key=_created)
        failed = [one.name for one in executions if one.completed and not one.succeeded][-LOOKED_AT:]
        codes = {name: jobs.exit_code(name) for name in failed}
    except Refused as refused:
        raise untold(schedule.name, job, refused) from refused
    since = max(calls.since, moment - REMEMBERED)
    if len(executions) >= KEPT:
        since = max(since, _created(executions[0]) - EARLY)
    due = list(_due(schedule, since, moment))
    found, met = [], set()
    for one in executions:
        at = _due_of(one, due) if one.creator == caller else None
        met.add(at)
        found.append(run_of(schedule, one, at, codes.get(one.name)))
    late = timedelta(seconds=schedule.start_within)
    missed = [at for at in due if at not in met and at + late < moment and not _changes(schedule, at)]
    found += [_missed(schedule, at, calls, late) for at in missed]
    return in_order(found)


def run_of(
    schedule: Schedule, one: Execution, due: datetime | None = None, code: int | None = None
) -> ScheduleRun:
    """Return the run that an execution is.

    Args:
        schedule: the schedule.
        one: the execution.
        due: when it was to start; None if somebody asked for it.
        code: its exit code, if it failed and that is known.

    """
    outcome, why = OK if one.succeeded else FAILED, ""
    if not one.completed:
        outcome = RUNNING
    elif outcome == FAILED and one.seconds and one.timeout and one.seconds >= one.timeout:
        outcome, why = TIMED_OUT, one.said
    elif outcome == FAILED:
        why = one.said if code is None else f"exit code {code}"
    return ScheduleRun(
        schedule=schedule.name,
        due=due,
        started=one.created,
        ended=one.ended,
        outcome=outcome,
        exit_code=0 if outcome == OK else code if outcome == FAILED else None,
        place=f"Cloud Run execution {one.name.rpartition('/')[2]}",
        why=why,
    )


def untold(name: str, job: str, refused: Refused) -> SetupError:
    """Return the error for what Google does not tell of a schedule."""
    return SetupError(
        f"Google does not tell of the runs of {name}",
        where=f"Cloud Run job {job.rpartition('/')[2]}",
        consequence="nobody knows whether they did their work; nothing was changed",
        fix="compare your role with docs/cloud-run-role.yaml: curtainup doctor SERVICE",
        detail=refused.message,
    )


def _calls(told: Mapping[str, Any]) -> Calls:
    last = told.get("lastAttemptTime")
    return Calls(
        _time(told["userUpdateTime"]),
        told.get("state") == "PAUSED",
        _time(last) if last else None,
        int((told.get("status") or {}).get("code", 0)),
    )


def _due(schedule: Schedule, since: datetime, until: datetime) -> Iterator[datetime]:
    for at in cron.due_after(schedule.cron, zones.zone(schedule.timezone), since):
        if at > until:
            return
        yield at


def _due_of(execution: Execution, due: Sequence[datetime]) -> datetime | None:
    """Return for when an execution was due: the last time before it was asked for."""
    before = [at for at in due if at - EARLY <= _created(execution)]
    return before[-1] if before else _created(execution)


def _missed(schedule: Schedule, due: datetime, calls: Calls, late: timedelta) -> ScheduleRun:
    why = "Cloud Scheduler began no run"
    if calls.last is not None and due - EARLY <= calls.last <= due + late and calls.code:
        why = CODES.get(calls.code, f"Cloud Scheduler's call ended with code {calls.code} of google.rpc")
    elif calls.paused:
        why = "somebody has paused it in Cloud Scheduler"
    return ScheduleRun(schedule.name, due, None, due + late, MISSED, place="Cloud Scheduler", why=why)


def _changes(schedule: Schedule, at: datetime) -> bool:
    """Return whether the schedule's clock changes around a time."""
    zone = zones.zone(schedule.timezone)
    before, after = ((at + by).astimezone(zone).utcoffset() for by in (-CLOCK_CHANGE, CLOCK_CHANGE))
    return before != after


def _created(one: Execution) -> datetime:
    return one.created or datetime.fromtimestamp(0, UTC)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
