"""The schedules of an environment in `status`: when each comes due, and how its last runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from curtainup.environments.schedules import ScheduleState
from curtainup.model.schedule_run import CUT_OFF, TROUBLE, ScheduleRun
from curtainup.util import durations, zones

LOOKED_BACK = timedelta(days=1)
"""How long `status` shows a run that somebody should know of."""
SHOWN = 3
"""How many such runs its text shows of a schedule."""


@dataclass(frozen=True)
class RunStatus:
    """A run of a schedule; times are UTC (ISO 8601), and None where there is none.

    Attributes:
        due: when it was to start; None if somebody asked for it.
        started: when it started.
        ended: when it ended; for one that did not start or was cut off, when that became known.
        outcome: `running`, `ok`, `failed`, `timed out`, `missed`, `skipped` or `cut off`.
        exit_code: of its command.
        place: what ran it.
        why: in words, why it did not end well.

    """

    due: str | None
    started: str | None
    ended: str | None
    outcome: str
    exit_code: int | None
    place: str
    why: str


@dataclass(frozen=True)
class ScheduleStatus:
    """One schedule of the release that works.

    Attributes:
        schedule: its name.
        cron: when it comes due.
        timezone: the time zone of that.
        next: when it comes due next (ISO 8601, in its time zone).
        last: its last run; None if none is known.
        failed: those that somebody should know of, and that became known in the last day; the oldest first.
        trouble: why nobody knows what has run; None if it is known.

    """

    schedule: str
    cron: str
    timezone: str
    next: str | None
    last: RunStatus | None
    failed: tuple[RunStatus, ...] = ()
    trouble: str | None = None


def status_of(state: ScheduleState, now: datetime) -> ScheduleStatus:
    """Return what `status` says of a schedule."""
    since = now - LOOKED_BACK
    bad = [one for one in state.runs if one.outcome in TROUBLE and one.known and one.known >= since]
    return ScheduleStatus(
        state.schedule.name,
        state.schedule.cron,
        state.schedule.timezone,
        state.due.isoformat() if state.due else None,
        run_status(state.runs[-1]) if state.runs else None,
        tuple(map(run_status, bad)),
        state.trouble,
    )


def lines(one: ScheduleStatus) -> list[str]:
    """Return a schedule in one line, and one for each run that somebody should know of."""
    due = f"next {_shown(one.next, one.timezone)}" if one.next else "never due again"
    last = f"last {_told(one.last, one.timezone)}" if one.last else "no run yet"
    what = f"nobody knows what has run: {one.trouble}" if one.trouble else last
    found = [f"schedule {one.schedule}  {one.cron}  {one.timezone}  {due}  {what}"]
    others = [run for run in one.failed if run != one.last]
    found += [f"  and {len(others) - SHOWN} more in the last day"] if len(others) > SHOWN else []
    return [*found, *(f"  {_told(run, one.timezone)}" for run in others[-SHOWN:])]


def told(run: ScheduleRun, timezone: str) -> str:
    """Return a run in one line, as in `2026-11-29 03:00 CET failed after 4s: exit code 3`."""
    return _told(run_status(run), timezone)


def _told(run: RunStatus, timezone: str) -> str:
    when = _shown(run.due or run.started, timezone)
    by_hand = "" if run.due else " (by hand)"
    seconds = _seconds(run)
    took = f" after {durations.render(seconds)}" if seconds >= 1 else ""
    return f"{when}{by_hand} {run.outcome}{took}" + (f": {run.why}" if run.why else "")


def _seconds(run: RunStatus) -> float:
    if not run.started or not run.ended or run.outcome == CUT_OFF:
        return 0
    return (datetime.fromisoformat(run.ended) - datetime.fromisoformat(run.started)).total_seconds()


def _shown(moment: str | None, timezone: str) -> str:
    if moment is None:
        return "at an unknown time"
    there = datetime.fromisoformat(moment).astimezone(zones.zone(timezone))
    seconds = there.strftime(":%S") if there.second else ""
    return f"{there:%Y-%m-%d %H:%M}{seconds} {there:%Z}"


def run_status(one: ScheduleRun) -> RunStatus:
    """Return what `status` says of a run."""
    due, started, ended = (
        moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
        for moment in (one.due, one.started, one.ended)
    )
    return RunStatus(due, started, ended, one.outcome, one.exit_code, one.place, one.why)
