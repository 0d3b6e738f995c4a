"""The Docker engine: the one that the docker command would use, else started here, on Debian and as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
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
"""Seconds in which a running engine answers a ping."""

START_LIMIT = 60.0
"""Seconds in which a started engine answers its first ping."""

USE_LIMIT = 600
"""Seconds for one call to an engine that answers: building an image is one call."""


def address(environ: Mapping[str, str]) -> str:
    """Return the engine's address as the docker command finds it: DOCKER_HOST, the context, the socket.

    Raises:
        SetupError: the current context cannot be read.

    """
    if host := environ.get("DOCKER_HOST"):
        return host
    try:
        context = ContextAPI.get_current_context()
    except DockerException as error:
        raise SetupError(
            f"the docker context cannot be read: {error}",
            fix="docker context use default, or set DOCKER_HOST",
        ) from error
    return (context.Host if context else None) or DEFAULT_ADDRESS


def connect(environ: Mapping[str, str]) -> docker.DockerClient:
    """Return a client of the engine, which has answered.

    Raises:
        SetupError: no engine answers, or it does not let this user in; the fix says what to do.

    """
    where = address(environ)
    try:
        return _client(where, environ)
    except DockerException as error:
        raise _unanswered(where, error) from error


def ensure(environ: Mapping[str, str], report: Report) -> docker.DockerClient:
    """Return a client of the engine, installing and starting it when none answers.

    Only the engine of this very machine is ever started, and only by root on Debian.

    Raises:
        SetupError: no engine answers and none can be started here.

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
        return _wait(DEFAULT_ADDRESS, None, None)
    return start(["dockerd"], DEFAULT_ADDRESS, LOG)


def start(command: Sequence[str], where: str, log: Path) -> docker.DockerClient:
    """Start an engine in its own session, so that it outlives this process, and wait until it answers.

    Raises:
        SetupError: it ended, or did not answer in time; the detail is the end of its log.

    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    return _wait(where, process, log)


def _wait(where: str, process: subprocess.Popen[bytes] | None, log: Path | None) -> docker.DockerClient:
    """Wait for the first answer of an engine that was started."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            return _client(where, {})
        except DockerException as error:
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise SetupError(
                    "the Docker engine was started and " + ("ended" if ended else "does not answer"),
                    where=str(log) if log else where,
                    consequence="nothing can be built or run",
                    fix="read its log; in a container, it needs one that is privileged",
                    detail=last_lines(log.read_text(errors="replace")) if log else str(error),
                ) from error
        time.sleep(0.1)


def _client(where: str, environ: Mapping[str, str]) -> docker.DockerClient:
    """Return a client whose engine has answered a ping; raises DockerException."""
    settings = {**environ, "DOCKER_HOST": where}
    client = docker.from_env(
        environment=settings, timeout=ANSWER_LIMIT, use_ssh_client=where.startswith("ssh://")
    )
    try:
        client.ping()
    except DockerException:
        client.close()
        raise
    except OSError as error:
        client.close()
        raise DockerException(str(error)) from error
    client.api.timeout = USE_LIMIT
    return client


def _unanswered(where: str, error: DockerException) -> SetupError:
    if "Permission" in str(error):
        user = os.environ.get("USER", "$USER")
        fix = f"sudo usermod --append --groups docker {user}, then log in again"
        return SetupError(
            "the Docker engine does not let this user in", where=where, fix=fix, detail=str(error)
        )
    if where != DEFAULT_ADDRESS:
        fix = "start that engine, or unset DOCKER_HOST (or: docker context use default) to use this machine's"
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
