"""What Pulumi remembers of all stacks in a backend, wherever that backend keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from curtainup.engine.state import FileState, Remembered
from curtainup.engine.workspace import Workspace


class StackMemory(Protocol):
    """What Pulumi remembers of all stacks in a backend.

    Attributes:
        sees_locks: whether it is known here who holds a stack.

    """

    sees_locks: bool

    def read(self, stack: str) -> Remembered:
        """Return what is remembered of a stack; one that does not exist is `Remembered()`."""

    def stacks(self) -> list[str]:
        """Return the names of all stacks, of other services too, sorted."""

    def locks(self, stack: str) -> list[Path]:
        """Return the files of a stack's locks, as far as they can be seen."""

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        """Give the updates of a stack, newest first."""


def memory_of(workspace: Workspace, ask: Callable[[list[str]], str]) -> StackMemory:
    """Return the memory of a workspace's backend: its files, else what the CLI answers.

    Args:
        workspace: the service's Pulumi project.
        ask: runs a command of the CLI, and returns what it prints.

    """
    folder = workspace.backend.folder()
    if folder is not None:
        return FileState(folder)
    from curtainup.engine.cli_state import AskedState

    return AskedState(ask, workspace.settings_file)
