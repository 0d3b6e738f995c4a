"""What a configuration may not ask of an environment, whatever its target, and what cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.errors import ConfigError, RefusedError, StateError
from curtainup.targets.target import displaced


def unreadable(stack: str, error: ValueError) -> StateError:
    """Return the error for a stack's configuration that this version does not understand."""
    return StateError(
        "the configuration of this stack cannot be read",
        where=f"stack {stack}",
        consequence="nothing was done",
        fix="use the version of curtainup that made it, or a newer one",
        detail=str(error),
    )


def no_tasks(name: str, target: str) -> ConfigError:
    """Return the error for tasks where nothing runs them."""
    return ConfigError(
        f"{target} runs no tasks, and {name} has some",
        where="tasks in pym-config.yaml",
        consequence="the release would get traffic without what is to be done before, so nothing was done",
        fix="remove them, or write `tasks: []` in the environment's section",
    )


def no_processes(name: str, target: str) -> ConfigError:
    """Return the error for processes where nothing runs them."""
    return ConfigError(
        f"{target} runs no processes, and {name} has some",
        where="processes in pym-config.yaml",
        consequence="nobody would do their work, so nothing was done",
        fix="remove them, or write `processes: {}` in the environment's section",
    )


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
            f"changing {' and '.join(changed)} of {name} interrupts its traffic",
            where=f"{', '.join(changed)} in pym-config.yaml",
            consequence="requests would fail meanwhile, so nothing was changed",
            fix="put the old value back, or allow it with --allow-replace",
        )


def no_schedules(name: str, target: str) -> ConfigError:
    """Return the error for schedules where nothing runs them."""
    return ConfigError(
        f"{target} runs no schedules, and {name} has some",
        where="schedule in pym-config.yaml",
        consequence="nobody would do their work, so nothing was done",
        fix="remove them, or write `schedule: {}` in the environment's section",
    )
