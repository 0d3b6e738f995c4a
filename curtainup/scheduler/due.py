"""What has come due since a schedule was last looked at: at most one run starts for all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from curtainup.scheduler.plan import Planned
from curtainup.util import cron


@dataclass(frozen=True)
class Due:
    """Times in UTC that have come due, the oldest first.

    Attributes:
        missed: the first that came due too long ago; None if none did.
        late: those that a run may still start for. The newest gets it.

    """

    missed: datetime | None
    late: tuple[datetime, ...]


def since(planned: Planned, handled: datetime, now: datetime) -> Due:
    """Return what has come due after `handled`, up to now."""
    too_late = now - timedelta(seconds=planned.start_within)
    first = after(planned, handled)
    if first is None or first > now:
        return Due(None, ())
    missed = first if first < too_late else None
    begin = max(handled, too_late - timedelta(microseconds=1))
    late = takewhile(lambda due: due <= now, cron.due_after(planned.cron, planned.zone, begin))
    return Due(missed, tuple(late))


def after(planned: Planned, moment: datetime) -> datetime | None:
    """Return when a schedule comes due next; None is not within fifty years."""
    return next(cron.due_after(planned.cron, planned.zone, moment), None)
