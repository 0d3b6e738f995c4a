"""What a CronJob of a schedule says, for what makes it and for what reads it."""

from __future__ import annotations

from typing import Final

from curtainup.model.schedule import Schedule

KEPT_RUNS: Final = 10
"""Runs that a cluster keeps of those that went well, and as many of those that failed."""
STARTING: Final = 300
"""Seconds that a run's pod may take until it starts, beyond the time limit of the run."""
WHEN: Final = "curtainup.when"
"""The annotation of a run that says by which line, and in which time zone, it came due."""


def when(schedule: Schedule) -> str:
    """Return the line and the time zone of a schedule."""
    return f"{schedule.cron} {schedule.timezone}"
