"""Every command that changes or proves something: under the service's lock, recorded, interruptible."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from curtainup import locks
from curtainup.errors import CurtainupError
from curtainup.interrupts import interruptible
from curtainup.record import Recorder
from curtainup.session import Session

Result = TypeVar("Result")


def recorded(session: Session, command: str, work: Callable[[Recorder], Result]) -> Result:
    """Do the work of a command, and leave a record of how it ended.

    Raises:
        Busy: another run of this service is under way.
        CurtainupError: whatever the work raises.

    """
    with locks.held(session.locks, session.config.name):
        recorder = Recorder(session.workspace.folder, session.config.name, command, redact=session.redact)
        try:
            result = interruptible(session, lambda: work(recorder))
        except CurtainupError as error:
            recorder.failed(error)
            raise
        except BaseException as error:
            recorder.crashed(error)
            raise
        recorder.succeeded(result)
        return result
