"""The frame of commands that change or prove something: lock, record, notifications and Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from curtainup.errors import CurtainupError
from curtainup.pipeline.run import lock
from curtainup.pipeline.run.interrupts import interruptible
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.waiting import patiently
from curtainup.reporting.notify.messages import Run
from curtainup.reporting.notify.notifier import Notifier, notifying
from curtainup.session import Session

Result = TypeVar("Result")


def recorded(
    session: Session,
    command: str,
    work: Callable[[Recorder], Result],
    environment: str = "live",
    wait: float | None = None,
) -> Result:
    """Do the work of a command, record how it ended, and send the notifications.

    Args:
        session: the command's collaborators.
        command: the command's name.
        work: the work of the command.
        environment: the environment that it works on.
        wait: for how many seconds to wait for another run of this service; None if the user cannot say.

    Raises:
        Busy: another run of this service is under way.
        CurtainupError: the work failed.

    """
    with (
        telling(session, command, environment) as notifier,
        patiently(lambda: lock.held_by(session), wait, session.run.report.info),
    ):
        recorder = _Telling(session, command, notifier)
        with recorder.ending(), session.run.at_end:
            result = interruptible(session, lambda: work(recorder))
        recorder.succeeded(result)
        return result


def telling(session: Session, command: str, environment: str) -> AbstractContextManager[Notifier]:
    """Return what tells people of a command, and has told them once it is left."""
    service = session.service
    told = Run(service.config.name, command, environment, session.accounts.rehearsal is not None)
    return notifying(told, service.config.notify, service.environ, service.redact, session.run.report)


class _Telling(Recorder):
    """Notifies people when the first step begins and when the run ends; one without work has no step."""

    def __init__(self, session: Session, command: str, notifier: Notifier) -> None:
        folder = session.state.workspace.folder
        super().__init__(folder, session.service.config.name, command, redact=session.service.redact)
        self._notifier = notifier

    def step_started(self, name: str) -> None:
        """Note that a step has begun."""
        with self._lock:
            first = not self.record.steps
            super().step_started(name)
        if first:
            self._notifier.started(self.record, self.folder)

    def succeeded(self, result: object) -> None:
        """End the record of a run that succeeded."""
        super().succeeded(result)
        self._notifier.ended(self.record, self.folder, result)

    def failed(self, error: CurtainupError) -> None:
        """End the record of a run that failed."""
        super().failed(error)
        self._notifier.ended(self.record, self.folder, error=error)

    def crashed(self, error: BaseException) -> None:
        """End the record of a run that crashed."""
        super().crashed(error)
        self._notifier.ended(self.record, self.folder)
