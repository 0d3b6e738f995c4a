from __future__ import annotations

from datetime import UTC, datetime

from curtainup.environments import schedules
from curtainup.errors import SetupError
from curtainup.model.release import Deployment, Release
from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import OK, ScheduleRun
from curtainup.targets.command import Asked
from curtainup.targets.runs import RunsSchedules
from tests import samples
from tests.model.test_schedule import CLEANUP

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
REPORT = CLEANUP.model_copy(update={"name": "report", "timezone": "Europe/Stockholm"})
RELEASE = samples.release(1, settings=samples.SETTINGS.model_copy(update={"schedules": (CLEANUP, REPORT)}))
LIVE = Deployment(releases=(RELEASE,), traffic={RELEASE.id: 100})


class Target(RunsSchedules):
    """Remembers one run, or fails."""

    def __init__(self, error: SetupError | None = None) -> None:
        self.error = error

    def require_schedules(self) -> None:
        raise AssertionError

    def schedule_runs(self, release: Release) -> list[ScheduleRun]:
        assert release.id == RELEASE.id
        if self.error:
            raise self.error
        return [ScheduleRun("report", NOW, NOW, NOW, OK)]

    def run_schedule(self, release: Release, schedule: Schedule, asked: Asked) -> int:
        raise AssertionError(release, schedule, asked)


def test_each_schedule_has_its_next_due_time_and_its_own_runs() -> None:
    cleanup, report = schedules.states(Target(), LIVE, NOW)  # type: ignore[arg-type]
    assert (cleanup.schedule, cleanup.release, cleanup.runs) == (CLEANUP, RELEASE.id, ())
    assert cleanup.due is not None
    assert cleanup.due.isoformat() == "2026-11-30T03:00:00+00:00"
    assert report.due is not None
    assert report.due.isoformat() == "2026-11-30T03:00:00+01:00"
    assert [one.schedule for one in report.runs] == ["report"]


def test_it_is_known_when_they_come_due_even_if_nobody_tells_what_has_run() -> None:
    found = schedules.states(Target(SetupError("it is gone")), LIVE, NOW)  # type: ignore[arg-type]
    assert [(one.trouble, one.runs, bool(one.due)) for one in found] == [("it is gone", (), True)] * 2


def test_only_the_release_that_works_has_any() -> None:
    candidate = Deployment(releases=(RELEASE,))
    assert schedules.at_work(candidate) is None
    assert schedules.states(Target(), candidate, NOW) == []  # type: ignore[arg-type]
    without = samples.release(1)
    assert schedules.at_work(Deployment(releases=(without,), traffic={without.id: 100})) is None
