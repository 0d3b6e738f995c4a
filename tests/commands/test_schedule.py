from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

from curtainup.commands import schedule as commands
from curtainup.commands.schedule import Wanted
from curtainup.environments import stack as environments
from curtainup.errors import Interrupted, RefusedError, ScheduleFailed, SetupError
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment, Release
from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import FAILED, MISSED, OK, SKIPPED, ScheduleRun
from curtainup.platforms.google.jobs import Jobs
from curtainup.targets.cloud_run import schedules as cloud_run
from curtainup.targets.command import Asked
from curtainup.targets.docker.target import DockerTarget
from curtainup.targets.kubernetes import cron_runs
from tests import samples
from tests.model.test_schedule import CLEANUP
from tests.reporting.notify.servers import Hook, hook
from tests.sessions import World, world
from tests.targets.kubernetes import test_cron_runs as cluster

REPORT = CLEANUP.model_copy(update={"name": "report", "command": ("report", "--token=hush-hush")})
HOUR = 3600


def deployed(folder: Path, text: str = "", *schedules: Schedule, **environ: str) -> World:
    found = world(folder, text, environ=environ) if environ else world(folder, text)
    one = samples.release(1, settings=samples.SETTINGS.model_copy(update={"schedules": schedules}))
    environment = Environment("shop-live", samples.environment())
    environments.apply(found.engine, environment, Deployment(releases=(one,), traffic={one.id: 100}))
    return found


@pytest.fixture
def live(tmp_path: Path) -> World:
    return deployed(tmp_path, "", CLEANUP, REPORT)


def _does(monkeypatch: pytest.MonkeyPatch, what: Callable[[Asked], int]) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []

    def run(_self: DockerTarget, release: Release, schedule: Schedule, asked: Asked) -> int:
        seen.append((release.id, schedule.name))
        return what(asked)

    monkeypatch.setattr(DockerTarget, "run_schedule", run)
    return seen


def _remembers(monkeypatch: pytest.MonkeyPatch, *runs: ScheduleRun) -> None:
    monkeypatch.setattr(DockerTarget, "schedule_runs", lambda *_: list(runs))


def _record(found: World) -> Any:
    [file] = found.session.state.workspace.folder.glob("runs/*-schedule/record.json")
    return json.loads(file.read_text())


def run(minutes: float, outcome: str, name: str = "cleanup", took: float | None = None) -> ScheduleRun:
    due = datetime.now(UTC) - timedelta(minutes=minutes)
    ended = due + timedelta(minutes=took) if took is not None else None
    return ScheduleRun(name, due, due if ended else None, ended, outcome, why="because")


def test_a_run_by_hand_is_recorded_without_its_arguments(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _does(monkeypatch, lambda _: 9)
    assert commands.run_now(live.session, Wanted("report")) == 9
    assert seen == [("r0000001", "report")]
    told = _record(live)
    assert told["ran"] == {
        "environment": "live",
        "release": "r0000001",
        "program": "report",
        "arguments": 1,
        "attached": False,
        "exit_code": 9,
        "schedule": "report",
        "process": None,
    }
    assert (told["command"], told["result"]["outcome"]) == ("schedule", "done")
    assert "hush-hush" not in json.dumps(told)


@pytest.mark.parametrize(
    ("raised", "told", "outcome"),
    [(KeyboardInterrupt, Interrupted, "interrupted"), (SetupError("no Docker"), SetupError, "failed")],
)
def test_a_run_that_is_lost_is_recorded_too(
    live: World, monkeypatch: pytest.MonkeyPatch, raised: Any, told: type[Exception], outcome: str
) -> None:
    def fail(_: Asked) -> int:
        raise raised

    _does(monkeypatch, fail)
    with pytest.raises(told):
        commands.run_now(live.session, Wanted("cleanup"))
    assert _record(live)["result"]["outcome"] == outcome


def test_what_does_not_run_there_is_refused_with_what_does(live: World) -> None:
    with pytest.raises(RefusedError, match="live has no schedule 'nobody'") as caught:
        commands.run_now(live.session, Wanted("nobody"))
    assert caught.value.where == "schedules that run there: cleanup, report"
    with pytest.raises(RefusedError, match="staging has no schedules"):
        commands.check(live.session, Wanted(None, "staging"), HOUR)


def test_a_check_gives_what_went_wrong_within_the_time(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _remembers(
        monkeypatch,
        run(90, FAILED),
        run(80, FAILED, took=30),
        run(40, MISSED, "report"),
        run(30, SKIPPED),
        run(20, OK),
        run(10, FAILED, "gone"),
    )
    found = commands.check(live.session, Wanted(None), HOUR)
    assert [(one.run.schedule, one.run.outcome) for one in found] == [("cleanup", FAILED), ("report", MISSED)]
    assert found[1].told.startswith("report  20")
    assert found[1].told.endswith(" UTC missed: because")
    with pytest.raises(ScheduleFailed, match="2 runs of schedules failed or were missed") as caught:
        commands.require_none(Wanted(None), found, HOUR)
    assert caught.value.where == "live, in the last 1h"
    [one] = commands.check(live.session, Wanted("report"), HOUR)
    with pytest.raises(ScheduleFailed, match="1 run of schedules failed or was missed"):
        commands.require_none(Wanted("report"), [one], HOUR)
    commands.require_none(Wanted(None), [], HOUR)


NIGHTLY = CLEANUP.model_copy(update={"timezone": "UTC"})
"""At three in the morning."""
MIDNIGHT = datetime(2026, 11, 29, tzinfo=UTC)


def _of_a_cluster(schedule: Schedule, now: datetime) -> list[ScheduleRun]:
    return cron_runs.runs(cluster.told(cluster.cron_job(MIDNIGHT), schedule=schedule), now)


def _of_cloud_run(schedule: Schedule, now: datetime) -> list[ScheduleRun]:
    jobs = create_autospec(Jobs, instance=True)
    jobs.executions.return_value = []
    jobs.scheduler_job.return_value = {"userUpdateTime": MIDNIGHT.isoformat()}
    return cloud_run.runs(jobs, "jobs/cleanup", schedule, "caller", now)


@pytest.mark.parametrize("start_within", [300, HOUR])
@pytest.mark.parametrize("told", [_of_a_cluster, _of_cloud_run])
def test_a_check_every_hour_tells_of_each_missed_run(
    live: World,
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[Schedule, datetime], list[ScheduleRun]],
    start_within: int,
) -> None:
    """Whatever the minute of the check: nobody knows of one before its `start_within` is over."""
    schedule = NIGHTLY.model_copy(update={"start_within": start_within})

    class Clock(datetime):
        at = MIDNIGHT

        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return cls.at.astimezone(tz)

    def at(moment: datetime) -> list[str]:
        Clock.at = moment
        _remembers(monkeypatch, *told(schedule, moment))
        return [one.told for one in commands.check(live.session, Wanted(None), HOUR)]

    monkeypatch.setattr(commands, "datetime", Clock)
    for minute in range(60):
        checks = [at(MIDNIGHT + timedelta(hours=hour, minutes=minute)) for hour in range(2, 7)]
        found = [one for lines in checks for one in lines]
        assert found, f"nobody is told by the checks at {minute} past"
        assert found[0].startswith("cleanup  2026-11-29 03:00 UTC missed")
        assert len(found) <= 2, "twice only where both ends of an hour meet the moment"


@pytest.fixture
def team() -> Any:
    with hook() as one:
        yield one


def test_everybody_who_listens_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, team: Hook) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    notify = "notify: [TEAM_URL, {url_env: OTHER_URL, events: [failed]}]\n"
    urls = {"TEAM_URL": team.url, "OTHER_URL": team.url}
    found = deployed(tmp_path, notify, CLEANUP, **urls)
    _remembers(monkeypatch, run(10, OK))
    commands.check(found.session, Wanted(None), HOUR)
    assert team.received == []
    _remembers(monkeypatch, run(10, FAILED))
    commands.check(found.session, Wanted(None), HOUR)
    [message] = team.received
    assert message["title"] == "shop: schedules of live failed or were missed"
    assert "failed: because" in message["message"]

    def fail(*_: object) -> None:
        raise SetupError("the scheduler does not tell what has run")

    monkeypatch.setattr(DockerTarget, "schedule_runs", fail)
    with pytest.raises(SetupError):
        commands.check(found.session, Wanted(None), HOUR)
    assert "the scheduler does not tell what has run" in team.received[-1]["message"]
