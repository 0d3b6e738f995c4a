"""A service whose Docker host is the second machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.docker_host import DockerHost
from tests.e2e.ready import DOCKERFILE, ready_image
from tests.e2e.second_machine import SecondMachine, running
from tests.e2e.service import Service


@contextmanager
def equipped() -> Iterator[SecondMachine]:
    """Provide a running machine whose engine has the images that a deployment stands on."""
    with running(SecondMachine, with_docker=True) as machine:
        machine.bring([*REFERENCES.values(), ready_image()])
        yield machine


@contextmanager
def placed(
    machine: SecondMachine, folder: Path, python: Path, dockerfile: str | None = DOCKERFILE
) -> Iterator[Service]:
    """Provide a service that is to be deployed there, and answers on all addresses of the machine."""
    one = Service(folder, "hello", python)
    one.host.client.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", machine.engine)
        one.host = DockerHost(one.name)
    one.environ |= machine.environ
    if dockerfile is not None:
        one.write("Dockerfile", dockerfile)
    one.configure(docker_host=machine.docker_host, bind="0.0.0.0")
    try:
        yield one
    finally:
        one.remove()
