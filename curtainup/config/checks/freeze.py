"""Rules for the times in which live is frozen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from curtainup.config.guard_rails import Freeze
from curtainup.config.models import ServiceConfig
from curtainup.config.reading.problems import Problem
from curtainup.util import windows
from curtainup.util.windows import Window


def freezes(config: ServiceConfig) -> Iterator[Problem]:
    """Give a problem for each freeze that has no length, and one if no time of the week is left."""
    found = [problem for at, one in enumerate(config.freeze) for problem in _of(one, at)]
    yield from found
    zones = {one.timezone for one in config.freeze}
    if not found and any(windows.fills_the_week(_windows(config, zone)) for zone in zones):
        yield Problem(
            path=("freeze",),
            what="leaves no time of the week",
            consequence="nobody could ever deploy",
            fix="leave some time between `until` and the next `from`",
        )


def _windows(config: ServiceConfig, zone: str) -> list[Window]:
    return [one.window for one in config.freeze if one.timezone == zone]


def _of(one: Freeze, at: int) -> Iterator[Problem]:
    begins, ends = one.window.begins, one.window.ends
    path = ("freeze", at, "until")
    if isinstance(begins, datetime) != isinstance(ends, datetime):
        yield Problem(
            path=path,
            what=f"is {'a date' if isinstance(ends, datetime) else 'a day of the week'}, and from is not",
            consequence="nobody would know how often live is frozen",
            fix="write two dates for a freeze that comes once, or two days for one of every week",
        )
    elif begins == ends:
        yield Problem(
            path=path,
            what="is the same as from",
            consequence="this could be no time at all, or all of it",
            fix="write when the freeze is over; to freeze live until you say so, write a date far away",
        )
    elif isinstance(begins, datetime) and isinstance(ends, datetime) and ends < begins:
        yield Problem(
            path=path,
            what="is before from",
            consequence="live would never be frozen",
            fix="exchange the two, or correct the year",
        )
