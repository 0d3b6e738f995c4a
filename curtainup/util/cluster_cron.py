"""Cron lines as a Kubernetes cluster reads them, which is not quite how Debian's cron does.

A cluster (robfig/cron 3, in its CronJob controller) knows Sunday as 0, and never as 7. Where a line bounds
both the day of the month and the day of the week, a day has to match one of them. Debian's cron wants both if
one of the fields begins with a star, such as `*/2`. The two differ in a step after a range of one, `5-5/2`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from cronsim import CronSim

_DAYS: Final = set(range(1, 32))
_WEEKDAYS: Final = set(range(7))
_READ_OTHERWISE: Final = re.compile(r"-\w+/")
_WEEKDAY_READ_OTHERWISE: Final = re.compile(r"[7/]")
"""What a field has where a cluster may read it in another way."""


def needs_both(line: str) -> bool:
    """Return whether a day has to match both day fields of a line, which no line of a cluster says."""
    read = _read(line)
    return read.day_and and not (read.days >= _DAYS or _weekdays(read) >= _WEEKDAYS)


def for_cluster(line: str) -> str:
    """Return the line by which a cluster means what a line of five fields, without `L` and `#`, means here.

    Raises:
        ValueError: there is none.

    """
    if needs_both(line):
        raise ValueError("a day would have to match both day fields")
    read, weekdays = _read(line), _weekdays(_read(line))
    fields = zip(line.split(), (read.minutes, read.hours, read.days, read.months, weekdays), strict=True)
    minute, hour, day, month, weekday = (_plain(_READ_OTHERWISE, *one) for one in fields)
    any_day, any_weekday = read.days >= _DAYS, weekdays >= _WEEKDAYS
    if any_day or (any_weekday and not read.day_and):
        day = "*"
    if any_weekday or (any_day and not read.day_and):
        weekday = "*"
    return " ".join((minute, hour, day, month, _plain(_WEEKDAY_READ_OTHERWISE, weekday, weekdays)))


def _plain(read_otherwise: re.Pattern[str], field: str, numbers: Collection[int]) -> str:
    """Return a field as it is, or where a cluster may read it in another way as its numbers."""
    return ",".join(map(str, sorted(numbers))) if read_otherwise.search(field) else field


def _read(line: str) -> CronSim:
    return CronSim(line, datetime(2024, 1, 1, tzinfo=UTC))


def _weekdays(read: CronSim) -> set[int]:
    """Return the weekdays of a line, of which Sunday is 0."""
    return {one % 7 for one in read.weekdays if isinstance(one, int)}
