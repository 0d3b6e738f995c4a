"""Waiting for stack locks that other updates hold, and taking over the locks of dead processes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from pulumi.automation.errors import (
    CommandError,
    ConcurrentUpdateError,
    StackAlreadyExistsError,
    StackNotFoundError,
)

from curtainup.engine.aftermath import holders
from curtainup.engine.aftermath.holders import Holder
from curtainup.engine.memory import StackMemory
from curtainup.engine.state import Remembered

LOCK_PAUSE = 0.5
"""Seconds between two tries."""
_GONE = re.compile(r"could not list bucket: blob \(code=NotFound\)")
"""What the engine says if somebody gives a lock back while it looks for locks.

Its backend in Postgres lists the keys first, and then asks for each one's size: `ListPaged` in
pkg/backend/diy/postgres/bucket.go of Pulumi 3.256. It looks before it begins, so nothing has been done.
"""


class Repair(Protocol):
    """Cleans up after a killed run."""

    cancelled: Event

    def take_over(self, locks: Sequence[Path]) -> bool:
        """Remove locks that no living process holds; return whether that removed all of them."""

    def cancel(self, stack: str, found: Sequence[Holder], cancel: Callable[[], object]) -> bool:
        """Remove all locks of a stack by `cancel`, if no living process holds one; return whether it did."""

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        """Remove what a cut-off update was creating; return the operations that are still pending."""

    def has_strays(self, config: Mapping[str, Any], remembered: Remembered, *, creating: bool) -> bool:
        """Return whether there is anything that `clear` would remove; refuse to create beside another's."""

    def clear(self, config: Mapping[str, Any], remembered: Remembered) -> None:
        """Remove what an update of a stack made without Pulumi's knowing of it."""


class StackLocks:
    """The locks of a backend's stacks; in a backend without files only the engine sees them."""

    def __init__(self, memory: StackMemory, repair: Repair, ask: Callable[[list[str]], Any]) -> None:
        """Use a backend's locks.

        Args:
            memory: reads the backend.
            repair: knows which holders are dead.
            ask: runs a command of the CLI, and raises its CommandError.

        """
        self._memory = memory
        self._repair = repair
        self._ask = ask

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
            pulumi.automation.CommandError: the operation failed.

        """
        while True:
            try:
                operate()
            except CommandError as error:
                if not _may_pass(error) or time.monotonic() > deadline:
                    raise
                if not self._is_over(stack, deadline, error):
                    raise
                between()
            else:
                return

    def is_free(self, stack: str, deadline: float) -> bool:
        """Wait until nobody holds a stack that exists; take over the locks of dead processes."""
        if self._memory.sees_locks:
            return self._is_free_of_files(stack, deadline)
        while (refused := self._refused(stack)) is not None:
            if time.monotonic() > deadline or not self._is_over(stack, deadline, refused):
                return False
        return True

    def _is_over(self, stack: str, deadline: float, refused: CommandError) -> bool:
        """Wait a while for the end of an update; return whether to try again."""
        if _GONE.search(str(refused)):
            return not self._repair.cancelled.wait(LOCK_PAUSE)
        if self._memory.sees_locks:
            return self._is_free_of_files(stack, deadline)
        found = holders.told(str(refused))
        with suppress(StackNotFoundError):  # locked while it was made: the engine finds nothing to cancel
            if self._repair.cancel(stack, found, lambda: self._ask(["cancel", "--yes", "--stack", stack])):
                return True
        return not self._repair.cancelled.wait(LOCK_PAUSE)

    def _is_free_of_files(self, stack: str, deadline: float) -> bool:
        while locks := self._memory.locks(stack):
            if self._repair.take_over(locks):
                continue
            if time.monotonic() > deadline or self._repair.cancelled.wait(LOCK_PAUSE):
                return False
        return True

    def _refused(self, stack: str) -> CommandError | None:
        """Return the engine's refusal if somebody holds a stack.

        To make a stack that exists changes nothing, but the engine asks for its lock first.
        """
        try:
            self._ask(["stack", "init", stack, "--no-select"])
        except StackAlreadyExistsError:
            return None
        except CommandError as error:
            if not _may_pass(error):
                raise
            return error
        return None


def _may_pass(error: CommandError) -> bool:
    """Return whether a failure is only that somebody holds the stack, or has just given it back."""
    return isinstance(error, ConcurrentUpdateError) or bool(_GONE.search(str(error)))
