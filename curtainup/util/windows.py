"""Windows of time in a time zone: between two dates, or the same in every week."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY: Final = 24 * 60
WEEK: Final = 7 * DAY
"""Minutes."""
SCHEMA: Final = rf"^({'|'.join(DAYS)}|20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}) ([01][0-9]|2[0-3]):[0-5][0-9]\z"
"""What a moment looks like; not every date of that look exists."""
EXPECTED: Final = "a day and time such as Fri 16:00, or a date and time such as 2026-12-24 12:00"
MOST_IN_A_ROW: Final = 100
"""Windows that follow each other without a gap, of which the last end is told."""

_MOMENT: Final = re.compile(SCHEMA.replace(r"\z", r"\Z"))
_A_WEEK: Final = timedelta(days=7)

Moment = int | datetime
"""Minutes since the beginning of a week (Monday, 00:00), or a date and time; both by the clock of a zone."""


@dataclass(frozen=True)
class Window:
    """A window of time, by the clock of a zone; both ends are of one kind.

    Attributes:
        begins: its first moment.
        ends: the first moment after it; in a week it may be before `begins`, and is in the next week then.
        zone: the time zone of both.

    """

    begins: Moment
    ends: Moment
    zone: ZoneInfo


def parse(text: str) -> Moment:
    """Return a moment.

    Raises:
        ValueError: the text is none; the message says what a moment looks like.

    """
    if not _MOMENT.match(text):
        raise ValueError(f"{text!r} is not {EXPECTED}")
    day, _, clock = text.partition(" ")
    if day in DAYS:
        return DAYS.index(day) * DAY + int(clock[:2]) * 60 + int(clock[3:])
    return datetime.fromisoformat(text)


def end(window: Window, at: datetime) -> datetime | None:
    """Return when a window ends that is open at a moment, in UTC; None if it is not open."""
    moment = at.astimezone(UTC)  # Python compares times of one zone by its clock, even when that goes back
    for begins, ends in _occurrences(window, moment):
        last = _instant(ends, window.zone, late=True)
        if _instant(begins, window.zone, late=False) <= moment < last:
            return last
    return None


def open_until(windows: Sequence[Window], at: datetime) -> tuple[Window, datetime] | None:
    """Return a window that is open at a moment, and when no window is open any more, in UTC.

    Windows that overlap, or follow each other without a gap, end together. Return None if none is open.
    """
    first, until = None, at
    for _ in range(MOST_IN_A_ROW):
        ends = [(found, one) for one in windows if (found := end(one, until)) is not None]
        if not ends:
            break
        until, last = max(ends, key=lambda pair: pair[0])
        first = first or last
    return None if first is None else (first, until)


def fills_the_week(windows: Sequence[Window]) -> bool:
    """Return whether windows of one zone leave no minute of any week."""
    spans = [(one.begins, one.ends) for one in windows]
    weekly = [(a, b) for a, b in spans if isinstance(a, int) and isinstance(b, int)]
    laid_out = [(a, b if b > a else b + WEEK) for a, b in weekly]
    reached = 0
    for begins, ends in sorted((a - shift, b - shift) for a, b in laid_out for shift in (0, WEEK)):
        if begins > reached:
            return False
        reached = max(reached, ends)
    return reached >= WEEK


def _occurrences(window: Window, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the beginning and the end of a window in the weeks around a moment, by the clock of its zone."""
    begins, ends = window.begins, window.ends
    if isinstance(begins, datetime) and isinstance(ends, datetime):
        yield begins, ends
    if isinstance(begins, int) and isinstance(ends, int):
        here = at.astimezone(window.zone).replace(tzinfo=None)
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        monday = midnight - timedelta(days=here.weekday())
        for week in (monday - _A_WEEK, monday, monday + _A_WEEK):
            end_week = week if ends > begins else week + _A_WEEK
            yield week + timedelta(minutes=begins), end_week + timedelta(minutes=ends)


def _instant(clock: datetime, zone: ZoneInfo, *, late: bool) -> datetime:
    """Return when a zone's clock shows a time.

    When clocks change, it may show the time twice or never. Both readings are taken then (PEP 495): the
    earlier one for a beginning and the later one for an end, so no change of clocks makes a window shorter.
    """
    readings = [clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(readings) if late else min(readings)
