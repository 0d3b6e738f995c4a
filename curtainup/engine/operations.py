"""Pulumi operations on the stacks of a service: one engine process each.

The SDK's usual way (`create_or_select_stack`, `up`, `outputs`) starts eight or nine processes. This module
uses a stack without selecting it, creates it only when the engine says that it does not exist, and reads its
outputs from the state.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import CommandResult, EngineEvent
from pulumi.automation.errors import CommandError, StackNotFoundError

from curtainup.engine import deployer, plugin_use, program
from curtainup.engine.aftermath.settling import Settling
from curtainup.engine.aftermath.stack_locks import Repair, StackLocks
from curtainup.engine.changes import OperationResult
from curtainup.engine.command import EngineCommand, SelectedStack
from curtainup.engine.errors import translated
from curtainup.engine.events import Events, OnMade, telling
from curtainup.engine.memory import StackMemory
from curtainup.engine.sealing import Sealing
from curtainup.engine.shared_plugin import NONE, Lent, SharedPlugin
from curtainup.engine.stack_settings import StackSettings
from curtainup.engine.state import Remembered
from curtainup.engine.workspace import Workspace
from curtainup.errors import CurtainupError

OnEvent = Callable[[EngineEvent], Any]

LOCK_PATIENCE = 60.0
"""Seconds to wait for another update of the same stack."""


class Engine:
    """Runs the program on the stacks of one service."""

    def __init__(
        self,
        workspace: Workspace,
        command: EngineCommand,
        env: Mapping[str, str],
        memory: StackMemory,
        repair: Repair,
        standins: Mapping[str, int] | None = None,
        target: str = "docker",
        plugin: SharedPlugin | None = None,
        enter: Callable[[], tuple[int, ...]] = tuple,
    ) -> None:
        """Use an engine on a workspace.

        Args:
            workspace: the service's project, settings files and backend.
            command: the Pulumi CLI.
            env: the variables of its processes: backend, passphrase, PATH.
            memory: reads the state of stacks in the backend.
            repair: cleans up after a killed run.
            standins: the loopback ports of a rehearsal's stand-ins, by the name of the provider they replace.
            target: the target whose component is imported in advance.
            plugin: the plugin that updates share; None lets each engine start its own.
            enter: lets processes reach the Docker engine, and returns what they inherit for that.

        """
        self._enter = enter
        self._plugin = plugin
        self._standins = dict(standins or {})
        self._target = target
        self._workspace = workspace
        self._command = command
        self._env = dict(env)
        self._memory = memory
        self._locks = StackLocks(memory, repair, self._run)
        self._settings = StackSettings(workspace, memory)
        self._settling = Settling(memory, self._locks, repair, self._answer)
        self._sealing = Sealing(memory, self._settings, self._made, self._answer)

    def remembered(self, stack: str) -> Remembered:
        """Return the state that the last update of a stack left."""
        return self._memory.read(stack)

    def make_ready(self) -> None:
        """Load the program, so that the next operation starts at once."""
        self._start_plugin()
        program.load(self._workspace.program_dir, self._target)

    def up(
        self,
        stack: str,
        config: Mapping[str, Any],
        on_progress: Callable[[str], None] | None = None,
        env: Mapping[str, str] | None = None,
        *,
        refresh: bool = False,
        on_made: OnMade | None = None,
    ) -> OperationResult:
        """Update a stack to a configuration; keys that `config` does not name stay as last deployed.

        Args:
            stack: the stack.
            config: its configuration.
            on_progress: shows what the update waits for when that takes long.
            env: further variables of this update's processes.
            refresh: whether to read the real resources first.
            on_made: takes the type of each resource once it is as declared, while the update goes on.

        Raises:
            CurtainupError: the operation failed; the class says how.

        """
        self._start_plugin()
        if "image" in config:
            program.load_for_images(self._workspace.program_dir, self._target)
        self._settings.write(stack, {**config, deployer.KEY: deployer.name(os.environ)})

        def operate(lent: Lent) -> OperationResult:
            return self._operate(
                stack,
                "up",
                lambda one, on_event: one.up(on_event=on_event, color="never", refresh=refresh),
                on_progress,
                env,
                config,
                on_made,
                lent,
            )

        if self._plugin is None or env or not self._configures_once(self._plugin, stack, config):
            return operate(NONE)
        with self._plugin.lent() as lent:
            try:
                return operate(lent)
            except CurtainupError:
                if not lent.has_crashed():
                    raise
        return operate(NONE)

    def _configures_once(self, plugin: SharedPlugin, stack: str, config: Mapping[str, Any]) -> bool:
        """Return whether an update can have the plugin; else its engine starts its own."""
        return plugin_use.is_configured_once(plugin.provider, config, self.remembered(stack).config)

    def _start_plugin(self) -> None:
        if self._plugin is not None:
            self._enter()
            self._plugin.start()

    def preview(
        self,
        stack: str,
        config: Mapping[str, Any],
        env: Mapping[str, str] | None = None,
        *,
        refresh: bool = False,
    ) -> OperationResult:
        """Return what `up` would change, without touching the stack's own settings file. See `up`."""
        remembered = self.remembered(stack)
        with tempfile.TemporaryDirectory(prefix="curtainup-") as folder:
            file = Path(folder) / f"Pulumi.{stack}.yaml"
            self._settings.write_to(file, remembered, config)
            try:
                return self._operate(
                    stack,
                    "preview",
                    lambda one, on_event: one.preview(
                        on_event=on_event, color="never", config_file=str(file), refresh=refresh
                    ),
                    env=env,
                )
            finally:
                if not remembered.exists:
                    self._forget(stack)

    def unprotect(self, stack: str, urns: Sequence[str]) -> None:
        """Lift the protection of resources, so that the next update can remove them."""
        self.cli(["state", "unprotect", *urns, "--yes", "--stack", stack])

    def destroy(
        self,
        stack: str,
        on_progress: Callable[[str], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Delete every resource of a stack, and then the stack; `on_progress` and `env` as in `up`.

        Raises:
            CurtainupError: a resource could not be deleted; the state keeps the rest of the stack.

        """
        self._operate(
            stack,
            "destroy",
            lambda one, on_event: one.destroy(on_event=on_event, color="never"),
            on_progress,
            env,
        )
        self._forget(stack)

    def _forget(self, stack: str) -> None:
        """Remove a stack that is empty, or that exists only for a preview."""
        if self.remembered(stack).exists:
            self.cli(["stack", "rm", "--yes", "--stack", stack])
        self._workspace.settings_file(stack).unlink(missing_ok=True)

    def release(self, stack: str, patience: float) -> bool:
        """Wait until no update holds a stack that exists; take over the locks of dead processes.

        Returns:
            Whether nobody holds the stack after that many seconds.

        """
        return self._locks.is_free(stack, time.monotonic() + patience)

    def seal(self, stack: str, config: Mapping[str, Any], path: str, secret: str) -> Any:
        """Encrypt one value with the stack's key, and return it as a settings file stores it.

        Args:
            stack: the stack, which holds the key; it is created if it does not exist.
            config: the other keys of the settings file.
            path: the key path of the value, such as `releases[1].secrets`.
            secret: the value, which goes to the engine's standard input.

        """
        return self._sealing.seal(stack, config, path, secret)

    def shared_key(self, stack: str) -> str:
        """Return a random key that a stack's configuration keeps encrypted; create it if it is missing.

        It is only for backends without a passphrase, from which the key could be derived.

        Raises:
            StateError: the key is empty or cut off.

        """
        return self._sealing.shared_key(stack)

    def ask(self, args: list[str], text: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """Return the output of a CLI command, with `text` on its standard input.

        Args:
            args: the command.
            text: its standard input.
            env: further variables of its process.

        Raises:
            pulumi.automation.errors.CommandError: the command failed.

        """
        return self._run(args, text, env).stdout

    def cli(self, args: list[str], text: str | None = None) -> CommandResult:
        """Run one CLI command in the workspace, with `text` on its standard input."""
        try:
            return self._run(args, text)
        except CommandError as error:
            raise translated(error, [], where=f"pulumi {' '.join(args[:2])}") from error

    def _answer(self, args: list[str], text: str | None) -> str:
        return self.cli(args, text).stdout

    def _run(
        self, args: list[str], text: str | None = None, env: Mapping[str, str] | None = None
    ) -> CommandResult:
        command, variables = self._command.another(), {**self._env, **(env or {})}
        return command.run_with_input(args, str(self._workspace.project_dir), variables, text)

    def _operate(
        self,
        stack: str,
        verb: str,
        operation: Callable[[automation.Stack, OnEvent], Any],
        on_progress: Callable[[str], None] | None = None,
        env: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        on_made: OnMade | None = None,
        lent: Lent = NONE,
    ) -> OperationResult:
        command = self._command.another((*lent.descriptors, *self._enter()))
        events = Events(command.at_work, on_made)
        deadline = time.monotonic() + LOCK_PATIENCE
        remembered = self._settling.settle(stack, deadline)
        if verb != "preview":
            self._settling.clear(stack, remembered, config, deadline)

        def between() -> None:
            self._settling.settle(stack, deadline)

        served = {**self._standins, **lent.ports}
        docker = {name: value for name, value in self._env.items() if name.startswith("DOCKER_")}
        with program.providers(stack, served, docker) as variables, telling(events, on_progress):
            one = SelectedStack(stack, self._local_workspace(command, {**variables, **(env or {})}))
            try:
                try:
                    self._locks.patiently(
                        stack,
                        deadline,
                        lambda: operation(one, events),
                        between,
                    )
                except StackNotFoundError:
                    self._create(stack, deadline)
                    operation(one, events)
            except CommandError as error:
                where = f"pulumi {verb} of stack {stack}"
                raise translated(error, events.errors, where, events.failing) from error
        outputs = {} if verb == "preview" else self.remembered(stack).outputs
        return OperationResult(events.changes, outputs, events.resources)

    def _create(self, stack: str, deadline: float) -> None:
        """Make a stack; a run that was killed while it did so may have left its lock.

        Raises:
            pulumi.automation.errors.CommandError: the engine cannot make it.

        """
        provider = self._workspace.backend.secrets_provider
        chosen = ["--secrets-provider", provider] if provider else []
        command = ["stack", "init", stack, "--no-select", *chosen]
        self._locks.patiently(stack, deadline, lambda: self._run(command), lambda: None)

    def _made(self, stack: str) -> None:
        try:
            self._create(stack, time.monotonic() + LOCK_PATIENCE)
        except CommandError as error:
            raise translated(error, [], where=f"pulumi stack init of stack {stack}") from error

    def _local_workspace(
        self, command: EngineCommand, variables: Mapping[str, str]
    ) -> automation.LocalWorkspace:
        return automation.LocalWorkspace(
            work_dir=str(self._workspace.project_dir),
            program=program.load(self._workspace.program_dir, self._target),
            pulumi_command=command,
            env_vars={**self._env, **variables},
        )
