"""Where the scheduler is in its container, and what it is called."""

from __future__ import annotations

from typing import Final

NAME: Final = "scheduler"
"""Of the scheduler among the processes of a release."""
FILE: Final = "/curtainup/scheduler.pyz"
"""All of it, in an archive that Python runs."""
MEMORY: Final = "/var/tmp"  # noqa: S108 - a volume of the environment's
"""Where its volume is: every user may write there in an ordinary image, so also in a new volume."""
GRACE: Final = 5.0
"""Seconds between SIGTERM and SIGKILL for a run whose time is over."""
REFUSED: Final = 251
"""The exit code of a run that the scheduler refused. A run that has ended with it is remembered."""

ABLE: Final = "curtainup: this image can run the scheduler"
"""The line that nobody but the scheduler's own check writes."""


def command(*words: str) -> tuple[str, ...]:
    """Return the command line of the scheduler, whatever variables the image sets for Python."""
    return ("python3", "-BEs", FILE, *words)
