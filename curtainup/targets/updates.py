"""What only some targets know of an update: while it runs, and once it has failed.

These are used as those of `curtainup.targets.capabilities` are.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from curtainup.errors import CurtainupError
    from curtainup.model.environment import Environment
    from curtainup.model.release import Deployment


@runtime_checkable
class Watches(Protocol):
    """The target reports its progress during an update."""

    def watching(self, on_progress: Callable[[str], None]) -> AbstractContextManager[None]:
        """Report progress line by line while a block runs."""


@runtime_checkable
class Explains(Protocol):
    """The target knows more about a failed update than the engine."""

    def explained(self, error: CurtainupError, started: datetime) -> CurtainupError:
        """Return the error of an update that began at `started`, with what the target knows about it."""


@runtime_checkable
class ExplainsRemoval(Protocol):
    """The target knows more about a removal that failed than the engine."""

    def unremoved(self, error: CurtainupError) -> CurtainupError:
        """Return the error of a removal, with what the target knows about it."""


@runtime_checkable
class Reclaims(Protocol):
    """The answer to a call may get lost, so a failed update may have made what Pulumi does not know."""

    def reclaim(self, error: CurtainupError, started: datetime, say: Callable[[str], None]) -> bool:
        """Remove what an update made unseen since `started`; return whether there was anything."""


@runtime_checkable
class Lags(Protocol):
    """What the target tells after an update may be of the time before it."""

    def lags(self, found: Environment, deployment: Deployment) -> bool:
        """Return whether what was told does not fit the deployment that the update made."""
