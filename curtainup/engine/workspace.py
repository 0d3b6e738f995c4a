"""Where the Pulumi project of a service lives, and where its state goes.

A service's repository contains `.curtainup/` (ignored by git) with a `Pulumi.yaml` that points at the
program. Services inside curtainup's own checkout, such as the examples, use the `Pulumi.yaml` at its root. An
ejected program has a project of its own, in its folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from curtainup.engine import ejected, passphrase
from curtainup.errors import SourceError, StateError
from curtainup.setup import paths
from curtainup.setup.paths import data_dir, program_dir
from curtainup.util.files import read_bounded, write_atomically
from curtainup.util.plain import is_text

PROJECT = "curtainup"
FOLDER = ".curtainup"
REHEARSAL_MARK = "rehearsal"
"""The file that marks the folder of a backend for rehearsals only."""


@dataclass(frozen=True)
class Backend:
    """Where Pulumi keeps state, and the variables that its processes need to reach it.

    Attributes:
        url: the URL of `pulumi login URL`; None leaves it to `pulumi login`.
        secrets_provider: the value of `pulumi stack init --secrets-provider`; None is the backend's own.
        env: the variables for Pulumi's processes.
        passphrase: decrypts the state's secrets, and is the key of HMACs; None when it is not known.

    """

    url: str | None
    secrets_provider: str | None
    env: Mapping[str, str]
    passphrase: bytes | None

    def folder(self) -> Path | None:
        """Return the folder of a file backend, or None for any other backend."""
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
        backend: where the state goes.
        edition: the digest of an ejected program that somebody has edited; empty for any other program.

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
    """Find the backend as Pulumi would; outside CI the default is a file backend of our own.

    Raises:
        StateError: CI has no configured backend, or a passphrase is missing, empty or cut off.
        DiskFull: there is no space for a passphrase.

    """
    url = environ.get("PULUMI_BACKEND_URL") or configured or _logged_in(environ)
    if url is None and environ.get("CI"):
        raise StateError(
            "no Pulumi backend is configured, and this is a CI job",
            consequence="the state would vanish with this runner, so nothing was done",
            fix="set PULUMI_BACKEND_URL, or `backend:` in pym-config.yaml, to a bucket or Pulumi's service",
        )
    url = _absolute(url) if url else None
    env = {"PULUMI_BACKEND_URL": url} if url else {}
    key = passphrase.given(environ)
    if url is None:
        folder = data_dir() / "state"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        url = f"file://{folder}"
        env["PULUMI_BACKEND_URL"] = url
        if key is None:
            file = data_dir() / "passphrase"
            key = passphrase.generated(file)
            env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(file)
    return Backend(url, secrets_provider, env, _usable(key, url, secrets_provider, environ))


def _usable(
    key: bytes | None, url: str, secrets_provider: str | None, environ: Mapping[str, str]
) -> bytes | None:
    """Return the passphrase; refuse to go without one where it seals secrets."""
    provider = secrets_provider or "default"
    seals = provider == "passphrase" or (provider == "default" and not url.startswith("https://"))
    if key is None and seals:
        raise StateError(
            "the passphrase of the Pulumi backend is not set",
            where=f"backend {url}",
            consequence=passphrase.NOTHING,
            fix="set PULUMI_CONFIG_PASSPHRASE_FILE, or `secrets_provider:` in pym-config.yaml",
        )
    if key == b"" and seals:
        raise passphrase.empty(environ)
    return key or None


def require_real(backend: Backend) -> None:
    """Check that a backend is not one for rehearsals.

    Raises:
        StateError: it is one.

    """
    folder = backend.folder()
    if folder is not None and (folder / REHEARSAL_MARK).exists():
        raise StateError(
            "this backend holds rehearsals",
            where=f"backend {backend.url}",
            consequence="a deployment would mistake a rehearsal for live, so nothing was done",
            fix="unset PULUMI_BACKEND_URL, or give the command --rehearsal",
        )


def open_workspace(
    service_dir: Path, backend: Backend, provider_dir: Path, *, rehearsal: str | None = None
) -> Workspace:
    """Return the service's workspace, and write `.curtainup/` if it is missing.

    Args:
        service_dir: the service's source.
        backend: where the state goes.
        provider_dir: the folder of the executable `pulumi-resource-curtainup`.
        rehearsal: the target of a rehearsal, which has a folder of its own; None for a deployment.

    Raises:
        SetupError: the service has an ejected program, and its stamp cannot be read.
        SourceError: the path of the service is not UTF-8 text.

    """
    service_dir = service_dir.resolve()
    if not is_text(str(service_dir)):
        raise SourceError(
            "the path of the service is not UTF-8 text",
            where=repr(str(service_dir)),
            consequence="Pulumi cannot take such a path, so nothing was done",
            fix="rename the folder",
        )
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
        current = json.loads(read_bounded(home / "credentials.json")).get("current")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return str(current) if current else None


def _absolute(url: str) -> str:
    """Resolve a relative file backend against the current folder; Pulumi would use the project's folder."""
    place = url.removeprefix("file://")
    return url if place == url or place.startswith(("/", "~")) else f"file://{Path.cwd() / place}"
