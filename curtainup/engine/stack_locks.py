"""Waiting for stack locks that other updates hold, and taking over the locks of dead processes."""

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
    """Cleans up after a killed run."""

    cancelled: Event

    def take_over(self, locks: Sequence[Path]) -> bool:
        """Remove locks that no living process holds; return whether that removed all of them."""

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        """Remove what a cut-off update was creating; return the operations that are still pending."""


class StackLocks:
    """The locks of a backend's stacks; in a backend without files only the engine sees them."""

    def __init__(self, memory: StackMemory, repair: Repair) -> None:
        self._memory = memory
        self._repair = repair

    def patiently(
        self, stack: str, deadline: float, operate: Callable[[], Any], between: Callable[[], None]
    ) -> None:
        """Run an operation, and retry it while another update holds the stack's lock.

        Args:
            stack: the stack.
            deadline: the monotonic time until which to retry.
            operate: the operation.
            between: runs before each retry.

        Raises:
            pulumi.automation.ConcurrentUpdateError: the lock is still held at the deadline, or the run was
                cancelled.

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
        """Wait until no lock of a stack is visible; take over the locks of dead processes."""
        while locks := self._memory.locks(stack):
            if self._repair.take_over(locks):
                continue
            if time.monotonic() > deadline or self._repair.cancelled.wait(LOCK_PAUSE):
                return False
        return True
