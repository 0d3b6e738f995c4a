"""Finds the engine's plugins for the clouds. Only the engine can fetch them; set-up cannot build them."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import paths
from curtainup.setup.engine_record import InstalledEngine
from curtainup.setup.process import Report, run

FETCH_LIMIT = 600.0
"""Seconds that the engine's download may take: the plugins have some hundred MB."""


def wanted(package: str) -> str:
    """Return the version that this environment's SDK asks the engine for.

    Args:
        package: `gcp` or `aws`.

    """
    return importlib.metadata.version(f"pulumi-{package}")


def find(package: str) -> Path | None:
    """Return the plugin that the engine would use, or None."""
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
        raise SetupError(
            f"the engine's {package} plugin {wanted(package)} is not installed",
            where=str(paths.pulumi_home() / "plugins"),
            consequence="nothing was built or changed",
            fix="curtainup doctor --fix in the service's folder; on a machine that does not reach Pulumi's "
            "downloads you can only rehearse: curtainup rehearse",
        )
    return found


def ensure(package: str, engine: InstalledEngine, report: Report) -> Path:
    """Return the plugin; let the engine fetch it if it is missing.

    Raises:
        SetupError: the engine cannot fetch the plugin.

    """
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
