"""Running the engine so that a Ctrl-C never breaks its state.

The engine runs in a session of its own, so that the terminal's Ctrl-C does not reach it; it is sent
exactly one SIGINT when the run is to stop, is never killed, and is always waited for. Its output goes
to files: a driver that dies does not break its pipe.
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
from curtainup.engine.processes import Processes
from curtainup.setup import engine_record


class EngineCommand(PulumiCommand):
    """The Pulumi CLI at a known path and version: nothing is started to find out either."""

    def __init__(self, command: Path, version: str, processes: Processes) -> None:
        """Use the CLI at that path.

        Args:
            command: absolute path of the executable.
            version: its version.
            processes: where its processes are registered.

        """
        self.command = str(command)
        self.version = VersionInfo.parse(version.removeprefix("v"))
        self._processes = processes
        self._process: subprocess.Popen[bytes] | None = None

    def at_work(self) -> None:
        """Note that the process now running has sent its first event."""
        if self._process is not None:
            self._processes.at_work(self._process)

    def another(self) -> EngineCommand:
        """Return a command for an operation of its own, to run beside others."""
        return EngineCommand(Path(self.command), str(self.version), self._processes)

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
        """Run one Pulumi command to its end, giving it `text` on standard input.

        Raises:
            pulumi.automation.CommandError: it ended with another exit code than 0.

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
            )
            self._process = process
            try:
                process.communicate(None if text is None else text.encode())
            finally:
                self._process = None
                self._processes.ended(process)
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
    """Return the variables that Pulumi's processes get besides the deployer's own.

    Plugins are there once set-up has run; looking for newer ones costs seconds where no server answers.
    The engine and its plugins live for a second, so they may collect garbage less often.
    """
    path = os.pathsep.join([*found.path_entries, environ.get("PATH", os.defpath)])
    return {
        **workspace.backend.env,
        "PATH": path,
        "PULUMI_PYTHON_CMD": sys.executable,
        "GOGC": environ.get("GOGC", "400"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


class SelectedStack(automation.Stack):
    """A stack that is taken as selected, and asks nothing after an operation."""

    def __init__(self, name: str, workspace: automation.LocalWorkspace) -> None:
        self.name = name
        self.workspace = workspace

    def outputs(self) -> OutputMap:
        """Return none: they are read from the state."""
        return {}

    def info(self, show_secrets: bool = False) -> UpdateSummary:  # noqa: ARG002
        """Return a summary that nobody reads."""
        return UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")
