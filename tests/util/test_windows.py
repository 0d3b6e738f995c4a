from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from curtainup.util import windows
from curtainup.util.windows import Window

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def window(begins: str, ends: str, zone: ZoneInfo = BERLIN) -> Window:
    return Window(windows.parse(begins), windows.parse(ends), zone)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


WEEKEND = window("Fri 16:00", "Mon 08:00")


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-27 15:59", False),
        ("2026-11-27 16:00", True),
        ("2026-11-29 03:00", True),
        ("2026-11-30 07:59", True),
        ("2026-11-30 08:00", False),
        ("2026-12-02 12:00", False),
    ],
)
def test_a_weekend_is_open_from_friday_until_monday(moment: str, open_: bool) -> None:
    assert (windows.end(WEEKEND, at(moment)) is not None) is open_


def test_its_end_is_by_the_clock_of_its_zone() -> None:
    ends = windows.end(WEEKEND, at("2026-11-29 03:00"))
    assert ends is not None
    assert ends.isoformat() == "2026-11-30T07:00:00+00:00"


def test_a_window_within_a_week_is_open_in_every_week() -> None:
    nights = window("Tue 22:00", "Wed 04:00")
    for week in range(60):
        moment = at("2026-01-06 23:00") + timedelta(weeks=week)
        assert windows.end(nights, moment) is not None
        assert windows.end(nights, moment + timedelta(days=1)) is None


def test_the_clock_of_the_machine_does_not_matter() -> None:
    moment = at("2026-11-27 16:30")
    elsewhere = moment.astimezone(NEW_YORK)
    assert windows.end(WEEKEND, elsewhere) == windows.end(WEEKEND, moment)
    assert windows.end(window("Fri 16:00", "Mon 08:00", NEW_YORK), moment) is None


def test_dates_are_a_window_that_is_open_once() -> None:
    feast = window("2026-12-24 12:00", "2026-12-27 08:00")
    assert windows.end(feast, at("2026-12-24 11:59")) is None
    assert windows.end(feast, at("2026-12-25 00:00")) == at("2026-12-27 08:00")
    assert windows.end(feast, at("2027-12-25 00:00")) is None


# On 2026-03-29 clocks in Berlin go from 02:00 to 03:00, and on 2026-10-25 from 03:00 to 02:00.


def test_a_beginning_that_no_clock_shows_comes_early() -> None:
    one = window("Sun 02:30", "Sun 12:00")
    assert windows.end(one, at("2026-03-29 01:29")) is None
    assert windows.end(one, at("2026-03-29 01:30")) is not None


def test_an_end_that_no_clock_shows_comes_late() -> None:
    one = window("Sat 12:00", "Sun 02:30")
    assert windows.end(one, at("2026-03-29 03:29")) == at("2026-03-29 03:30")
    assert windows.end(one, at("2026-03-29 03:30")) is None


def test_a_beginning_that_clocks_show_twice_is_the_first() -> None:
    one = window("Sun 02:30", "Sun 12:00")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert windows.end(one, first - timedelta(minutes=1)) is None
    for minutes in range(0, 120, 10):
        assert windows.end(one, first + timedelta(minutes=minutes)) is not None


def test_an_end_that_clocks_show_twice_is_the_second() -> None:
    one = window("Sat 12:00", "Sun 02:30")
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert windows.end(one, second - timedelta(minutes=1)) == second
    assert windows.end(one, second) is None


def test_windows_that_overlap_or_touch_end_together() -> None:
    several = [
        WEEKEND,
        window("2026-11-30 07:00", "2026-12-01 09:00"),
        window("Tue 09:00", "Tue 10:00"),
        window("Thu 09:00", "Thu 10:00"),
    ]
    found = windows.open_until(several, at("2026-11-28 10:00"))
    assert found == (WEEKEND, at("2026-12-01 10:00"))
    assert windows.open_until(several, at("2026-12-02 10:00")) is None
    assert windows.open_until([], at("2026-12-02 10:00")) is None


def test_windows_that_never_end_are_told_of_nevertheless() -> None:
    whole = [window("Mon 00:00", "Thu 00:00"), window("Thu 00:00", "Mon 00:00")]
    assert windows.open_until(whole, at("2026-11-28 10:00")) is not None
    assert windows.fills_the_week(whole)


@pytest.mark.parametrize(
    ("spans", "filled"),
    [
        ([("Fri 16:00", "Mon 08:00")], False),
        ([("Mon 08:00", "Mon 07:59")], False),
        ([("Fri 16:00", "Mon 08:00"), ("Mon 08:00", "Fri 16:00")], True),
        ([("Fri 16:00", "Mon 08:00"), ("Mon 07:00", "Wed 16:00"), ("Wed 12:00", "Sat 00:00")], True),
        ([("Fri 16:00", "Mon 08:00"), ("Mon 08:01", "Fri 16:00")], False),
        ([("2026-12-24 12:00", "2027-12-24 12:00")], False),
    ],
)
def test_windows_may_fill_the_week(spans: list[tuple[str, str]], filled: bool) -> None:
    assert windows.fills_the_week([window(*span) for span in spans]) is filled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fri",
        "16:00",
        "Fri 24:00",
        "Fri 16:60",
        "fri 16:00",
        "Fri  16:00",
        "2026-02-30 12:00",
        "Fri 16:00\n",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a|day is out of range"):
        windows.parse(text)
