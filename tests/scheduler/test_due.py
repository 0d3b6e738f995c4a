from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest

from curtainup.scheduler import due
from curtainup.scheduler.plan import Planned
from curtainup.util import cron as cron_lines
from curtainup.util import zones

NOW = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)


def planned(cron: str, start_within: float = 300, zone: str = "UTC") -> Planned:
    return Planned("one", ("work",), cron, zones.zone(zone), 60, False, start_within, 10)


def one(moment: datetime) -> due.Missed:
    return due.Missed(moment, moment, 1)


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
    missed = due.Missed(oldest=before(270), newest=before(150), count=3)
    assert found == due.Due(missed, (before(90), before(30)))


def test_one_that_is_late_by_just_what_it_may_be_is_not_missed() -> None:
    assert due.since(planned("* * * * *", start_within=30), before(60), NOW).late == (before(30),)
    assert due.since(planned("* * * * *", start_within=29), before(60), NOW) == due.Due(one(before(30)), ())


def test_a_long_time_with_many_due_times_takes_no_time() -> None:
    found = due.since(planned("* * * * * *", start_within=2), before(400 * 86400), NOW)
    missed = due.Missed(oldest=before(400 * 86400 - 1), newest=before(3), count=None)
    assert found == due.Due(missed, (before(2), before(1), NOW))


@pytest.mark.parametrize("cron", ["*/7 * * * * *", "* * 3 * * *", "5 5 * * * MON", "*/2 * * 11 *"])
def test_of_many_that_were_missed_the_newest_is_known(cron: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = before(20 * 86400 - 17)
    [*_, newest] = takewhile(
        lambda moment: moment < before(300), cron_lines.due_after(cron, zones.zone("UTC"), begin)
    )
    found = due.since(planned(cron), begin, NOW).missed
    monkeypatch.setattr(due, "COUNTED", 1)
    bounded = due.since(planned(cron), begin, NOW).missed
    assert found is not None
    assert bounded is not None
    assert (found.newest, bounded.newest, bounded.count) == (newest, newest, None)


def test_as_many_as_are_counted_are_counted() -> None:
    for more, count in ((0, due.COUNTED), (1, None)):
        found = due.since(planned("* * * * * *", start_within=10), before(10 + due.COUNTED + 1 + more), NOW)
        assert found.missed == due.Missed(before(10 + due.COUNTED + more), before(11), count)


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
