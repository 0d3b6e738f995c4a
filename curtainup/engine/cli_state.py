"""The state of stacks in a backend without files, read with the CLI: one or two processes for each answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pulumi.automation.errors import CommandError, StackNotFoundError

from curtainup.engine import settings_file as stack_settings
from curtainup.engine.errors import translated
from curtainup.engine.state import Remembered, parse_deployment


class AskedState:
    """The state of stacks in a backend that only the CLI reaches; the counterpart of `FileState`."""

    sees_locks = False

    def __init__(self, run: Callable[[list[str]], str], settings_file: Callable[[str], Path]) -> None:
        """Read the state with `run`.

        Args:
            run: runs a command of the CLI and returns its output.
            settings_file: returns the path of a stack's settings file.

        """
        self._run = run
        self._settings_file = settings_file

    def read(self, stack: str) -> Remembered:
        """Return the state of a stack; `Remembered()` if the stack does not exist."""
        try:
            exported = self._ask("stack", "export", "--stack", stack)
        except StackNotFoundError:
            return Remembered()
        deployment = json.loads(exported)["deployment"]
        self._ask("config", "refresh", "--force", "--stack", stack)
        settings = stack_settings.read(self._settings_file(stack))
        config = {f"{stack_settings.NAMESPACE}{key}": value for key, value in settings.config.items()}
        return parse_deployment(deployment, config)

    def stacks(self) -> list[str]:
        """Return the names of all stacks, sorted, without the organization that some backends prepend."""
        found = json.loads(self._ask("stack", "ls", "--json") or "[]")
        return sorted(str(one["name"]).rpartition("/")[2] for one in found)

    def locks(self, stack: str) -> list[Path]:  # noqa: ARG002
        """Return no locks: only the engine sees them."""
        return []

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        """Yield the updates of a stack, newest first."""
        yield from json.loads(self._ask("stack", "history", "--json", "--stack", stack) or "[]")

    def _ask(self, *args: str) -> str:
        try:
            return self._run([*args])
        except StackNotFoundError:
            raise
        except CommandError as error:
            raise translated(error, [], where=f"pulumi {' '.join(args[:2])}") from error
