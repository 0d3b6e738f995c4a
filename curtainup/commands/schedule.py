"""`schedule`: a schedule that runs now, and whether the runs of the last hours have ended well.

Neither takes a lock: they change no release and no traffic, and work while a deployment is under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from curtainup.commands import status_of_schedules
from curtainup.commands.exec import recorded
from curtainup.environments.schedules import at_work
from curtainup.environments.view import EnvironmentView
from curtainup.errors import CurtainupError, RefusedError, ScheduleFailed
from curtainup.model.release import Release
from curtainup.model.run import CommandRecord
from curtainup.model.schedule import Schedule, schedules_of
from curtainup.model.schedule_run import TROUBLE, ScheduleRun
from curtainup.pipeline.run.recorded import telling
from curtainup.session import Session
from curtainup.targets.command import NOT_STARTED, Asked
from curtainup.targets.runs import RunsSchedules
from curtainup.util import durations
from curtainup.util.terminal import Terminal

SHOWN = 10
"""How many runs a message names."""


@dataclass(frozen=True)
class Wanted:
    """What `curtainup schedule` is asked for.

    Attributes:
        name: of the schedule; None is every one, for a check.
        env: the environment.
        terminal: what takes the output of a run.

    """

    name: str | None
    env: str = "live"
    terminal: Terminal = field(default_factory=Terminal)


@dataclass(frozen=True)
class Checked:
    """A run that failed or was missed, and in words when that was, in the schedule's time zone."""

    run: ScheduleRun
    told: str


def run_now(session: Session, wanted: Wanted) -> int:
    """Run a schedule of the release that works; return the exit code of its command.

    Raises:
        RefusedError: there is no such schedule, or a run of it is on its way and it forbids an overlap.
        CurtainupError: it could not be run, or was lost.

    """
    session = session.at(wanted.env)
    view, target, release, [schedule] = _asked(session, wanted)
    told = CommandRecord(
        environment=wanted.env,
        release=release.id,
        program=schedule.command[0],
        arguments=len(schedule.command) - 1,
        attached=False,
        exit_code=None,
        schedule=schedule.name,
    )
    asked = Asked(
        schedule.command,
        terminal=wanted.terminal,
        say=session.run.report.info,
        cancel=session.run.cancelled,
    )
    asked.say(f"schedule {schedule.name} runs in {release.version} ({release.id}) of {view.name}")
    return recorded(session, "schedule", told, lambda: target.run_schedule(release, schedule, asked))


def check(session: Session, wanted: Wanted, within: int) -> list[Checked]:
    """Return the runs of the last seconds that failed or were missed, the oldest first, and tell of them.

    A run belongs to the moment in which it became known how it went. So checks that follow one another within
    those seconds leave none out.

    Raises:
        RefusedError: there is no such schedule.
        CurtainupError: nobody knows what has run.

    """
    session = session.at(wanted.env)
    _, target, release, schedules = _asked(session, wanted)
    since = datetime.now(UTC) - timedelta(seconds=within)
    zones = {one.name: one.timezone for one in schedules}
    try:
        runs = target.schedule_runs(release)
    except CurtainupError as error:
        _tell(session, wanted.env, [error.what])
        raise
    found = [
        Checked(one, f"{one.schedule}  {status_of_schedules.told(one, zones[one.schedule])}")
        for one in runs
        if one.schedule in zones and one.outcome in TROUBLE and (one.known or since) >= since
    ]
    if found:
        _tell(session, wanted.env, [one.told for one in found[-SHOWN:]])
    return found


def require_none(wanted: Wanted, found: Sequence[Checked], within: int) -> None:
    """Raise ScheduleFailed if a run failed or was missed."""
    if found:
        count = f"{len(found)} run{'s' * (len(found) != 1)}"
        raise ScheduleFailed(
            f"{count} of schedules failed or {'was' if len(found) == 1 else 'were'} missed",
            where=f"{wanted.env}, in the last {durations.render(within)}",
            consequence="its work may not be done; nothing was changed",
            fix="curtainup schedule run NAME does it now",
        )


def _tell(session: Session, env: str, lines: Sequence[str]) -> None:
    with telling(session, "schedule", env) as notifier:
        notifier.schedules(lines)


def _asked(
    session: Session, wanted: Wanted
) -> tuple[EnvironmentView, RunsSchedules, Release, tuple[Schedule, ...]]:
    view = EnvironmentView(session, wanted.env)
    release = at_work(view.deployment)
    schedules = schedules_of(release.settings) if release else ()
    if wanted.name is not None:
        schedules = tuple(one for one in schedules if one.name == wanted.name)
    if release is None or not schedules or not isinstance(view.target, RunsSchedules):
        raise _none(view, wanted.name, release)
    return view, view.target, release, schedules


def _none(view: EnvironmentView, name: str | None, release: Release | None) -> RefusedError:
    known = ", ".join(one.name for one in schedules_of(release.settings)) if release else ""
    return RefusedError(
        f"{view.name} has no schedule {name!r}" if name else f"{view.name} has no schedules",
        where=f"schedules that run there: {known or 'none'}",
        consequence=NOT_STARTED if name else "there is nothing to check",
        fix="name one of them, or another environment with --env; deploy first what pym-config.yaml adds",
    )
