"""The processes of a release: what runs beside the service, from the same image, without a port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from pydantic import Field

from curtainup.model.release_settings import Frozen, Lean, Settings

MARK: Final = "."
"""Stands in the name of a process's resource, and in no other: services and environments have none."""


class Process(Frozen):
    """One process of a release.

    Attributes:
        name: of the process.
        command: the words of its command line, which no shell reads.
        count: how many of it run.
        memory_mb: limit of the memory of each, MiB.
        cpus: limit of each in CPU cores, or None for no limit.
        stop_timeout: seconds between SIGTERM and SIGKILL.
        settle: seconds for which it has to run until it counts as healthy.
        health: the words of a command that exits with 0 once it is healthy; empty counts seconds alone.
        overlap: whether it starts before the outgoing release's has ended.

    """

    name: str = Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$")
    command: tuple[str, ...] = Field(min_length=1)
    count: int = Field(1, ge=1)
    memory_mb: int = Field(ge=16)
    cpus: float | None = None
    stop_timeout: int = Field(ge=0)
    settle: int = Field(ge=0)
    health: tuple[str, ...] = ()
    overlap: bool = False


class WithProcesses(Lean):
    """What a release runs with on a target that runs processes.

    Attributes:
        processes: in the order of their names.

    """

    OPTIONAL: ClassVar[tuple[str, ...]] = ("processes",)
    processes: tuple[Process, ...] = ()

    @property
    def kept_running(self) -> tuple[Process, ...]:
        """All processes, those of curtainup's own too."""
        return self.processes


def processes_of(settings: Settings) -> tuple[Process, ...]:
    """Return the processes of a release, by what it runs with."""
    return settings.kept_running if isinstance(settings, WithProcesses) else ()


def copies(settings: Settings) -> Iterator[tuple[Process, int]]:
    """Give each process of a release as often as it runs, with its number from 1."""
    for process in processes_of(settings):
        for number in range(1, process.count + 1):
            yield process, number


def resource(stack: str, *parts: str) -> str:
    """Return the name of a process's resource in an environment, from the process's name on."""
    return MARK.join((stack, *parts))


def container(stack: str, process: Process, number: int, release_id: str) -> str:
    """Return the name of a copy's container: the same for each release, unless two releases' may overlap.

    Args:
        stack: of the environment.
        process: the process.
        number: which of its copies, from 1.
        release_id: the release that it belongs to.

    """
    return resource(stack, process.name, str(number)) + (f"-{release_id}" if process.overlap else "")


def is_process(name: str) -> bool:
    """Return whether a resource of that name is a process's."""
    return MARK in name
