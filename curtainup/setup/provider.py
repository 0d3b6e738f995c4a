"""Finds the engine's Docker plugin; otherwise the engine fetches it, or set-up builds it from Go modules."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import go_build, paths, pulumi, versions
from curtainup.setup.engine_record import InstalledEngine
from curtainup.setup.process import Report, run

NAME = "pulumi-resource-docker"
FETCH_LIMIT = 120.0
"""Seconds for the engine's own download of the plugin."""

BUILT_FROM = "curtainup-built-from"
"""The file beside a plugin that curtainup built; it holds the key of the plugin's sources."""


def wanted() -> str:
    """Return the version that this environment's `pulumi_docker` asks the engine for."""
    return importlib.metadata.version("pulumi_docker")


def program() -> go_build.Program:
    """Return the plugin as a program that set-up can build."""
    return go_build.Program(
        name=NAME,
        title="Pulumi's Docker provider",
        version=versions.DOCKER_PROVIDER,
        module=paths.offline_sources() / "docker",
        package=".",
        version_variable="main.version",
        version_text=versions.DOCKER_PROVIDER,
    )


def find() -> Path | None:
    """Return the plugin that the engine would use, or None.

    A plugin that curtainup built from other sources than today's does not count.
    """
    on_path = shutil.which(NAME)
    if on_path is not None:
        return Path(on_path)
    folder = _folder()
    plugin, built_from = folder / NAME, folder / BUILT_FROM
    # The engine leaves NAME.partial beside a folder that is not complete.
    if not plugin.is_file() or Path(f"{folder}.partial").exists():
        return None
    if built_from.is_file() and built_from.read_text() != program().key():
        return None
    return plugin


def built() -> Path | None:
    """Return the plugin that the engine would use, if curtainup has built it; otherwise None."""
    found = find()
    return found if found is not None and (found.parent / BUILT_FROM).is_file() else None


def ensure(engine: InstalledEngine, report: Report) -> Path:
    """Return the plugin; install it if it is missing.

    Raises:
        SetupError: curtainup can neither fetch nor build the plugin.

    """
    found = find()
    if found is not None:
        return found
    # An engine that curtainup built shows that this machine does not reach Pulumi's downloads.
    if pulumi.is_built(engine.command) or not _fetched(engine, report):
        _build(engine, report)
    found = find()
    if found is None:
        raise SetupError(
            "Pulumi's Docker provider is missing although it was installed",
            where=str(_folder()),
            fix="set PULUMI_HOME to the engine's folder, or unset it",
        )
    return found


def _folder() -> Path:
    return paths.pulumi_home() / "plugins" / f"resource-docker-v{wanted()}"


def _fetched(engine: InstalledEngine, report: Report) -> bool:
    report(f"fetching Pulumi's Docker provider {wanted()}")
    try:
        _plugin_install(engine, report, timeout=FETCH_LIMIT)
    except SetupError:
        report("cannot reach the download of Pulumi's Docker provider")
        return False
    return True


def _build(engine: InstalledEngine, report: Report) -> None:
    if wanted() != versions.DOCKER_PROVIDER:
        raise SetupError(
            f"pulumi_docker {wanted()} is installed, but curtainup can only build the provider "
            f"{versions.DOCKER_PROVIDER}",
            consequence="you cannot deploy to the docker target",
            fix=f"pip install pulumi_docker=={versions.DOCKER_PROVIDER}, "
            f"or pulumi plugin install resource docker {wanted()}",
        )
    plugin = go_build.ensure(program(), report)
    _plugin_install(engine, report, "--reinstall", "--file", str(plugin), timeout=FETCH_LIMIT)
    (_folder() / BUILT_FROM).write_text(program().key())


def _plugin_install(engine: InstalledEngine, report: Report, *options: str, timeout: float) -> None:
    run(
        [engine.command, "plugin", "install", "resource", "docker", wanted(), *options],
        "installing Pulumi's Docker provider",
        report,
        timeout=timeout,
        env={"PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
