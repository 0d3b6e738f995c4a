"""What is refused when an environment that serves is configured anew: another place, or an interruption."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.errors import RefusedError
from curtainup.targets.base import displaced


def require_same_target(name: str, known: str, configured: str) -> None:
    """Check that an environment stays on its target.

    Raises:
        RefusedError: it is configured for another one.

    """
    if known != configured:
        raise displaced(name, f"on {known}", configured, "deploy_target")


def require_calm(name: str, changed: Sequence[str]) -> None:
    """Check that no changed key interrupts traffic.

    Args:
        name: of the environment.
        changed: the keys of which it is known that they do.

    Raises:
        RefusedError: there are some.

    """
    if changed:
        raise RefusedError(
            f"changing {' and '.join(changed)} of {name} replaces its proxy",
            where=f"{', '.join(changed)} in pym-config.yaml",
            consequence="requests would fail for some seconds, so nothing was changed",
            fix="put the old value back, or allow it with --allow-replace",
        )
