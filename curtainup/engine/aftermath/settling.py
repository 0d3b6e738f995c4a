"""Settling what updates before this one have left, before an operation of the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from curtainup.engine.aftermath.stack_locks import Repair, StackLocks
from curtainup.engine.memory import StackMemory
from curtainup.engine.state import Remembered

Cli = Callable[[list[str], str | None], str]
"""Runs a command of the CLI with a text on its standard input, and returns its output."""


class Settling:
    """Puts a stack in order, as long as no living process holds it."""

    def __init__(self, memory: StackMemory, locks: StackLocks, repair: Repair, cli: Cli) -> None:
        self._memory = memory
        self._locks = locks
        self._repair = repair
        self._cli = cli

    def settle(self, stack: str, deadline: float) -> Remembered:
        """Clean up after a cut-off update, remove its pending operations from the state, and return that.

        While a living process holds the stack, its pending operations are under way and stay.
        """
        remembered = self._memory.read(stack)
        if not remembered.pending or not self._locks.is_free(stack, deadline):
            return remembered
        remembered = self._memory.read(stack)
        if not remembered.pending:
            return remembered
        left = self._repair.settle(remembered)
        if len(left) == len(remembered.pending):
            return remembered
        exported = json.loads(self._cli(["stack", "export", "--stack", stack], None))
        exported["deployment"]["pending_operations"] = left
        self._cli(["stack", "import", "--stack", stack], json.dumps(exported))
        return replace(remembered, pending=tuple(left))

    def clear(
        self, stack: str, remembered: Remembered, config: Mapping[str, Any] | None, deadline: float
    ) -> None:
        """Remove what an update created that Pulumi never heard of, unless one is under way.

        Args:
            stack: the stack.
            remembered: as it is remembered.
            config: what is to be created; None if nothing is.
            deadline: the monotonic time until which to wait for an update.

        Raises:
            RefusedError: something is to be created where another state's stands.

        """
        wanted = {**remembered.config, **(config or {})}
        if self._repair.has_strays(wanted, remembered, creating=config is not None) and self._locks.is_free(
            stack, deadline
        ):
            self._repair.clear(wanted, self._memory.read(stack))
