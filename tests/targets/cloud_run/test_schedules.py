"""What Google's own words say of the runs of a schedule."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

from curtainup.errors import Interrupted, RefusedError, SetupError
from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import ScheduleRun
from curtainup.platforms.google.api import Api, Refused
from curtainup.platforms.google.jobs import Execution, Jobs, parsed
from curtainup.targets.cloud_run import by_hand, preflight, schedules, tasks
from curtainup.targets.command import Asked
from curtainup.util.terminal import Terminal
from tests.components.cloud_run.samples import CLEANUP, environment

JOB = "projects/p/locations/r/jobs/shop-live-cleanup-schedule"
CALLER = "shop-live-scheduler@p.iam.gserviceaccount.com"
NIGHTLY = CLEANUP.model_copy(update={"timezone": "UTC"})
"""At three in the morning."""
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LONG_AGO = "2026-01-01T00:00:00Z"


def _at(day: int, hour: int = 3, minute: int = 0, second: int = 1, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def _execution(
    name: str, created: datetime, *, seconds: float | None = 5, ok: bool = True, **changed: Any
) -> Execution:
    ended = created + timedelta(seconds=seconds) if seconds is not None else None
    values: dict[str, Any] = {"creator": CALLER, "said": "" if ok else "it failed", **changed}
    return Execution(
        f"{JOB}/executions/{name}",
        "https://log",
        ended is not None,
        ok and ended is not None,
        seconds,
        created=created,
        ended=ended,
        timeout=600.0,
        **values,
    )


def _jobs(*executions: Execution, code: int | None = 1) -> Any:
    jobs = create_autospec(Jobs, instance=True)
    jobs.executions.return_value = list(executions)
    jobs.exit_code.return_value = code
    return jobs


def _api(since: str = LONG_AGO, **told: Any) -> Any:
    api = create_autospec(Api, instance=True)
    api.scheduler_job.return_value = {"userUpdateTime": since, "state": "ENABLED", **told}
    return api


def _runs(jobs: Any, api: Any, schedule: Schedule, now: datetime) -> list[ScheduleRun]:
    jobs.scheduler_job = api.scheduler_job
    return schedules.runs(jobs, JOB, schedule, CALLER, now)


def _told(jobs: Any, api: Any, schedule: Schedule = NIGHTLY, now: datetime = NOW) -> list[tuple[Any, ...]]:
    found = _runs(jobs, api, schedule, now)
    return [(one.due, one.outcome, one.exit_code, one.why) for one in found]


def _due(day: int) -> datetime:
    return _at(day, second=0)


def test_each_run_is_told_with_when_it_was_due_and_how_it_ended() -> None:
    jobs = _jobs(
        _execution("c", _at(28), ok=False),
        _execution("a", _at(26)),
        _execution("d", _at(29), seconds=None),
        _execution("b", _at(27), seconds=600, ok=False),
        code=3,
    )
    found = _runs(jobs, _api("2026-11-26T00:00:00.123456789Z"), NIGHTLY, NOW)
    assert [(one.due, one.outcome, one.exit_code) for one in found] == [
        (_due(26), "ok", 0),
        (_due(27), "timed out", None),
        (_due(28), "failed", 3),
        (_due(29), "running", None),
    ]
    assert [one.place for one in found] == [f"Cloud Run execution {name}" for name in "abcd"]
    assert [one.why for one in found] == ["", "it failed", "exit code 3", ""]
    assert found[0].started == _at(26)
    assert found[3].ended is None


def test_one_that_somebody_asked_for_was_not_due() -> None:
    jobs = _jobs(_execution("a", _at(29)), _execution("b", _at(29, hour=9), creator="somebody@example.com"))
    assert _told(jobs, _api("2026-11-29T00:00:00Z")) == [(_due(29), "ok", 0, ""), (None, "ok", 0, "")]


def test_what_has_no_run_was_missed_once_it_is_too_late() -> None:
    api = _api("2026-11-26T12:00:00Z")
    no_run = "Cloud Scheduler began no run"
    assert _told(_jobs(_execution("a", _at(28))), api) == [
        (_due(27), "missed", None, no_run),
        (_due(28), "ok", 0, ""),
        (_due(29), "missed", None, no_run),
    ]
    in_time = _at(29, minute=4)
    assert [one[1] for one in _told(_jobs(_execution("a", _at(28))), api, now=in_time)] == ["missed", "ok"]


def test_nothing_was_missed_before_it_was_there_nor_in_a_time_that_nobody_remembers() -> None:
    assert _told(_jobs(), _api("2026-11-29T03:00:01Z")) == []
    assert len(_told(_jobs(), _api())) == 7, "a week"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"code": 7}, "Cloud Scheduler may not run the Cloud Run job; a grant takes some minutes"),
        ({"code": 5}, "the Cloud Run job is not there"),
        ({"code": 13}, "Cloud Scheduler's call ended with code 13 of google.rpc"),
        ({}, "Cloud Scheduler began no run"),
    ],
)
def test_the_last_call_says_why(status: dict[str, int], why: str) -> None:
    api = _api("2026-11-28T12:00:00Z", lastAttemptTime="2026-11-29T03:00:02Z", status=status)
    assert _told(_jobs(), api) == [(_due(29), "missed", None, why)]


def test_a_call_of_another_time_says_nothing() -> None:
    api = _api("2026-11-27T12:00:00Z", lastAttemptTime="2026-11-28T03:00:02Z", status={"code": 7})
    assert [one[3][:20] for one in _told(_jobs(), api)] == ["Cloud Scheduler may ", "Cloud Scheduler bega"]


def test_one_that_is_paused_says_so() -> None:
    api = _api("2026-11-28T12:00:00Z", state="PAUSED")
    assert _told(_jobs(), api) == [(_due(29), "missed", None, "somebody has paused it in Cloud Scheduler")]


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)])
def test_where_the_clock_changes_nobody_knows_what_was_due(month: int, day: int) -> None:
    """Cloud Scheduler runs by the clock on the wall there, twice or not at all."""
    stockholm = CLEANUP.model_copy(update={"cron": "30 2 * * *"})
    since, now = _at(day, hour=12, month=month) - timedelta(days=1), _at(day, hour=12, month=month)
    assert _told(_jobs(), _api(since.isoformat()), stockholm, now) == []
    assert len(_told(_jobs(), _api(since.isoformat()), stockholm, now + timedelta(days=1))) == 1


def test_of_a_full_memory_only_what_is_in_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "KEPT", 2)
    jobs = _jobs(_execution("a", _at(27)), _execution("b", _at(29)))
    assert [(one[0], one[1]) for one in _told(jobs, _api())] == [
        (_due(27), "ok"),
        (_due(28), "missed"),
        (_due(29), "ok"),
    ]


def test_one_that_was_called_twice_is_two_runs_of_one_time() -> None:
    jobs = _jobs(_execution("a", _at(29)), _execution("b", _at(29, second=3)))
    assert [one[0] for one in _told(jobs, _api("2026-11-29T00:00:00Z"))] == [_due(29), _due(29)]


def test_only_of_the_newest_that_failed_the_exit_code_is_asked() -> None:
    minutely = NIGHTLY.model_copy(update={"cron": "* * * * *"})
    jobs = _jobs(*(_execution(str(at), _at(29, 3, at), ok=False) for at in range(20)))
    found = _runs(jobs, _api("2026-11-29T02:59:30Z"), minutely, _at(29, 3, 20))
    assert jobs.exit_code.call_count == schedules.LOOKED_AT
    assert [one.exit_code for one in found] == [None] * 10 + [1] * 10


def test_what_google_does_not_tell_is_an_error_of_ours() -> None:
    jobs = _jobs()
    jobs.executions.side_effect = Refused(403, "PERMISSION_DENIED", "run.executions.list denied")
    with pytest.raises(SetupError, match="Google does not tell of the runs of cleanup") as caught:
        _told(jobs, _api())
    assert caught.value.detail == "run.executions.list denied"
    with pytest.raises(SetupError):
        by_hand.limit_now(jobs, JOB, NIGHTLY, pytest.fail, NOW)


def _limit(schedule: Schedule, now: datetime, *executions: Execution) -> tuple[int, list[str]]:
    said: list[str] = []
    return by_hand.limit_now(_jobs(*executions), JOB, schedule, said.append, now), said


def test_a_run_now_has_ended_before_the_next_is_due() -> None:
    assert _limit(NIGHTLY, NOW) == (600, [])
    soon = _at(29, 2, 55, 0)
    told = "the next run is due in 5m, so this one may take no more than 4m once it has started"
    assert _limit(NIGHTLY, soon) == (240, [told])
    assert _limit(NIGHTLY, _at(29, 2, 49, 0)) == (600, []), "a minute is left until it starts"
    assert _limit(NIGHTLY, _at(29, 2, 49, 1))[0] == 599
    allowed = NIGHTLY.model_copy(update={"overlap": "allow"})
    assert _limit(allowed, soon, _execution("a", soon, seconds=None)) == (600, [])


@pytest.mark.parametrize(
    ("now", "going", "where"),
    [
        (NOW, True, "Cloud Run execution a"),
        (_at(29, 2, 59, 45), False, "the next run is due in 15 s"),
        (_at(29, 2, 58, 31), False, "the next run is due in 89 s"),
    ],
)
def test_none_starts_beside_another(now: datetime, going: bool, where: str) -> None:
    running = [_execution("a", now - timedelta(minutes=1), seconds=None)] if going else []
    with pytest.raises(RefusedError) as caught:
        _limit(NIGHTLY, now, *running)
    assert caught.value.where == where


def test_a_region_without_cloud_scheduler_is_refused_before_anything_is_built() -> None:
    api, wanted = _api(), environment(schedules=True)
    api.scheduler_regions.return_value = {"us-central1"}
    with pytest.raises(RefusedError, match="Cloud Scheduler is not offered in europe-west1"):
        preflight.require_scheduler(api, wanted)
    api.scheduler_regions.return_value = {"europe-west1"}
    preflight.require_scheduler(api, wanted)
    api.scheduler_regions.side_effect = Refused(403, "SERVICE_DISABLED", "it is not enabled")
    preflight.require_scheduler(api, wanted)
    api.reset_mock()
    preflight.require_scheduler(api, environment())
    api.scheduler_regions.assert_not_called()


def test_an_execution_is_read_as_cloud_run_tells_it() -> None:
    found = parsed(
        {
            "name": f"{JOB}/executions/e",
            "creator": CALLER,
            "createTime": "2026-11-29T03:00:01.123456789Z",
            "startTime": "2026-11-29T03:00:02Z",
            "completionTime": "2026-11-29T03:00:12.5Z",
            "template": {"timeout": "600s"},
            "conditions": [{"type": "Completed", "state": "CONDITION_SUCCEEDED"}],
        }
    )
    assert (found.creator, found.timeout, found.seconds) == (CALLER, 600.0, 10.5)
    assert found.created == datetime(2026, 11, 29, 3, 0, 1, 123456, UTC)
    assert found.succeeded


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    number = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    yield Asked(NIGHTLY.command, terminal=Terminal(stdout=number))
    os.close(number)


def _by_hand(*answers: Execution, code: int | None = None) -> Any:
    jobs = _jobs(code=code)
    jobs.run.return_value = f"{JOB}/executions/h"
    jobs.execution.side_effect = answers
    jobs.entries.return_value = {"entries": []}
    return jobs


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_LOOK", 0.01)
    monkeypatch.setattr(by_hand, "Waiting", partial(tasks.Waiting, settling=0.0))


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("ended", "code", "said"),
    [
        (_execution("h", NOW), 0, []),
        (_execution("h", NOW, ok=False), 3, []),
        (_execution("h", NOW, ok=False, seconds=86400), 143, ["timed out: it took longer than"]),
    ],
)
def test_a_run_by_hand_has_the_exit_code_of_its_command(
    asked: Asked, ended: Execution, code: int, said: list[str]
) -> None:
    heard: list[str] = []
    jobs = _by_hand(ended, code=3)
    allowed = NIGHTLY.model_copy(update={"overlap": "allow"})
    assert by_hand.run(jobs, JOB, allowed, replace(asked, say=heard.append)) == code
    assert [one[: len("timed out: it took longer than")] for one in heard] == said
    jobs.run.assert_called_once_with(JOB, NIGHTLY.command, 600)


@pytest.mark.usefixtures("soon")
def test_ctrl_c_lets_the_run_go_on(asked: Asked) -> None:
    jobs = _by_hand(*[_execution("h", NOW, seconds=None)] * 3)
    asked.cancel.set()
    with pytest.raises(Interrupted) as caught:
        by_hand.run(jobs, JOB, NIGHTLY.model_copy(update={"overlap": "allow"}), asked)
    assert str(caught.value.consequence).startswith("the run goes on")
    jobs.cancel.assert_not_called()


@pytest.mark.usefixtures("soon")
def test_one_whose_end_nobody_tells_is_an_error(asked: Asked) -> None:
    jobs = _by_hand(_execution("h", NOW, ok=False), code=None)
    with pytest.raises(SetupError, match="nobody knows how the run of cleanup ended"):
        by_hand.run(jobs, JOB, NIGHTLY.model_copy(update={"overlap": "allow"}), asked)
