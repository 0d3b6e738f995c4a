"""The stack that a command of `pulumi` works on, and the Docker host that the stack is on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from curtainup.config import ServiceConfig
from curtainup.config.review import is_review
from curtainup.errors import RefusedError
from curtainup.model.names import LIVE, Names
from curtainup.pipeline import freeze
from curtainup.platforms.caddy import config as caddy
from curtainup.platforms.docker import hosts
from curtainup.platforms.docker.engine import DockerEngine

CHANGING = frozenset(
    {"up", "update", "preview", "pre", "refresh", "destroy", "down", "dn", "import", "watch"}
)
"""Pulumi's commands that reach what a stack holds, with their other names."""
LOOKING = frozenset({"preview", "pre"})
"""Those of them that change nothing themselves."""
HARMLESS = frozenset({"--help", "-h", "--preview-only"})
OPTIONS = ("--stack", "-s")


def named(arguments: Sequence[str]) -> str:
    """Return the stack that the arguments of `pulumi` name; empty if they name none."""
    for number, one in enumerate(arguments):
        if one in OPTIONS:
            return arguments[number + 1] if number + 1 < len(arguments) else ""
        if one.startswith("--stack="):
            return one.removeprefix("--stack=")
        if one.startswith("-s") and not one.startswith("--"):
            return one.removeprefix("-s").removeprefix("=")
    return ""


def require_open(
    config: ServiceConfig,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    reason: str | None,
    warn: Callable[[str], None],
) -> None:
    """Check that a command of `pulumi` does not change live while live is frozen.

    Args:
        config: the service's.
        arguments: of `pulumi`.
        environ: the deployer's variables.
        reason: the reason to change live anyway; None if nobody gave one.
        warn: receives a line if it is not known which stack the command is for, or if it has a reason.

    Raises:
        Frozen: it would change live, and there is no reason.

    """
    given, found = set(arguments), freeze.on(config)
    if found is None or not given & (CHANGING - LOOKING) or given & HARMLESS:
        return
    live = Names(config.name).environment(LIVE)
    stack = (named(arguments) or environ.get("PULUMI_STACK", "")).rpartition("/")[2]
    if stack in ("", live) and reason:
        warn(f"warning: live is frozen until {found.told}, and this command changes it: {reason}")
    elif stack == live:
        raise freeze.refused(found, f"stack {live}", "nothing was changed")
    elif not stack:
        warn(f"warning: live is frozen until {found.told}: do not go on if the stack is {live}")


def docker_host(config: ServiceConfig, arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return the Docker host on which a command of `pulumi` works.

    Args:
        config: the service's.
        arguments: of `pulumi`.
        environ: the deployer's variables.

    Raises:
        RefusedError: the service has several hosts, and the stack does not tell which one the command is to
            change something on.
        SetupError: the stack is that of a door, and a Docker host does not answer.

    """
    names, stack = Names(config.name), named(arguments).rpartition("/")[2]
    environment = stack.removeprefix(f"{config.name}-")
    if environment in config.environment_names or is_review(environment):
        return config.docker_host_of(environment)
    first, *others = config.docker_hosts
    if not others or stack == names.image or not CHANGING & set(arguments):
        return first
    if stack.startswith(f"{caddy.NAME}-"):
        for one in config.docker_hosts:
            if _has_door(one, stack, environ):
                return one
    raise _refused(names, stack)


def _has_door(one: str | None, stack: str, environ: Mapping[str, str]) -> bool:
    from curtainup.targets.docker import door

    return door.stack(DockerEngine(hosts.of(one, environ), environ).client) == stack


def _refused(names: Names, stack: str) -> RefusedError:
    return RefusedError(
        f"the Docker host of the stack {stack} is not known" if stack else "no stack is named",
        where="--stack",
        consequence="this could reach the wrong one of the service's Docker hosts, so nothing was done",
        fix=f"name an environment's stack, such as --stack {names.environment('live')}",
    )
