"""The schedules of a release: what runs at times of its own, from the same image, while the release works."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from curtainup.model.release_settings import Frozen, Lean, Settings


class Schedule(Frozen):
    """One schedule of a release.

    Attributes:
        name: of the schedule.
        command: the words of its command line, which no shell reads.
        cron: when it comes due, as `curtainup.util.cron` reads it.
        timezone: the name of the time zone of `cron`.
        time_limit: seconds that a run may take.
        overlap: whether a run may start while the one before still runs.
        start_within: seconds by which a run may start late; later it counts as missed.
        stop_timeout: seconds that a run may go on once another release works, on a Docker host.

    """

    name: str = Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$")
    command: tuple[str, ...] = Field(min_length=1)
    cron: str
    timezone: str
    time_limit: int = Field(ge=1)
    overlap: Literal["forbid", "allow"] = "forbid"
    start_within: int = Field(ge=1)
    stop_timeout: int = Field(ge=0)


class WithSchedules(Lean):
    """What a release runs with on a target that runs schedules.

    Attributes:
        schedules: in the order of their names.

    """

    OPTIONAL: ClassVar[tuple[str, ...]] = ("schedules",)
    schedules: tuple[Schedule, ...] = ()


def schedules_of(settings: Settings) -> tuple[Schedule, ...]:
    """Return the schedules of a release, by what it runs with."""
    return settings.schedules if isinstance(settings, WithSchedules) else ()
