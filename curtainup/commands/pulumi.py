"""`pulumi`: the Pulumi CLI on curtainup's state, with the same backend, passphrase, plugins and PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from curtainup import config as configuration
from curtainup.commands import pulumi_stack
from curtainup.config import ServiceConfig
from curtainup.engine import settings_file as stack_settings
from curtainup.engine import workspace
from curtainup.engine.command import EngineCommand, engine_environment
from curtainup.engine.processes import Processes
from curtainup.engine.state import FileState
from curtainup.platforms.docker import hosts
from curtainup.platforms.docker.hosts import Host
from curtainup.setup import engine as engines
from curtainup.setup import engine_record


def pulumi_environment(service: Path, overlay: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which `pulumi` finds curtainup's stacks."""
    return _open(service, _config(service, overlay), environ)[2]


def run_pulumi(arguments: Sequence[str], during_freeze: str | None = None) -> int:
    """Run the CLI in the workspace of the service in the current folder; return its exit code.

    Args:
        arguments: of `pulumi`.
        during_freeze: the reason to change live although it is frozen; None gives none.

    Raises:
        Frozen: this would change live, which is frozen, and there is no reason to.

    """
    stack, config = pulumi_stack.named(arguments), _config(Path(), None)
    if config is not None:
        pulumi_stack.require_open(config, arguments, os.environ, during_freeze, _warn)
    opened, found, env, host = _open(Path(), config, os.environ, arguments)
    _restore_settings_of(stack, opened, found, env)
    command = [str(found.command), *arguments, "--cwd", str(opened.project_dir)]
    variables = {**os.environ, **env}
    inherited = host.enter(variables)
    return subprocess.run(command, env=variables, pass_fds=inherited, check=False).returncode


def _restore_settings_of(
    stack: str, opened: workspace.Workspace, found: engine_record.InstalledEngine, env: Mapping[str, str]
) -> None:
    """Write the missing settings file of a stack whose backend has no files, where asking takes a second."""
    has_settings = bool(stack) and bool(stack_settings.read(opened.settings_file(stack)).config)
    if not stack or has_settings or opened.backend.folder() is not None:
        return
    from curtainup.engine.cli_state import AskedState

    command = EngineCommand(found.command, found.version, Processes())

    def ask(args: list[str]) -> str:
        return command.another().run(args, str(opened.project_dir), env).stdout

    remembered = AskedState(ask).read(stack)
    if remembered.config:
        stack_settings.write(opened.settings_file(stack), stack_settings.restored(remembered, {}))


def _warn(text: str) -> None:
    print(text, file=sys.stderr)


def _config(service: Path, overlay: str | None) -> ServiceConfig | None:
    """Return the configuration of the service in a folder; None if it has none."""
    if not (service / "pym-config.yaml").is_file() and not overlay:
        return None
    return configuration.load(service, overlay, warn=_warn)


def _open(
    service: Path, config: ServiceConfig | None, environ: Mapping[str, str], arguments: Sequence[str] = ()
) -> tuple[workspace.Workspace, engine_record.InstalledEngine, dict[str, str], Host]:
    found, docker_host = engines.locate(), None
    if config is not None:
        backend = workspace.find_backend(config.backend, config.secrets_provider, environ)
        docker_host = pulumi_stack.docker_host(config, arguments, environ)
    else:
        backend = workspace.find_backend(None, None, environ)
    workspace.require_real(backend)
    opened = workspace.open_workspace(service, backend, Path(sys.executable).parent)
    _restore_settings(opened)
    host = hosts.of(docker_host, environ)
    return opened, found, engine_environment(opened, found, environ), host


def _restore_settings(opened: workspace.Workspace) -> None:
    """Write missing stack settings files, as on a fresh checkout, from the last deployment.

    Without them Pulumi would refuse updates, and `pulumi refresh` would give the state another salt.
    """
    folder = opened.backend.folder()
    if folder is None:
        return
    state = FileState(folder)
    for stack in state.stacks():
        file = opened.settings_file(stack)
        remembered = state.read(stack)
        if remembered.config and not stack_settings.read(file).config:
            stack_settings.write(file, stack_settings.restored(remembered, {}))
