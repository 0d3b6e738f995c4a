"""Where Pulumi remembers the demo: with the cluster, and no longer."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

HIDDEN = ("PULUMI_CONFIG_PASSPHRASE",)
"""What would come before the demo's own passphrase."""
SHELL = "shell"
"""The file that a shell reads so that `curtainup` there works on the demo."""


def variables(folder: Path | None, kubeconfig: str) -> dict[str, str]:
    """Return the variables of commands on the demo.

    Args:
        folder: goes with the cluster; None leaves the state where the user has it.
        kubeconfig: of the cluster.

    """
    found = {"KUBECONFIG": kubeconfig}
    if folder is None:
        return found
    own = folder / "demo"
    state = own / "state"
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    passphrase = own / "passphrase"
    if not passphrase.exists():
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_urlsafe(32))
    return {
        **found,
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
    }


def merged(environ: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Return all variables of a command on the demo, without a passphrase of anything else."""
    hidden = HIDDEN if "PULUMI_CONFIG_PASSPHRASE_FILE" in found else ()
    return {name: value for name, value in environ.items() if name not in hidden} | dict(found)


def for_shell(folder: Path, found: dict[str, str]) -> Path:
    """Write a file that sets the variables in a shell, and return its path."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in found.items()]
    lines += [f"unset {name}" for name in HIDDEN]
    file = folder / "demo" / SHELL
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n")
    return file
