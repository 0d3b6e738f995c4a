"""Finds the engine's plugins for the clouds and for Kubernetes. Only the last one can be built by set-up."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import paths, provider
from curtainup.setup.engine_record import InstalledEngine
from curtainup.setup.process import Report, run

BUILT = {provider.KUBERNETES.package: provider.KUBERNETES}
"""Those that set-up builds where the engine cannot fetch them, by package."""

FETCH_LIMIT = 600.0
"""Seconds that the engine's download may take: the plugins have some hundred MB."""


def wanted(package: str) -> str:
    """Return the version that this environment's SDK asks the engine for.

    Args:
        package: `gcp`, `aws` or `kubernetes`.

    """
    return importlib.metadata.version(f"pulumi-{package}")


def find(package: str) -> Path | None:
    """Return the plugin that the engine would use, or None."""
    if package in BUILT:
        return provider.find(BUILT[package])
    name = f"pulumi-resource-{package}"
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    plugin = paths.pulumi_home() / "plugins" / f"resource-{package}-v{wanted(package)}" / name
    return plugin if plugin.is_file() else None


def require(package: str) -> Path:
    """Return the plugin.

    Raises:
        SetupError: the plugin is not installed.

    """
    found = find(package)
    if found is None:
        mend = "curtainup doctor --fix in the service's folder"
        rehearse = (
            "; on a machine that does not reach Pulumi's downloads you can only rehearse: curtainup rehearse"
        )
        raise SetupError(
            f"the engine's {package} plugin {wanted(package)} is not installed",
            where=str(paths.pulumi_home() / "plugins"),
            consequence="nothing was built or changed",
            fix=mend if package in BUILT else mend + rehearse,
        )
    return found


def ensure(package: str, engine: InstalledEngine, report: Report) -> Path:
    """Return the plugin; let the engine fetch it if it is missing, or build it.

    Raises:
        SetupError: the engine cannot fetch the plugin, and set-up cannot build it.

    """
    if package in BUILT:
        return provider.ensure(BUILT[package], engine, report)
    if find(package) is None:
        report(f"fetching Pulumi's {package} provider {wanted(package)}")
        run(
            [engine.command, "plugin", "install", "resource", package, wanted(package)],
            f"fetching Pulumi's {package} provider",
            report,
            timeout=FETCH_LIMIT,
            env={"PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    return require(package)
