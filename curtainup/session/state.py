"""The service's Pulumi project, and the state that Pulumi keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from curtainup.engine.memory import StackMemory, memory_of
from curtainup.engine.workspace import Workspace

if TYPE_CHECKING:
    from curtainup.engine.operations import Engine


@dataclass(frozen=True)
class State:
    """The service's Pulumi project, and the state that Pulumi keeps of it.

    Attributes:
        workspace: the project, its settings files and its backend.
        start: creates the engine from the memory of the stacks.
        first: that of live's Docker host, whose memory it shares; None if it is that.

    """

    workspace: Workspace
    start: Callable[[StackMemory], Engine]
    first: State | None = None

    @cached_property
    def engine(self) -> Engine:
        """The engine; only commands that need it look for it and import the SDK."""
        return self.start(self.memory)

    @cached_property
    def memory(self) -> StackMemory:
        """What Pulumi remembers of the stacks; reading a file backend hardly needs the engine."""
        if self.first is not None:
            return self.first.memory
        memory, backend = memory_of(self.workspace, self._ask), self.workspace.backend
        if backend.passphrase is None or backend.secrets_provider:
            return memory
        from curtainup.engine.opened_memory import OpenedMemory

        return OpenedMemory(memory, backend.passphrase, self._ask)

    def _ask(self, arguments: list[str], text: str | None = None) -> str:
        return self.engine.ask(arguments, text)
