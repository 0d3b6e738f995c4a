"""Finds a new enough Pulumi engine, or installs one: with the official installer, else from Go modules."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import engine_record, go_build, paths, versions
from curtainup.setup.engine_record import InstalledEngine
from curtainup.setup.process import Report, run

INSTALL_LIMIT = 300.0
"""Seconds that the official installer's whole download may take."""

PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


def program() -> go_build.Program:
    """Return the engine as a program that set-up can build."""
    return go_build.Program(
        name="pulumi",
        title="the Pulumi engine",
        version=versions.ENGINE,
        module=paths.offline_sources() / "cli",
        package=PACKAGE,
        variables={VERSION_VARIABLE: f"v{versions.ENGINE}"},
    )


def find() -> InstalledEngine | None:
    """Return the first existing engine that is new enough, and record it for `engine.locate`."""
    known = engine_record.recorded()
    for command in _candidates():
        if known is not None and known.command == command:
            return known
        version = _version(command)
        if version is not None and versions.at_least(version, versions.ENGINE_MINIMUM):
            return engine_record.record(command, version)
    return None


def ensure(report: Report) -> InstalledEngine:
    """Return the engine; install it if it is missing.

    Raises:
        SetupError: both the installer and the build failed; the detail has the output of both.

    """
    found = find()
    if found is not None:
        return found
    try:
        return _install(report)
    except SetupError as error:
        report("Pulumi's own installer failed")
        installer = error
    try:
        return _checked(go_build.ensure(program(), report))
    except SetupError as error:
        detail = f"Pulumi's installer:\n{installer.detail or installer}\nThe build:\n{error.detail or error}"
        raise SetupError(
            error.what, consequence="nothing can be deployed", fix=error.fix, detail=detail
        ) from error


def is_built(command: Path) -> bool:
    """Return whether curtainup installed an engine, in the user's cache."""
    return command.is_relative_to(paths.cache_dir())


def link(found: InstalledEngine) -> None:
    """Link an engine in the cache into this virtual environment's folder of commands.

    Plain `pulumi up` then works in a shell in which the environment is active.
    """
    beside = Path(sys.executable).parent / "pulumi"
    if sys.prefix == sys.base_prefix or not is_built(found.command) or beside.resolve() == found.command:
        return
    if beside.is_symlink() or not beside.exists():
        beside.unlink(missing_ok=True)
        beside.symlink_to(found.command)


def _candidates() -> list[Path]:
    """Return the paths of possible engines, the preferred one first."""
    commands = [_installed_root() / "bin" / "pulumi", program().path()]
    on_path = shutil.which("pulumi")
    if on_path is not None:
        absolute = Path(on_path).absolute()
        # Follow curtainup's own link; keep the link of a version manager as it is.
        commands.insert(0, absolute.resolve() if is_built(absolute.resolve()) else absolute)
    return [command for command in dict.fromkeys(commands) if command.is_file()]


def _version(command: Path) -> str | None:
    """Ask an engine for its version; return None if it prints none."""
    try:
        said = run(
            [command, "version"],
            f"asking {command} for its version",
            lambda _: None,
            timeout=30,
            env={"PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except SetupError:
        return None
    numbers = versions.parse(said)
    return ".".join(str(number) for number in numbers) if numbers else None


def _checked(command: Path) -> InstalledEngine:
    version = _version(command)
    if version is None:
        raise SetupError(
            "the Pulumi engine that curtainup installed does not run",
            where=str(command),
            fix=f"remove {command.parent}",
        )
    return engine_record.record(command, version)


def _installed_root() -> Path:
    return paths.cache_dir() / f"pulumi-official-{versions.ENGINE}"


def _install(report: Report) -> InstalledEngine:
    """Run the official installer in a separate process, so that it can have a time limit."""
    report(f"fetching Pulumi {versions.ENGINE} with its own installer")
    root = _installed_root()
    run(
        [sys.executable, "-m", "curtainup.setup.installer", root, versions.ENGINE],
        "Pulumi's installer",
        report,
        timeout=INSTALL_LIMIT,
    )
    return _checked(root / "bin" / "pulumi")
