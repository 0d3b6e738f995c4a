"""Cron lines as Debian's cron reads them, or with six fields, of which the first is the second.

This file also runs inside containers, so it imports nothing else of curtainup's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


_UTC = timezone.utc  # noqa: UP017 - Python 3.10 has no other name for it


def normal(line: str) -> str:
    """Return a cron line with single spaces.

    Raises:
        ValueError: it is none, or it never comes due.

    """
    try:
        next(CronSim(line, datetime(2024, 1, 1, tzinfo=_UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError("no cron line that comes due") from error
    return " ".join(line.split())


def has_seconds(line: str) -> bool:
    """Return whether a cron line has six fields."""
    return len(line.split()) == 6


def due_after(line: str, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Give the times, in UTC and rising, at which a line comes due after an aware moment.

    A line of five fields with a fixed minute and hour follows the rules of Debian's cron: a time that a
    change of the clock leaves out comes right after the gap, and one that the clock shows twice comes the
    first time. All other lines follow the clock.
    """
    latest = moment.astimezone(_UTC)
    for due in CronSim(line, moment.astimezone(zone)):
        found = due.astimezone(_UTC)
        if found > latest:
            yield found
            latest = found
