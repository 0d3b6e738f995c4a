"""The engine's Docker plugin: there already, else fetched by the engine, else built from Go modules."""

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
"""The file beside a plugin of ours that holds the key of its sources."""


def wanted() -> str:
    """Return the version that this environment's `pulumi_docker` asks the engine for."""
    return importlib.metadata.version("pulumi_docker")


def program() -> go_build.Program:
    """Return the plugin as a program that can be built."""
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

    One of ours that was built from other sources than today's does not count.
    """
    on_path = shutil.which(NAME)
    if on_path is not None:
        return Path(on_path)
    folder = _folder()
    plugin, built_from = folder / NAME, folder / BUILT_FROM
    # The engine leaves NAME.partial beside a folder it has not finished.
    if not plugin.is_file() or Path(f"{folder}.partial").exists():
        return None
    if built_from.is_file() and built_from.read_text() != program().key():
        return None
    return plugin


def ensure(engine: InstalledEngine, report: Report) -> Path:
    """Return the plugin, bringing it when there is none.

    Raises:
        SetupError: it can neither be fetched nor built.

    """
    found = find()
    if found is not None:
        return found
    # An engine that had to be built says that Pulumi's downloads are not reached.
    if pulumi.is_built(engine.command) or not _fetched(engine, report):
        _build(engine, report)
    found = find()
    if found is None:
        raise SetupError(
            "Pulumi's Docker provider was installed and is not there",
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
        report("the download of Pulumi's Docker provider was not reached")
        return False
    return True


def _build(engine: InstalledEngine, report: Report) -> None:
    if wanted() != versions.DOCKER_PROVIDER:
        raise SetupError(
            f"pulumi_docker {wanted()} is installed, and its provider can only be built as "
            f"{versions.DOCKER_PROVIDER} here",
            consequence="the docker target cannot be deployed to",
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
