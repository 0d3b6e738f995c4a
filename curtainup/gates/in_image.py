"""Runs pytest in the service's built image, for services that have no Python on this machine.

The container uses the host's network, so that it reaches releases on their loopback ports. curtainup always
removes it. The tests stand beside the service's files, as they do in the source.
"""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import docker
from docker.client import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from curtainup.gates.arguments import ACCEPTANCE_TESTS
from curtainup.gates.interpreter import THREE_WAYS
from curtainup.gates.lending import command
from curtainup.gates.models import GateRequest, ImageInterpreter, UnitTestRequest
from curtainup.gates.variables import ACCEPTANCE, image_variables
from curtainup.platforms.docker import confinement, errors
from curtainup.platforms.docker.output import follow
from curtainup.setup.paths import program_dir
from curtainup.util.process import GRACE, MOST_REPORT, Cancel, Finished

FOLDER = PurePosixPath("/curtainup")  # curtainup's own folder in the container
REPORT = FOLDER / "junit.xml"
LENT = FOLDER / "packages"
NOT_LENT = {"__pycache__", "pip"}
TESTS_NEED = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
"""The capabilities of the tests, which run as root beside files of the image's own user."""
SETTINGS = ("conftest.py", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


def run(
    request: UnitTestRequest,
    image: str,
    arguments: Callable[[PurePosixPath, str], Sequence[str]],
    *,
    on_line: Callable[[str], None],
    cancel: Cancel,
) -> Finished:
    """Run pytest in a container of `image` until it ends or has to stop.

    Args:
        request: the suite.
        image: an image that the Docker engine has.
        arguments: builds pytest's arguments from two paths in the container: curtainup's `acceptance/` folder
            and the report.
        on_line: receives each line that pytest writes to standard output or standard error.
        cancel: stops pytest when set.

    Raises:
        SetupError: the Docker engine or the image is missing, or the image contains no Python.

    """
    with (
        errors.translated(
            "the service's tests could not run in its image",
            where=image,
            consequence="nothing was tested, so nothing was deployed",
            fix=THREE_WAYS,
        ),
        contextlib.closing(
            docker.from_env(environment={**os.environ, **request.engine}, use_ssh_client=True)
        ) as client,
        _container(client, request, image, arguments(FOLDER / ACCEPTANCE, str(REPORT))) as container,
    ):
        container.start()
        ended = follow(
            container,
            timeout=request.timeout,
            on_line=on_line,
            cancel=cancel,
            stop=partial(_interrupt, container),
        )
        status = int(container.wait()["StatusCode"])
        return Finished(status, ended, _fetch_report(container))


@contextmanager
def _container(
    client: DockerClient, request: UnitTestRequest, image: str, arguments: Sequence[str]
) -> Iterator[Container]:
    """Create a container that holds the tests; it is not started yet."""
    settings: dict[str, Any] = client.images.get(image).attrs["Config"]
    home = _home(settings.get("WorkingDir"))
    own = dict(entry.split("=", 1) for entry in settings.get("Env") or [])
    python, *pytest = command("python3", LENT if _lent(request) else None)
    container = client.containers.create(
        image,
        entrypoint=[python],
        command=[*pytest, *arguments],
        working_dir=str(home),
        user="root",
        network_mode="host",
        environment=image_variables(request, own, str(FOLDER / ACCEPTANCE)),
        labels={"curtainup.service": request.service, **request.marks, "curtainup.role": "tests"},
        healthcheck={"test": ["NONE"]},
        **confinement.confined(TESTS_NEED),
    )
    try:
        container.put_archive("/", _pack(request, home))
        yield container
    finally:
        container.remove(force=True, v=True)


def _home(working_dir: str | None) -> PurePosixPath:
    """Return the image's working directory, or a folder of curtainup's own if that is the root folder."""
    return PurePosixPath(working_dir) if working_dir and working_dir != "/" else FOLDER / "service"


def _pack(request: UnitTestRequest, home: PurePosixPath) -> bytes:
    """Pack the tests, pytest's settings, what is lent and, for a gate, our own suite, for `/`."""
    is_gate = isinstance(request, GateRequest)
    tests = (ACCEPTANCE_TESTS,) if is_gate else request.tests
    sources = [(request.service_dir / name, home / name) for name in (*tests, *SETTINGS)]
    if lent := _lent(request):
        sources += [(one, LENT / one.name) for one in lent.iterdir() if one.name not in NOT_LENT]
    if is_gate:
        sources.append((program_dir() / ACCEPTANCE, FOLDER / ACCEPTANCE))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for source, place in sources:
            if source.exists():
                archive.add(source, str(place.relative_to("/")), filter=_as_roots)
    return packed.getvalue()


def _lent(request: UnitTestRequest) -> Path | None:
    return request.interpreter.lent if isinstance(request.interpreter, ImageInterpreter) else None


def _as_roots(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if "__pycache__" in PurePosixPath(member.name).parts:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _interrupt(container: Container, done: threading.Event) -> None:
    """Send SIGINT, so that pytest writes its report; send SIGKILL if pytest does not end."""
    _kill(container, "SIGINT")
    if not done.wait(GRACE):
        _kill(container, "SIGKILL")


def _kill(container: Container, signal: str) -> None:
    with contextlib.suppress(APIError):  # the container has just ended by itself
        container.kill(signal)


def _fetch_report(container: Container) -> bytes:
    """Return the JUnit file; empty if pytest has not written one, or one that is too large."""
    try:
        chunks, _ = container.get_archive(str(REPORT))
    except NotFound:
        return b""
    packed = bytearray()
    for chunk in chunks:
        packed += chunk
        if len(packed) > MOST_REPORT:
            return b""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            member = archive.extractfile(REPORT.name)
            return member.read() if member else b""
    except (tarfile.TarError, KeyError):
        return b""
