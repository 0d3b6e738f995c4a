"""Plain Pulumi on curtainup's state: the same backend, passphrase, plugins and PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from curtainup import config as configuration
from curtainup import workspace
from curtainup.session import engine_environment
from curtainup.setup import engine as engines


def pulumi_environment(service: Path, overlay: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which `pulumi` finds what curtainup made."""
    return _open(service, overlay, environ)[2]


def run_pulumi(arguments: Sequence[str]) -> int:
    """Run the CLI in the workspace of the service in the current folder; return its exit code."""
    opened, found, env = _open(Path(), None, os.environ)
    command = [str(found.command), *arguments, "--cwd", str(opened.project_dir)]
    return subprocess.run(command, env={**os.environ, **env}, check=False).returncode


def _open(
    service: Path, overlay: str | None, environ: Mapping[str, str]
) -> tuple[workspace.Workspace, engines.Engine, dict[str, str]]:
    found = engines.locate()
    if (service / "pym-config.yaml").is_file() or overlay:
        config = configuration.load(service, overlay, warn=lambda text: print(text, file=sys.stderr))
        backend = workspace.find_backend(config.backend, config.secrets_provider, environ)
    else:
        backend = workspace.find_backend(None, None, environ)
    opened = workspace.open_workspace(service, backend, Path(sys.executable).parent)
    return opened, found, engine_environment(opened, found, environ)
