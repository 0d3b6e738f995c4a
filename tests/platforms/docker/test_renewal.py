"""A release that ended until its tasks had run is started anew, and then judged as if it never had."""

from __future__ import annotations

import io
import tarfile
import time
import uuid
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container as DockerContainer

from curtainup.errors import ReleaseUnhealthy
from curtainup.platforms.docker.container import Container
from curtainup.setup.base_images.catalogue import REFERENCES
from tests import docker_engine

pytestmark = pytest.mark.docker
PATIENCE = 120


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    with docker_engine.with_images() as found:
        yield found


@pytest.fixture
def waiting(client: docker.DockerClient) -> Iterator[DockerContainer]:
    """A container that ends until /ready is there."""
    made = client.containers.run(
        REFERENCES["base"],
        ["sh", "-c", "test -e /ready && sleep 600"],
        name=f"cu-tasks-test-{uuid.uuid4().hex[:6]}",
        detach=True,
        restart_policy={"Name": "always"},
        stop_signal="SIGKILL",  # it would wait for the end of its sleep
    )
    yield made
    made.remove(force=True)


def make_ready(container: DockerContainer) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("ready"))
    container.put_archive("/", packed.getvalue())


def restarts(container: DockerContainer) -> int:
    container.reload()
    return int(container.attrs["RestartCount"])


def test_one_that_has_ended_is_started_anew(client: docker.DockerClient, waiting: DockerContainer) -> None:
    release = Container(lambda: client, str(waiting.name), 8080)
    deadline = time.monotonic() + PATIENCE
    while not restarts(waiting):
        assert time.monotonic() < deadline, "Docker does not start it again"
    with pytest.raises(ReleaseUnhealthy):
        release.raise_if_down()
    make_ready(waiting)

    release.renew()

    assert restarts(waiting) == 0
    assert waiting.status == "running"
    release.raise_if_down()


def test_one_that_runs_goes_on(client: docker.DockerClient, waiting: DockerContainer) -> None:
    release = Container(lambda: client, str(waiting.name), 8080)
    make_ready(waiting)
    release.renew()
    waiting.reload()
    started = waiting.attrs["State"]["StartedAt"]

    release.renew()

    waiting.reload()
    assert waiting.attrs["State"]["StartedAt"] == started


def test_one_that_is_gone_is_told_by_who_waits_for_it(client: docker.DockerClient) -> None:
    Container(lambda: client, "cu-tasks-test-none", 8080).renew()
