from __future__ import annotations

from datetime import UTC, datetime, timedelta

from curtainup.scheduler import due
from curtainup.scheduler.plan import Planned
from curtainup.util import zones

NOW = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)


def planned(cron: str, start_within: float = 300, zone: str = "UTC") -> Planned:
    return Planned("one", ("work",), cron, zones.zone(zone), 60, False, start_within, 10)


def before(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_nothing_is_due_before_its_time() -> None:
    assert due.since(planned("*/5 * * * *"), before(29), NOW) == due.Due(None, ())


def test_one_that_is_due_is_late_by_the_time_since() -> None:
    assert due.since(planned("* * * * *"), before(60), NOW) == due.Due(None, (before(30),))


def test_the_moment_of_a_due_time_counts() -> None:
    assert due.since(planned("* * * * *"), before(31), before(30)) == due.Due(None, (before(30),))


def test_what_is_too_late_is_missed_and_the_rest_is_not() -> None:
    found = due.since(planned("* * * * *", start_within=100), before(300), NOW)
    assert found == due.Due(before(270), (before(90), before(30)))


def test_one_that_is_late_by_just_what_it_may_be_is_not_missed() -> None:
    assert due.since(planned("* * * * *", start_within=30), before(60), NOW).late == (before(30),)
    assert due.since(planned("* * * * *", start_within=29), before(60), NOW) == due.Due(before(30), ())


def test_a_long_time_with_many_due_times_takes_no_time() -> None:
    found = due.since(planned("* * * * * *", start_within=2), before(400 * 86400), NOW)
    assert found == due.Due(before(400 * 86400 - 1), (before(2), before(1), NOW))


def test_a_clock_that_was_set_back_makes_nothing_due_again() -> None:
    ahead = NOW + timedelta(hours=1)
    assert due.since(planned("* * * * *"), ahead, NOW) == due.Due(None, ())
    assert due.after(planned("* * * * *"), ahead) == ahead + timedelta(seconds=30)


def test_a_time_that_the_clock_leaves_out_or_shows_twice_comes_once() -> None:
    at_night = planned("30 2 * * *", start_within=7200, zone="Europe/Stockholm")
    for day, expected in (("2026-03-29", "01:00"), ("2026-10-25", "00:30")):
        handled = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        found: list[datetime] = []
        for minute in range(180):
            now = handled + timedelta(minutes=minute)
            found += due.since(at_night, handled if not minute else now - timedelta(minutes=1), now).late
        assert [f"{one:%H:%M}" for one in found] == [expected]
