"""A command that somebody has run in a release that serves, and how it is run where tasks are run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from curtainup.errors import Interrupted, RefusedError, SetupError
from curtainup.util.process import Ended
from curtainup.util.terminal import Terminal

if TYPE_CHECKING:
    from curtainup.config.tasks import Task
    from curtainup.model.process import Process
    from curtainup.model.release import Release
    from curtainup.targets.task_result import Ran

LONGEST = 86_400
"""Seconds for which a command may run where the target has to be told."""
NOT_STARTED = "the command did not start"
TERMINATED = 128 + signal.SIGTERM
"""The exit code, as a shell has it, of a run that was ended at its time limit."""
WENT_ON = "the command did not run to its end; what it has changed stays changed"


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Attributes:
        words: the command.
        attach: whether it runs in what serves, and not in a container of its own.
        terminal: what it reads from and writes to.
        holder: who runs it, on whatever is made for it: as the label of a lock's holder.
        say: takes what the deployer should know.
        cancel: ends it when set, where the target runs it as a task.
        process: the process in whose container, or in one like that, it runs; None is the service itself.
        number: which copy of the process, from 1.

    """

    words: tuple[str, ...]
    attach: bool = False
    terminal: Terminal = field(default_factory=Terminal)
    holder: Mapping[str, str] = field(default_factory=dict)
    say: Callable[[str], None] = print
    cancel: Event = field(default_factory=Event)
    process: Process | None = None
    number: int = 1

    def show(self, line: str) -> None:
        """Write a line of its output."""
        self.terminal.write(f"{line}\n".encode())


def refused(what: str, where: str, fix: str) -> RefusedError:
    """Return the error for a command that cannot be run there."""
    return RefusedError(what, where=where, consequence=NOT_STARTED, fix=fix)


def moved(process: str, release: str, where: str) -> RefusedError:
    """Return the error for a process whose place has another release's: a deployment moves it just now.

    Args:
        process: its name.
        release: the id of the release in which the command was to run, as it is recorded.
        where: the place.

    """
    return refused(
        f"process {process} of {release} is not there: its place has that of another release",
        where,
        "a deployment moves the processes just now: run it again once curtainup status shows where they are",
    )


def as_task(
    asked: Asked, release: Release, run: Callable[[Release, Task, Callable[[str], None]], Ran]
) -> int:
    """Run a command as the target runs tasks, without a terminal and without input; return its exit code.

    Raises:
        SetupError: the target does not tell how it ended.
        Interrupted: Ctrl-C stopped it.
        CurtainupError: the target could not run it.

    """
    from curtainup.config.tasks import Task

    asked.say("the command gets no terminal and no input here, and its output comes line by line")
    task = Task(name="exec", command=asked.words, timeout=LONGEST)

    try:
        with cancelled_by_signals(asked.cancel):
            ran = run(release, task, asked.show)
    except SetupError as error:
        error.consequence = WENT_ON
        raise
    if ran.ended is Ended.STOPPED:
        raise Interrupted("interrupted while a command ran", where=ran.place, consequence="it was stopped")
    if ran.code is None:
        what = "the command was stopped, as it took longer than a day"
        raise SetupError(
            what if ran.ended is Ended.TIMED_OUT else "nobody tells how the command ended",
            where=ran.place,
            consequence=WENT_ON,
            fix=ran.fix or "see the target's own log of it",
            detail=ran.why or None,
        )
    if ran.why:
        asked.say(ran.why)
    return ran.code


@contextmanager
def cancelled_by_signals(cancel: Event) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM end what is run in the block, and not this process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: cancel.set()) for one in numbers}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
