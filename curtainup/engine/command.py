"""Running the engine so that Ctrl-C never breaks its state.

The engine runs in a session of its own, so the terminal's Ctrl-C does not reach it. When a run has to stop,
curtainup sends the engine exactly one SIGINT and waits for it; it never kills the engine. The engine's output
goes to files, so that a driver that dies does not break its pipe.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pulumi import automation
from pulumi.automation import CommandResult, OnOutput, OutputMap, PulumiCommand, UpdateSummary
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from curtainup.engine import workspace as workspaces
from curtainup.engine.aftermath import started
from curtainup.engine.processes import Processes
from curtainup.setup import engine_record

ENGINES_OWN_BUILDER = {"DOCKER_BUILDKIT": "1", "BUILDX_BUILDER": "default"}
"""Whatever the shell or Docker's configuration say of builders: the engine that runs an image builds it.
To buildx, `default` is the builder of the engine itself, even if another one is the current one.
"""


class EngineCommand(PulumiCommand):
    """The Pulumi CLI at a known path and version; no process starts to find them out."""

    def __init__(
        self, command: Path, version: str, processes: Processes, descriptors: tuple[int, ...] = ()
    ) -> None:
        """Use the CLI at that path.

        Args:
            command: the absolute path of the executable.
            version: the version of the CLI.
            processes: registers the processes of the CLI.
            descriptors: what the processes of the CLI inherit.

        """
        self._descriptors = descriptors
        self.command = str(command)
        self.version = VersionInfo.parse(version.removeprefix("v"))
        self._processes = processes
        self._process: subprocess.Popen[bytes] | None = None

    def at_work(self) -> None:
        """Note that the running process has sent its first event."""
        if self._process is not None:
            self._processes.at_work(self._process)

    def another(self, descriptors: tuple[int, ...] = ()) -> EngineCommand:
        """Return another command of the same CLI, for an operation that runs beside others."""
        return EngineCommand(Path(self.command), str(self.version), self._processes, descriptors)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,  # noqa: ARG002 - the SDK passes it; output goes to files
        on_error: OnOutput | None = None,  # noqa: ARG002 - as above
    ) -> CommandResult:
        """Run one Pulumi command to its end; see `PulumiCommand.run`."""
        return self.run_with_input(args, cwd, additional_env, None)

    def run_with_input(
        self, args: Sequence[str], cwd: str, additional_env: Mapping[str, str], text: str | None
    ) -> CommandResult:
        """Run one Pulumi command to its end, with `text` on its standard input.

        Raises:
            pulumi.automation.CommandError: the command ended with an exit code other than 0.

        """
        env = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                [self.command, "--non-interactive", *args],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=out,
                stderr=err,
                start_new_session=True,
                pass_fds=self._descriptors,
            )
            self._process = process
            started.note(process.pid)
            try:
                process.communicate(None if text is None else text.encode())
            finally:
                self._process = None
                self._processes.ended(process)
                if process.returncode is not None:
                    started.forget(process.pid)
            result = CommandResult(_read(out), _read(err), process.returncode)
        if result.code != 0:
            raise create_command_error(result)
        return result


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def engine_environment(
    workspace: workspaces.Workspace, found: engine_record.InstalledEngine, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that Pulumi's processes get in addition to the deployer's own.

    Set-up has installed the plugins, and a look for newer ones would cost seconds where no server answers.
    The engine and its plugins live for about a second, so they may collect garbage less often.
    """
    path = os.pathsep.join([*found.path_entries, environ.get("PATH", os.defpath)])
    return {
        **workspace.backend.env,
        "PATH": path,
        "PULUMI_PYTHON_CMD": sys.executable,
        "GOGC": environ.get("GOGC", "400"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        **ENGINES_OWN_BUILDER,
    }


class SelectedStack(automation.Stack):
    """A stack that needs no `select`, and starts no process after an operation."""

    def __init__(self, name: str, workspace: automation.LocalWorkspace) -> None:
        self.name = name
        self.workspace = workspace

    def outputs(self) -> OutputMap:
        """Return no outputs: the caller reads them from the state."""
        return {}

    def info(self, show_secrets: bool = False) -> UpdateSummary:  # noqa: ARG002
        """Return an empty summary, because nobody reads it."""
        return UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")
