"""Finds a plugin of the engine that set-up can build: that for Docker, and that for Kubernetes.

If it is missing, the engine fetches it; where it cannot, set-up builds it from Go modules.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from dataclasses import dataclass
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import go_build, paths, pulumi, versions
from curtainup.setup.engine_record import InstalledEngine
from curtainup.setup.process import Report, run

FETCH_LIMIT = 120.0
"""Seconds for the engine's own download of the plugin."""

BUILT_FROM = "curtainup-built-from"
"""The file beside a plugin that curtainup built; it holds the key of the plugin's sources."""


@dataclass(frozen=True)
class Plugin:
    """A plugin that set-up can build.

    Attributes:
        package: what Pulumi calls it, such as `docker`.
        title: its name for people.
        module: the folder of its go.mod, below that of all of set-up's sources.
        version: the version of that source.
        variable: the Go variable that holds it.
        target: what nobody can deploy to without it.

    """

    package: str
    title: str
    module: str
    version: str
    variable: str
    target: str

    @property
    def name(self) -> str:
        """The name of the executable."""
        return f"pulumi-resource-{self.package}"

    @property
    def sdk(self) -> str:
        """The Python package whose version the plugin must have."""
        return f"pulumi_{self.package}"


DOCKER = Plugin(
    "docker", "Pulumi's Docker provider", "docker", versions.DOCKER_PROVIDER, "main.version", "docker"
)
KUBERNETES = Plugin(
    "kubernetes",
    "Pulumi's Kubernetes provider",
    "kubernetes/provider",
    versions.KUBERNETES_PROVIDER,
    "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version",
    "kubernetes",
)


def wanted(plugin: Plugin) -> str:
    """Return the version that this environment's SDK asks the engine for."""
    return importlib.metadata.version(plugin.sdk)


def program(plugin: Plugin) -> go_build.Program:
    """Return the plugin as a program that set-up can build."""
    return go_build.Program(
        name=plugin.name,
        title=plugin.title,
        version=plugin.version,
        module=paths.offline_sources() / plugin.module,
        package=".",
        variables={plugin.variable: plugin.version},
    )


def find(plugin: Plugin) -> Path | None:
    """Return the plugin that the engine would use, or None.

    A plugin that curtainup built from other sources than today's does not count.
    """
    on_path = shutil.which(plugin.name)
    if on_path is not None:
        return Path(on_path)
    folder = _folder(plugin)
    executable, built_from = folder / plugin.name, folder / BUILT_FROM
    # The engine leaves NAME.partial beside a folder that is not complete.
    if not executable.is_file() or Path(f"{folder}.partial").exists():
        return None
    if built_from.is_file() and built_from.read_text() != program(plugin).key():
        return None
    return executable


def built(plugin: Plugin) -> Path | None:
    """Return the plugin that the engine would use, if curtainup has built it; otherwise None."""
    found = find(plugin)
    return found if found is not None and (found.parent / BUILT_FROM).is_file() else None


def ensure(plugin: Plugin, engine: InstalledEngine, report: Report) -> Path:
    """Return the plugin; install it if it is missing.

    Raises:
        SetupError: curtainup can neither fetch nor build the plugin.

    """
    found = find(plugin)
    if found is not None:
        return found
    # An engine that curtainup built shows that this machine does not reach Pulumi's downloads.
    if pulumi.is_built(engine.command) or not _fetched(plugin, engine, report):
        _build(plugin, engine, report)
    found = find(plugin)
    if found is None:
        raise SetupError(
            f"{plugin.title} is missing although it was installed",
            where=str(_folder(plugin)),
            fix="set PULUMI_HOME to the engine's folder, or unset it",
        )
    return found


def _folder(plugin: Plugin) -> Path:
    return paths.pulumi_home() / "plugins" / f"resource-{plugin.package}-v{wanted(plugin)}"


def _fetched(plugin: Plugin, engine: InstalledEngine, report: Report) -> bool:
    report(f"fetching {plugin.title} {wanted(plugin)}")
    try:
        _plugin_install(plugin, engine, report, timeout=FETCH_LIMIT)
    except SetupError:
        report(f"cannot reach the download of {plugin.title}")
        return False
    return True


def _build(plugin: Plugin, engine: InstalledEngine, report: Report) -> None:
    if wanted(plugin) != plugin.version:
        raise SetupError(
            f"{plugin.sdk} {wanted(plugin)} is installed, but curtainup can only build the provider "
            f"{plugin.version}",
            consequence=f"you cannot deploy to the {plugin.target} target",
            fix=f"pip install {plugin.sdk}=={plugin.version}, "
            f"or pulumi plugin install resource {plugin.package} {wanted(plugin)}",
        )
    made = go_build.ensure(program(plugin), report)
    _plugin_install(plugin, engine, report, "--reinstall", "--file", str(made), timeout=FETCH_LIMIT)
    (_folder(plugin) / BUILT_FROM).write_text(program(plugin).key())


def _plugin_install(
    plugin: Plugin, engine: InstalledEngine, report: Report, *options: str, timeout: float
) -> None:
    run(
        [engine.command, "plugin", "install", "resource", plugin.package, wanted(plugin), *options],
        f"installing {plugin.title}",
        report,
        timeout=timeout,
        env={"PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
