"""Where the Pulumi project of a service lives, and where its state goes.

A service's repository holds `.curtainup/` (ignored by git) with a `Pulumi.yaml` that points at the
program; services inside the program's own checkout, such as the examples, use the one at its root. A
program that the service owns has a project of its own, in its folder.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from curtainup.engine import ejected
from curtainup.errors import StateError
from curtainup.setup import paths
from curtainup.setup.paths import data_dir, program_dir
from curtainup.util.files import write_atomically

PROJECT = "curtainup"
FOLDER = ".curtainup"
REHEARSAL_MARK = "rehearsal"
"""A file in the folder of a backend that holds rehearsals and nothing else."""


@dataclass(frozen=True)
class Backend:
    """Where Pulumi keeps state, and the variables that its processes need to reach it.

    Attributes:
        url: as in `pulumi login URL`; None leaves it to `pulumi login`.
        secrets_provider: as in `pulumi stack init --secrets-provider`; None is the backend's own.
        env: variables for Pulumi's processes.
        passphrase: opens the state's secrets, when it is known; it is also the key of HMACs.

    """

    url: str | None
    secrets_provider: str | None
    env: Mapping[str, str]
    passphrase: bytes | None

    def folder(self) -> Path | None:
        """Return the folder of a file backend, or None for any other."""
        if self.url is None or not self.url.startswith("file://"):
            return None
        return Path(self.url.removeprefix("file://").partition("?")[0]).expanduser()


@dataclass(frozen=True)
class Workspace:
    """The Pulumi project of a service.

    Attributes:
        service_dir: the service's source.
        project_dir: the folder of `Pulumi.yaml`.
        program_dir: the folder of `__main__.py`, `stacks/` and `components/`.
        settings_dir: the folder of the stack settings files (`stackConfigDir`).
        folder: curtainup's own folder in the service's repository: runs, logs.
        backend: where state goes.
        edition: what tells a program that the service owns from what was ejected; empty for the built-in one.

    """

    service_dir: Path
    project_dir: Path
    program_dir: Path
    settings_dir: Path
    folder: Path
    backend: Backend
    edition: str = ""

    def settings_file(self, stack: str) -> Path:
        """Return the path of a stack's settings file."""
        return self.settings_dir / f"Pulumi.{stack}.yaml"


def find_backend(configured: str | None, secrets_provider: str | None, environ: Mapping[str, str]) -> Backend:
    """Find the backend as Pulumi would; on one machine without any, a file backend of our own.

    Raises:
        StateError: none is configured in CI, or the passphrase of a configured one is missing.

    """
    url = environ.get("PULUMI_BACKEND_URL") or configured or _logged_in(environ)
    if url is None and environ.get("CI"):
        raise StateError(
            "no Pulumi backend is configured, and this is a CI job",
            consequence="state kept on this runner would vanish with it, so nothing was done",
            fix="set PULUMI_BACKEND_URL, or `backend:` in pym-config.yaml, to a bucket or Pulumi's service",
        )
    url = _absolute(url) if url else None
    env = {"PULUMI_BACKEND_URL": url} if url else {}
    passphrase = _given_passphrase(environ)
    if url is None:
        folder = data_dir() / "state"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        url = f"file://{folder}"
        env["PULUMI_BACKEND_URL"] = url
        if passphrase is None:
            file = _generated_passphrase(data_dir() / "passphrase")
            env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(file)
            passphrase = file.read_bytes().strip()
    if passphrase is None and not secrets_provider and not url.startswith("https://"):
        raise StateError(
            "the passphrase of the Pulumi backend is not set",
            where=f"backend {url}",
            consequence="secrets could not be read or written, so nothing was done",
            fix="set PULUMI_CONFIG_PASSPHRASE_FILE, or `secrets_provider:` in pym-config.yaml",
        )
    return Backend(url, secrets_provider, env, passphrase)


def require_real(backend: Backend) -> None:
    """Check that a backend is not that of a rehearsal.

    Raises:
        StateError: it is.

    """
    folder = backend.folder()
    if folder is not None and (folder / REHEARSAL_MARK).exists():
        raise StateError(
            "this backend holds rehearsals",
            where=f"backend {backend.url}",
            consequence="a deployment would take a rehearsal for what is live, so nothing was done",
            fix="unset PULUMI_BACKEND_URL, or give the command --rehearsal",
        )


def open_workspace(
    service_dir: Path, backend: Backend, provider_dir: Path, *, rehearsal: str | None = None
) -> Workspace:
    """Return the service's workspace, writing `.curtainup/` when it is not there yet.

    Args:
        service_dir: the service's source.
        backend: where state goes.
        provider_dir: the folder of the executable `pulumi-resource-curtainup`.
        rehearsal: the target that it is a rehearsal on; each has a folder of its own. None is no rehearsal.

    Raises:
        SetupError: the service has a program of its own, and its stamp cannot be read.

    """
    service_dir = service_dir.resolve()
    own = ejected.find(service_dir)
    program, edition = (own, ejected.edition(own)) if own else (program_dir(), "")
    folder = service_dir / FOLDER
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    if rehearsal:
        folder = folder / "rehearsal" / rehearsal
        folder.mkdir(parents=True, exist_ok=True)
    elif own is None and service_dir.is_relative_to(program) and (program / "Pulumi.yaml").is_file():
        return Workspace(service_dir, program, program, program / "stacks", folder, backend)
    write_atomically(folder / "Pulumi.yaml", _project_file(program, provider_dir))
    (folder / "stacks").mkdir(exist_ok=True)
    project = own if own and not rehearsal else folder
    return Workspace(service_dir, project, program, folder / "stacks", folder, backend, edition)


def _project_file(program: Path, provider_dir: Path) -> str:
    project = {
        "name": PROJECT,
        "description": "Written by curtainup; edits are overwritten.",
        "runtime": "python",
        "main": str(program),
        "stackConfigDir": "stacks",
        "config": {"service": {"type": "string"}},
        "plugins": {"providers": [{"name": "curtainup", "path": str(provider_dir)}]},
    }
    return yaml.safe_dump(project, sort_keys=False)


def _logged_in(environ: Mapping[str, str]) -> str | None:
    """Return the backend of `pulumi login`, from its credentials file."""
    home = Path(environ["PULUMI_HOME"]) if environ.get("PULUMI_HOME") else paths.pulumi_home()
    try:
        current = json.loads((home / "credentials.json").read_text()).get("current")
    except (OSError, ValueError):
        return None
    return str(current) if current else None


def _absolute(url: str) -> str:
    """Take a relative file backend as from here; Pulumi would take it as from the project's folder."""
    place = url.removeprefix("file://")
    return url if place == url or place.startswith(("/", "~")) else f"file://{Path.cwd() / place}"


def _given_passphrase(environ: Mapping[str, str]) -> bytes | None:
    if "PULUMI_CONFIG_PASSPHRASE" in environ:
        return environ["PULUMI_CONFIG_PASSPHRASE"].encode()
    file = environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    try:
        return Path(file).expanduser().read_bytes().strip() if file else None
    except OSError as error:
        raise StateError(
            "the passphrase file of the Pulumi backend cannot be read",
            where=f"PULUMI_CONFIG_PASSPHRASE_FILE={file}",
            consequence="secrets could not be read or written, so nothing was done",
            fix="set the variable to the file that the stacks were made with",
            detail=str(error),
        ) from error


def _generated_passphrase(file: Path) -> Path:
    """Write a random passphrase, readable by its owner alone, unless there is one."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(32) + "\n")
    return file
