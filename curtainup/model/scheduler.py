"""The process that runs the schedules of a release on a Docker host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from curtainup.model.process import Process, resource
from curtainup.model.schedule import Schedule
from curtainup.scheduler import place
from curtainup.scheduler.place import GRACE

SETTLE: Final = 2
"""Seconds in which a scheduler that cannot work has ended."""
_SPARE: Final = 5
"""Seconds beyond the time of its last run that it has to end."""


def scheduler(schedules: Sequence[Schedule], *, memory_mb: int, cpus: float | None) -> Process:
    """Return the scheduler of a release: its runs are in its container, and share the container's bounds.

    It may start before the outgoing one has ended, as only one of the two leads.
    """
    longest = max(one.stop_timeout for one in schedules)
    return Process(
        name=place.NAME,
        command=place.command(),
        count=1,
        memory_mb=memory_mb,
        cpus=cpus,
        stop_timeout=longest + int(GRACE) + _SPARE,
        settle=SETTLE,
        health=place.command("ready"),
        overlap=True,
    )


def is_scheduler(process: Process) -> bool:
    """Return whether a process is the scheduler, and not one of that name."""
    return process.command == place.command()


def volume(stack: str) -> str:
    """Return the name of the volume in which the schedulers of an environment remember what has run."""
    return resource(stack, "schedule")
