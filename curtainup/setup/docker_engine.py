"""Finds the Docker engine that the docker command would use; as root on Debian, starts one if necessary."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import docker
from docker.context import ContextAPI
from docker.errors import DockerException

from curtainup.errors import SetupError
from curtainup.setup import debian
from curtainup.setup.process import Report, last_lines, run

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
PACKAGES = ("docker.io", "iptables")
LOG = Path("/var/log/curtainup-dockerd.log")

ANSWER_LIMIT = 5
"""Seconds within which a running engine must answer a ping."""

START_LIMIT = 60.0
"""Seconds within which a started engine must answer its first ping."""

USE_LIMIT = 600
"""Seconds that one call to the engine may take: building an image is one call."""


def address(environ: Mapping[str, str]) -> str:
    """Return the engine's address, found as the docker command does: DOCKER_HOST, the context, the socket.

    Raises:
        SetupError: the current context cannot be read, or does not exist.

    """
    if host := environ.get("DOCKER_HOST"):
        return host
    name = environ.get("DOCKER_CONTEXT") or None
    try:
        context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    except (DockerException, OSError, ValueError) as error:
        raise SetupError(
            f"the docker context cannot be read: {error}",
            fix="docker context use default, or set DOCKER_HOST",
        ) from error
    if context is None:
        raise SetupError(
            f"the docker context {name or 'in use'} does not exist",
            fix="docker context use default, or set DOCKER_HOST",
        )
    # The default context means the default socket; the SDK may return another host for it.
    return DEFAULT_ADDRESS if context.Name == "default" else str(context.Host)


def connect(environ: Mapping[str, str]) -> docker.DockerClient:
    """Return a client of the engine, after the engine has answered a ping.

    Raises:
        SetupError: no engine answers, or it does not let this user in; the fix says what to do.

    """
    where = address(environ)
    try:
        return _client(where, environ)
    except (DockerException, OSError) as error:
        raise _unanswered(where, error) from error


def ensure(environ: Mapping[str, str], report: Report) -> docker.DockerClient:
    """Return a client of the engine; install and start an engine if none answers.

    It starts only the engine of this machine, and only as root on Debian.

    Raises:
        SetupError: no engine answers, and curtainup cannot start one here.

    """
    try:
        return connect(environ)
    except SetupError:
        if address(environ) != DEFAULT_ADDRESS or not debian.can_install():
            raise
    if shutil.which("dockerd") is None:
        debian.install(PACKAGES, report)
    report("starting the Docker engine")
    if Path("/run/systemd/system").is_dir():
        run(
            ["systemctl", "enable", "--now", "docker"], "starting docker.service", report, timeout=START_LIMIT
        )
        return _wait(DEFAULT_ADDRESS, None, lambda: False)
    return start(["dockerd"], DEFAULT_ADDRESS, LOG)


def start(command: Sequence[str], where: str, log: Path) -> docker.DockerClient:
    """Start an engine in its own session, so that it outlives this process, and wait until it answers.

    Raises:
        SetupError: the engine ended, or did not answer in time; the detail is the end of its log.

    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        pid = os.posix_spawnp(command[0], list(command), os.environ, file_actions=actions, setsid=True)
    except OSError as error:
        raise SetupError(f"{command[0]} cannot be started", detail=str(error)) from error
    return _wait(where, log, lambda: os.waitpid(pid, os.WNOHANG)[0] == pid)


def _wait(where: str, log: Path | None, has_ended: Callable[[], bool]) -> docker.DockerClient:
    """Wait for the first answer of a started engine; `log` is None if a service manager keeps the log."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            return _client(where, {})
        except (DockerException, OSError) as error:
            ended = has_ended()
            if ended or time.monotonic() > deadline:
                raise SetupError(
                    "the Docker engine was started, but it " + ("ended" if ended else "does not answer"),
                    where=str(log or where),
                    consequence="nothing can be built or run",
                    fix="read its log; inside a container, the Docker engine needs a privileged one",
                    detail=last_lines(log.read_text(errors="replace")) if log else str(error),
                ) from error
        time.sleep(0.1)


def _client(where: str, environ: Mapping[str, str]) -> docker.DockerClient:
    """Return a client after its engine has answered; raises DockerException or OSError."""
    if where.startswith("unix://"):
        # A plain connection tells a missing engine from one that refuses this user.
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(ANSWER_LIMIT)
            door.connect(where.removeprefix("unix://"))
    client = docker.from_env(
        environment={**environ, "DOCKER_HOST": where},
        timeout=ANSWER_LIMIT,
        use_ssh_client=where.startswith("ssh://"),
    )
    client.api.timeout = USE_LIMIT
    return client


def _unanswered(where: str, error: Exception) -> SetupError:
    if isinstance(error, PermissionError):
        user = os.environ.get("USER", "$USER")
        fix = f"sudo usermod --append --groups docker {user}, then log in again"
        return SetupError(
            "the Docker engine does not let this user in", where=where, fix=fix, detail=str(error)
        )
    if where != DEFAULT_ADDRESS:
        fix = "start that engine; to use this machine's: unset DOCKER_HOST, or docker context use default"
    elif debian.can_install():
        fix = "curtainup doctor --fix"
    else:
        fix = "start Docker (sudo systemctl start docker), or set DOCKER_HOST to an engine that runs"
    return SetupError(
        "no Docker engine answers",
        where=where,
        consequence="nothing can be built or run",
        fix=fix,
        detail=str(error),
    )
