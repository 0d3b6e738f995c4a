"""What only some targets can run beside the service: tasks, processes, schedules, and commands on demand.

These are used as those of `curtainup.targets.capabilities` are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from curtainup.config.tasks import Task
    from curtainup.errors import CurtainupError
    from curtainup.model.process import Process
    from curtainup.model.process_state import ProcessState
    from curtainup.model.release import Release
    from curtainup.model.schedule import Schedule
    from curtainup.model.schedule_run import ScheduleRun
    from curtainup.targets.command import Asked
    from curtainup.targets.task_result import Ran


@runtime_checkable
class RunsTasks(Protocol):
    """The target runs the environment's tasks."""

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task in the image of a staged release, until it ends or its time is over.

        The task gets the release's variables and secrets, and `on_line` each line of its output. The target
        raises CurtainupError if it could not run the task.
        """


@runtime_checkable
class RunsProcesses(Protocol):
    """The target runs the processes of the release that works."""

    def require_process_names(self) -> None:
        """Raise CurtainupError, before anything is built, if a process cannot have its name."""

    def process_states(self, release: Release) -> list[ProcessState]:
        """Return what each copy of each process of a release does now."""

    def process_trouble(self, release: Release, process: Process, number: int) -> str | None:
        """Run the health command of a copy; return None if it exits with 0, else how it ended."""

    def process_log(self, release: Release, process: Process, number: int) -> str:
        """Return the end of what a copy wrote, without secrets."""


@runtime_checkable
class RunsSchedules(Protocol):
    """The target runs the schedules of the release that works."""

    def require_schedules(self) -> None:
        """Raise CurtainupError, before anything is built, if a schedule cannot be had there as configured."""

    def schedule_runs(self, release: Release) -> list[ScheduleRun]:
        """Return the runs of the schedules, those of earlier releases too, as far as anybody remembers them.

        The newest come last, by when they were due.

        Raises:
            CurtainupError: nobody can tell.

        """

    def run_schedule(self, release: Release, schedule: Schedule, asked: Asked) -> int:
        """Run a schedule of the release that works now, to its end; return its exit code.

        Its time limit holds, and where it forbids an overlap, that too. What it writes goes where `asked`
        says. The target raises CurtainupError if it could not run it, ended it, or lost it.
        """


@runtime_checkable
class TendsProcesses(Protocol):
    """Somebody may remove a process by hand, and Pulumi cannot give a process all its limits."""

    def has_lost_process(self, release: Release) -> bool:
        """Return whether a process of the release that works is not there."""

    def limit_processes(self, release: Release) -> None:
        """Give the processes of the release that works those limits that Pulumi could not give them."""


@runtime_checkable
class EndsTasks(Protocol):
    """A task goes on after somebody has killed the run that started it."""

    def end_tasks(self) -> None:
        """End all such tasks."""


@runtime_checkable
class Executes(Protocol):
    """The target runs a command of the deployer's in a release that is there."""

    def no_command(self, release: Release, *, attach: bool) -> CurtainupError | None:
        """Return why it cannot run one there, in what serves (`attach`) or beside it; None if it can."""

    def execute(self, release: Release, asked: Asked) -> int:
        """Run a command to its end, with the release's variables and secrets; return its exit code.

        The target raises CurtainupError if it could not run the command, or lost it.
        """


@runtime_checkable
class EndsCommands(Protocol):
    """A command goes on after somebody has killed the curtainup that ran it."""

    def end_commands(self, is_over: Callable[[str], bool]) -> None:
        """End those commands of which `is_over` says so, by what the label says of who ran them."""
