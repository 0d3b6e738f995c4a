"""The stack that a command of `pulumi` works on, and the Docker host that the stack is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curtainup.config import ServiceConfig
from curtainup.config.review import is_review
from curtainup.errors import RefusedError
from curtainup.model.names import Names
from curtainup.platforms.caddy import config as caddy
from curtainup.platforms.docker import hosts
from curtainup.platforms.docker.engine import DockerEngine

CHANGING = frozenset(
    {"up", "update", "preview", "pre", "refresh", "destroy", "down", "dn", "import", "watch"}
)
"""Pulumi's commands that reach what a stack holds, with their other names."""
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
