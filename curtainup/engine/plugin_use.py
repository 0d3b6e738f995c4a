"""Which updates can have a plugin that runs already, as far as the stack's configuration tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from curtainup.engine.settings_file import NAMESPACE

Config = Mapping[str, Any]


def is_configured_once(provider: str, config: Config, known: Config) -> bool:
    """Return whether an update configures the plugin of a provider, and does so in one way alone.

    Args:
        provider: the plugin's name.
        config: what the update sets, without namespaces.
        known: the stack's configuration until now.

    """
    return _USES[provider](config, known)


def _docker(config: Config, known: Config) -> bool:
    """An update that changes the registry logs in with the old one and the new."""
    before = known.get(f"{NAMESPACE}registry")
    return "registry" not in config or before is None or config["registry"] == before


def _kubernetes(config: Config, known: Config) -> bool:
    """The image's stack has no cluster; an update that changes the context reaches the cluster by both."""
    context, before = _context(config.get("environment")), _context(known.get(f"{NAMESPACE}environment"))
    return bool(context) and before in {"", context}


def _context(environment: Any) -> str:
    return str(environment.get("context") or "") if isinstance(environment, Mapping) else ""


_USES: Final[Mapping[str, Callable[[Config, Config], bool]]] = {"docker": _docker, "kubernetes": _kubernetes}
