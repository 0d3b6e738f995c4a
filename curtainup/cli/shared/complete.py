"""The option that names an environment, and what the shell is offered when somebody presses Tab.

It is read from `pym-config.yaml`, without any of the checks of a command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

FILE = "pym-config.yaml"
MOST = 256 << 10
"""Bytes of a configuration."""


def environments(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the environments that the configuration names; where it cannot be read, the usual two."""
    names = dict.fromkeys(("staging", "live", *_section(_config(context), "environments")))
    return [one for one in names if one.startswith(incomplete) and one != "review"]


def processes(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the processes of the environment that is named; where it cannot be read, none."""
    config = _config(context)
    environment = _section(config, "environments").get(context.params.get("env") or "live")
    own = environment if isinstance(environment, dict) and "processes" in environment else config
    return [one for one in sorted(map(str, _section(own, "processes"))) if one.startswith(incomplete)]


def _config(context: typer.Context) -> Any:
    """Return what the configuration says, of whatever type that is; None where it cannot be read."""
    import yaml

    from curtainup.util.files import read_bounded

    folder = Path(str(context.params.get("service") or context.params.get("folder") or "."))
    try:
        return yaml.safe_load(read_bounded(folder / FILE, MOST))
    except (OSError, ValueError, AttributeError, TypeError, LookupError, RecursionError, yaml.YAMLError):
        return None


def _section(config: Any, name: str) -> dict[Any, Any]:
    found = config.get(name) if isinstance(config, dict) else None
    return found if isinstance(found, dict) else {}


Env = Annotated[str, typer.Option("--env", help="The environment.", autocompletion=environments)]
