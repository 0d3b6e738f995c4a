"""The state of all stacks in a backend, whether in files or behind the CLI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from curtainup.engine.state import FileState, Remembered
from curtainup.engine.workspace import Workspace


class StackMemory(Protocol):
    """Reads the state of all stacks in a backend.

    Attributes:
        sees_locks: whether `locks` sees who holds a stack.

    """

    sees_locks: bool

    def read(self, stack: str) -> Remembered:
        """Return the state of a stack; `Remembered()` if the stack does not exist."""

    def stacks(self) -> list[str]:
        """Return the names of all stacks, including those of other services, sorted."""

    def locks(self, stack: str) -> list[Path]:
        """Return the files of a stack's locks; empty if the backend has no files."""

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        """Yield the updates of a stack, newest first."""


def is_remainder(memory: StackMemory, stack: str, remembered: Remembered) -> bool:
    """Return whether a stack holds only what its first update had made when it was cut off.

    No update of it ever ended, so nobody has used what is there, and its configuration was never kept.
    """
    made = len(remembered.resources) > 1 or remembered.pending
    return bool(made) and not remembered.config and next(memory.updates(stack), None) is None


def memory_of(workspace: Workspace, ask: Callable[[list[str]], str]) -> StackMemory:
    """Return the reader of a workspace's state: its files, or the CLI for a backend without files.

    Args:
        workspace: the service's Pulumi project.
        ask: runs a command of the CLI, and returns its output.

    """
    folder = workspace.backend.folder()
    if folder is not None:
        return FileState(folder)
    from curtainup.engine.cli_state import AskedState

    return AskedState(ask)
