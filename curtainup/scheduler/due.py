"""What has come due since a schedule was last looked at: at most one run starts for all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from curtainup.scheduler.plan import Planned
from curtainup.util import cron

COUNTED = 1000
"""How many due times that were missed are counted."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Missed:
    """Times in UTC that came due too long ago.

    Attributes:
        oldest: the first of them.
        newest: the last of them.
        count: how many there are; None if there are more than `COUNTED`.

    """

    oldest: datetime
    newest: datetime
    count: int | None


@dataclass(frozen=True)
class Due:
    """Times in UTC that have come due, the oldest first.

    Attributes:
        missed: those that came due too long ago; None if none did.
        late: those that a run may still start for. The newest gets it.

    """

    missed: Missed | None
    late: tuple[datetime, ...]


def since(planned: Planned, handled: datetime, now: datetime) -> Due:
    """Return what has come due after `handled`, up to now."""
    too_late = now - timedelta(seconds=planned.start_within)
    begin = max(handled, too_late - timedelta(microseconds=1))
    late = takewhile(lambda due: due <= now, cron.due_after(planned.cron, planned.zone, begin))
    return Due(_missed(planned, handled, too_late), tuple(late))


def after(planned: Planned, moment: datetime) -> datetime | None:
    """Return when a schedule comes due next; None is not within fifty years."""
    return next(cron.due_after(planned.cron, planned.zone, moment), None)


def _missed(planned: Planned, handled: datetime, too_late: datetime) -> Missed | None:
    times = cron.due_after(planned.cron, planned.zone, handled)
    found = list(islice(takewhile(lambda due: due < too_late, times), COUNTED + 1))
    if not found:
        return None
    if len(found) <= COUNTED:
        return Missed(found[0], found[-1], len(found))
    return Missed(found[0], _newest(planned, found[-1], too_late), None)


def _newest(planned: Planned, known: datetime, end: datetime) -> datetime:
    """Return the last due time before an end: each step halves where it can be, from one that is known."""
    while end - known >= _SECOND:
        middle = known + (end - known) / 2
        found = after(planned, middle)
        if found is not None and found < end:
            known = found
        else:
            end = middle
    return known
