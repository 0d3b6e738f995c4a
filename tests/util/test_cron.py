from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from curtainup.util import cron, zones

STOCKHOLM = zones.zone("Europe/Stockholm")
"""Its clock leaves out 2:00 to 3:00 on 29 March 2026, and shows 2:00 to 3:00 twice on 25 October 2026."""


def _due(line: str, since: str, count: int) -> list[str]:
    found = cron.due_after(line, STOCKHOLM, datetime.fromisoformat(since))
    return [f"{one:%d %H:%M:%S}" for one in itertools.islice(found, count)]


def test_due_times_follow_the_zone() -> None:
    assert _due("0 3 * * *", "2026-01-10T00:00:00+00:00", 2) == ["10 02:00:00", "11 02:00:00"]
    assert _due("0 3 * * *", "2026-07-10T00:00:00+00:00", 2) == ["10 01:00:00", "11 01:00:00"]


def test_the_moment_itself_is_over() -> None:
    assert _due("0 3 * * *", "2026-01-10T02:00:00+00:00", 1) == ["11 02:00:00"]
    assert _due("0 3 * * *", "2026-01-10T01:59:59.5+00:00", 1) == ["10 02:00:00"]


def test_a_time_that_is_left_out_comes_right_after_the_gap_once() -> None:
    assert _due("30 2 * * *", "2026-03-28T12:00:00+00:00", 2) == ["29 01:00:00", "30 00:30:00"]
    assert _due("10,40 2 * * *", "2026-03-28T12:00:00+00:00", 2) == ["29 01:00:00", "30 00:10:00"]
    assert _due("0 2,3 * * *", "2026-03-28T12:00:00+00:00", 2) == ["29 01:00:00", "30 00:00:00"]


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    assert _due("30 2 * * *", "2026-10-24T12:00:00+00:00", 2) == ["25 00:30:00", "26 01:30:00"]


def test_between_the_two_the_time_that_has_come_once_does_not_come_again() -> None:
    assert _due("30 2 * * *", "2026-10-25T00:45:00+00:00", 1) == ["26 01:30:00"]
    assert _due("30 2 * * *", "2026-10-25T01:15:00+00:00", 1) == ["26 01:30:00"], "2:15 by the clock, again"


def test_what_comes_every_hour_or_minute_goes_on_through_a_change_of_the_clock() -> None:
    assert _due("0 * * * *", "2026-10-24T23:30:00+00:00", 3) == ["25 00:00:00", "25 01:00:00", "25 02:00:00"]
    assert _due("0 * * * *", "2026-03-28T23:30:00+00:00", 3) == ["29 00:00:00", "29 01:00:00", "29 02:00:00"]
    assert _due("*/30 2 * * *", "2026-10-24T23:59:00+00:00", 5) == [
        "25 00:00:00",
        "25 00:30:00",
        "25 01:00:00",
        "25 01:30:00",
        "26 01:00:00",
    ]


def test_six_fields_follow_the_clock() -> None:
    assert _due("*/20 59 1 * * *", "2026-03-28T23:00:00+00:00", 4) == [
        "29 00:59:00",
        "29 00:59:20",
        "29 00:59:40",
        "29 23:59:00",
    ]
    assert _due("0 30 2 * * *", "2026-03-28T12:00:00+00:00", 1) == ["30 00:30:00"]
    assert _due("0 30 2 * * *", "2026-10-24T12:00:00+00:00", 2) == ["25 00:30:00", "25 01:30:00"]


def test_a_day_of_the_month_or_of_the_week_is_enough() -> None:
    found = cron.due_after("0 0 13 * FRI", zones.zone("UTC"), datetime(2026, 11, 1, tzinfo=UTC))
    assert [one.day for one in itertools.islice(found, 4)] == [6, 13, 20, 27]


@pytest.mark.parametrize("line", ["", "* * * *", "0 0 31 2,4 *", "a * * * *", "*/0 * * * *", "@hourly"])
def test_what_is_none_or_never_due_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no cron line"):
        cron.normal(line)


@pytest.mark.parametrize(
    "name", ["Europe/Stokholm", "", "localtime", "Factory!", "../zones", "Europe", "utc"]
)
def test_a_name_that_is_no_zones_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zones.data(name)


def test_the_data_of_a_zone_are_those_of_rfc_8536() -> None:
    assert zones.data("Europe/Stockholm").startswith(b"TZif")
