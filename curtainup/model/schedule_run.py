"""A run of a schedule, as whatever runs it tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

RUNNING: Final = "running"
OK: Final = "ok"
FAILED: Final = "failed"
TIMED_OUT: Final = "timed out"
MISSED: Final = "missed"
"""It did not start within the schedule's `start_within`."""
SKIPPED: Final = "skipped"
"""The run before was still on its way, and the schedule forbids an overlap."""
CUT_OFF: Final = "cut off"
"""What it ran in went away."""
TROUBLE: Final = frozenset({FAILED, TIMED_OUT, MISSED, CUT_OFF})
"""Outcomes that somebody should know of."""


@dataclass(frozen=True)
class ScheduleRun:
    """One run of a schedule, or one that did not start.

    Attributes:
        schedule: the name of the schedule.
        due: when it was to start; None for a run that somebody asked for.
        started: when it started; None if it did not.
        ended: when it ended; for one that did not start, when that became known; for one that was cut off,
            when its scheduler or its cluster noticed that. None if it still runs, or nobody knows.
        outcome: `running`, `ok`, `failed`, `timed out`, `missed`, `skipped` or `cut off`.
        exit_code: of its command; None where there is none.
        place: what ran it, such as `container shop-live.scheduler.1-4f1c2ab9`.
        why: in words, why it did not end well; empty if it did, or nobody knows.

    """

    schedule: str
    due: datetime | None
    started: datetime | None
    ended: datetime | None
    outcome: str
    exit_code: int | None = None
    place: str = ""
    why: str = ""

    @property
    def at(self) -> datetime | None:
        """When it belongs in a list of runs: when it was due, or else started."""
        return self.due or self.started

    @property
    def known(self) -> datetime | None:
        """When it became known how it went: a look into the time before cannot have found that."""
        return self.ended or self.at
