"""Where the lock of a state is kept: beside a state in files, else as a stack of the backend's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from curtainup.pipeline.run.holder import Holder
from curtainup.session import Session
from curtainup.setup import paths
from curtainup.util import mounts

UNSIGNED = "an unknown run"


@dataclass(frozen=True)
class Taken:
    """A lock that somebody has.

    Attributes:
        holder: who; None until the lock is signed, or if the signature is not readable.

    """

    holder: Holder | None

    @property
    def told(self) -> str:
        """Who has it, in words."""
        return self.holder.told if self.holder else UNSIGNED


class Place(Protocol):
    """Where a lock is kept.

    Attributes:
        where: in words.

    """

    where: str

    def take(self, this: Holder) -> bool:
        """Take the lock, unless somebody has it; of two who try at once, at most one gets it.

        Raises:
            CurtainupError: it cannot be told whether somebody has it.

        """

    def taken(self) -> Taken | None:
        """Return who has the lock; None if nobody has."""

    def drop(self, found: Taken) -> bool:
        """Take the lock away from whoever was found to have it; return whether that is done."""


def of(session: Session) -> Place | None:
    """Return where the lock of a session's state is kept; None if nobody else has that state.

    The folder of curtainup's own is a user's; the lock on the user's machine guards it already.
    """
    backend, name = session.state.workspace.backend, session.service.config.name
    if session.accounts.rehearsal is not None or backend.url is None:
        return None
    folder = backend.folder()
    if folder is None:
        from curtainup.pipeline.run.shared.stack import LockStack

        return LockStack(session, name)
    if folder == paths.data_dir() / "state":
        return None
    from curtainup.pipeline.run.shared.folders import LocalFolder, SharedFolder

    return LocalFolder(folder, name) if mounts.is_local(folder) else SharedFolder(folder, name)
