from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from curtainup.commands.status import EnvironmentStatus, ServiceStatus
from curtainup.commands.status_of_schedules import status_of, told
from curtainup.commands.status_text import render
from curtainup.environments.schedules import ScheduleState
from curtainup.model.schedule_run import CUT_OFF, FAILED, MISSED, OK, RUNNING, ScheduleRun
from tests.model.test_schedule import CLEANUP

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
STOCKHOLM = CLEANUP.model_copy(update={"timezone": "Europe/Stockholm"})


def run(hours: float, outcome: str, seconds: float | None = 4, **more: Any) -> ScheduleRun:
    due = NOW - timedelta(hours=hours)
    ended = due + timedelta(seconds=seconds) if seconds is not None else None
    return ScheduleRun("cleanup", due, due if ended or outcome == RUNNING else None, ended, outcome, **more)


def lines(*runs: ScheduleRun, trouble: str | None = None) -> list[str]:
    due = datetime.fromisoformat("2026-11-30T03:00:00+01:00")
    state = ScheduleState(STOCKHOLM, "r1", due, runs, trouble)
    live = EnvironmentStatus("live", "http://x", None, (), schedules=(status_of(state, NOW),))
    return render([ServiceStatus("shop", (live,))]).splitlines()[1:]


HEAD = "  schedule cleanup  0 3 * * *  Europe/Stockholm  next 2026-11-30 03:00 CET"


def test_a_schedule_has_a_line_with_its_last_run() -> None:
    assert lines() == [f"{HEAD}  no run yet"]
    assert lines(run(30, OK), run(9, OK)) == [f"{HEAD}  last 2026-11-29 04:00 CET ok after 4s"]
    assert lines(run(0, RUNNING, None)) == [f"{HEAD}  last 2026-11-29 13:00 CET running"]


def test_what_went_wrong_within_a_day_has_a_line_of_its_own() -> None:
    failed = run(10, FAILED, exit_code=3, why="exit code 3")
    missed = run(9, MISSED, None, why="it could not start within 300 s")
    assert lines(run(25, CUT_OFF), failed, missed, run(8, OK)) == [
        f"{HEAD}  last 2026-11-29 05:00 CET ok after 4s",
        "    2026-11-29 03:00 CET failed after 4s: exit code 3",
        "    2026-11-29 04:00 CET missed: it could not start within 300 s",
    ]
    assert len(lines(failed)) == 1, "it is the last one"
    many = [run(hours, FAILED, 0.2) for hours in (9, 8, 7, 6, 5)]
    assert lines(*many, run(4, OK)) == [
        f"{HEAD}  last 2026-11-29 09:00 CET ok after 4s",
        "    and 2 more in the last day",
        *(f"    2026-11-29 0{hour}:00 CET failed" for hour in (6, 7, 8)),
    ]


def test_a_run_counts_from_when_it_became_known() -> None:
    """A host that was off for a day tells of yesterday's run once it is on again."""
    known = NOW - timedelta(hours=1)
    cut_off = ScheduleRun("cleanup", NOW - timedelta(hours=33), NOW - timedelta(hours=33), known, CUT_OFF)
    missed = ScheduleRun("cleanup", NOW - timedelta(hours=32), None, known, MISSED, why="nobody started it")
    assert lines(cut_off, missed, run(8, OK))[1:] == [
        "    2026-11-28 04:00 CET cut off",
        "    2026-11-28 05:00 CET missed: nobody started it",
    ]


def test_nobody_may_know_what_has_run() -> None:
    assert lines(trouble="it is gone") == [f"{HEAD}  nobody knows what has run: it is gone"]


def test_the_data_have_times_in_utc() -> None:
    found = status_of(ScheduleState(STOCKHOLM, "r1", None, (run(9, OK, place="container x"),)), NOW)
    assert (found.schedule, found.timezone, found.next, found.failed) == (
        "cleanup",
        "Europe/Stockholm",
        None,
        (),
    )
    assert found.last is not None
    assert (found.last.due, found.last.ended) == (
        "2026-11-29T03:00:00.000+00:00",
        "2026-11-29T03:00:04.000+00:00",
    )


def test_one_by_hand_has_no_due_time_and_seconds_are_shown_where_there_are_some() -> None:
    by_hand = ScheduleRun("cleanup", None, NOW + timedelta(seconds=7), None, RUNNING)
    assert told(by_hand, "Europe/Stockholm") == "2026-11-29 13:00:07 CET (by hand) running"
    assert (
        told(ScheduleRun("cleanup", None, None, None, CUT_OFF), "UTC")
        == "at an unknown time (by hand) cut off"
    )
