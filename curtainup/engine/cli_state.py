"""The state of stacks in a backend without files, read with the CLI: two processes for each answer.

Nothing here writes: `pulumi config refresh` gets a settings file of its own, in a folder that is removed. The
stack's own settings file belongs to whoever runs an update next.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pulumi.automation.errors import CommandError, StackNotFoundError

from curtainup.engine import settings_file as stack_settings
from curtainup.engine.errors import translated
from curtainup.engine.state import Remembered, generation_of, parse_deployment
from curtainup.errors import StateError

NEVER_UPDATED = "no previous deployment"
"""What `pulumi config refresh` says of a stack without updates."""


class AskedState:
    """The state of stacks in a backend that only the CLI reaches; the counterpart of `FileState`."""

    sees_locks = False

    def __init__(self, run: Callable[[list[str]], str]) -> None:
        """Read the state with `run`, which runs a command of the CLI and returns its output."""
        self._run = run
        self._is_there = False  # two first connections at once may both make the table of a database

    def read(self, stack: str) -> Remembered:
        """Return the state of a stack; `Remembered()` if the stack does not exist.

        Raises:
            StateError: the last operation had settings that are older than the state.

        """
        try:
            found = self._read(stack)
        except StackNotFoundError:
            return Remembered()
        _require_current(stack, found)
        return found

    def _read(self, stack: str) -> Remembered:
        if not self._is_there:
            deployment = self._deployment(stack)
            self._is_there = True
            return parse_deployment(deployment, self._config(stack))
        with ThreadPoolExecutor(2) as both:
            config = both.submit(self._config, stack)
            return parse_deployment(self._deployment(stack), config.result())

    def stacks(self) -> list[str]:
        """Return the names of all stacks, sorted, without the organization that some backends prepend."""
        found = json.loads(self._ask("stack", "ls", "--json") or "[]")
        return sorted(str(one["name"]).rpartition("/")[2] for one in found)

    def locks(self, stack: str) -> list[Path]:  # noqa: ARG002
        """Return no locks: only the engine sees them."""
        return []

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        """Yield the updates of a stack, newest first; a stack that does not exist has none."""
        try:
            history = self._ask("stack", "history", "--json", "--stack", stack)
        except StackNotFoundError:
            return
        yield from json.loads(history or "[]")

    def _deployment(self, stack: str) -> dict[str, Any]:
        return dict(json.loads(self._ask("stack", "export", "--stack", stack)).get("deployment") or {})

    def _config(self, stack: str) -> dict[str, Any]:
        """Return the configuration of the last update; a stack without updates has none."""
        with tempfile.TemporaryDirectory(prefix="curtainup-") as folder:
            file = Path(folder) / f"Pulumi.{stack}.yaml"
            try:
                self._run(["config", "refresh", "--stack", stack, "--config-file", str(file)])
            except CommandError as error:
                if isinstance(error, StackNotFoundError) or NEVER_UPDATED in str(error):
                    return {}
                raise translated(error, [], where="pulumi config refresh") from error
            settings = stack_settings.read(file)
            own = {f"{stack_settings.NAMESPACE}{key}": value for key, value in settings.config.items()}
            return {**own, **settings.foreign}

    def _ask(self, *args: str) -> str:
        try:
            return self._run([*args])
        except StackNotFoundError:
            raise
        except CommandError as error:
            raise translated(error, [], where=f"pulumi {' '.join(args[:2])}") from error


def _require_current(stack: str, found: Remembered) -> None:
    """Check that the configuration is as new as the state: only files keep that of earlier updates readable.

    Raises:
        StateError: an operation by hand had the settings of an earlier update, such as a refused one.

    """
    generation = int(found.outputs.get("generation") or 0)
    if found.config and generation_of(found.config, generation) < generation:
        raise StateError(
            "the last operation on this stack had older settings than what is deployed",
            where=f"stack {stack}",
            consequence="curtainup does not know what serves there, so nothing was done",
            fix=(
                "run Pulumi by hand again with the settings file of the last deployment (`generation: "
                f"{generation}`); a clone that deployed it has it in .curtainup/stacks"
            ),
        )
