"""What is refused when an environment that serves is configured anew: another place, or an interruption."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.errors import RefusedError


def require_same_target(name: str, known: str, configured: str) -> None:
    """Check that an environment stays on its target.

    Raises:
        RefusedError: it is configured for another one.

    """
    if known != configured:
        raise RefusedError(
            f"{name} is on {known}, and is now configured for {configured}",
            where="deploy_target in pym-config.yaml",
            consequence="what serves there would be deleted unproven, so nothing was done",
            fix=f"put the old value back, or first run: curtainup destroy --env {name}",
        )


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
