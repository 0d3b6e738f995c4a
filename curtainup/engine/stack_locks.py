"""Waiting for the locks of stacks that other updates hold, and taking over those of the dead."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from pulumi.automation.errors import ConcurrentUpdateError

from curtainup.engine.memory import StackMemory
from curtainup.engine.state import Remembered

LOCK_PAUSE = 0.5
"""Seconds between two tries."""


class Repair(Protocol):
    """What is done about the remains of a run that was killed."""

    cancelled: Event

    def take_over(self, locks: Sequence[Path]) -> bool:
        """Remove locks that no living process holds; return whether all were such."""

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        """Remove what a cut-off update was creating; return what is still pending."""


class StackLocks:
    """The locks of a backend's stacks; of one without files only the engine knows."""

    def __init__(self, memory: StackMemory, repair: Repair) -> None:
        self._memory = memory
        self._repair = repair

    def patiently(
        self, stack: str, deadline: float, operate: Callable[[], Any], between: Callable[[], None]
    ) -> None:
        """Operate, again while another update holds the stack's lock.

        Args:
            stack: the stack.
            deadline: monotonic time until which to try.
            operate: what to do.
            between: done before each further try.

        Raises:
            pulumi.automation.ConcurrentUpdateError: it is held at the deadline, or the run is cancelled.

        """
        while True:
            try:
                operate()
            except ConcurrentUpdateError:
                if time.monotonic() > deadline or not self.is_free(stack, deadline):
                    raise
                if not self._memory.sees_locks and self._repair.cancelled.wait(LOCK_PAUSE):
                    raise
                between()
            else:
                return

    def is_free(self, stack: str, deadline: float) -> bool:
        """Wait until nobody is seen to hold a stack's lock; locks of the dead are taken over."""
        while locks := self._memory.locks(stack):
            if self._repair.take_over(locks):
                continue
            if time.monotonic() > deadline or self._repair.cancelled.wait(LOCK_PAUSE):
                return False
        return True
