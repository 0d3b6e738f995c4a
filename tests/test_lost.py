"""Whether a release's container and image are there, on a real Docker engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import docker
import pytest
from docker import APIClient

from curtainup import lost
from curtainup.errors import SetupError, UnknownRelease
from curtainup.setup.catalogue import REFERENCES
from tests import samples

pytestmark = pytest.mark.docker
ONE = samples.release(1)


@pytest.fixture
def stack() -> str:
    return f"cu-lost-test-{uuid.uuid4().hex[:6]}-live"


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    yield found
    found.close()


def test_a_container_that_is_there_is_fine_though_it_does_not_run(
    client: docker.DockerClient, stack: str
) -> None:
    made = client.containers.create(REFERENCES["base"], name=f"{stack}-{ONE.id}")
    try:
        lost.require_container(client.api, stack, ONE)
    finally:
        made.remove()


def test_one_whose_image_is_there_can_be_made_again(client: docker.DockerClient, stack: str) -> None:
    one = samples.release(1, image=REFERENCES["base"])
    with pytest.raises(UnknownRelease, match=f"the container of {one.version} is gone$") as caught:
        lost.require_container(client.api, stack, one)
    assert f"curtainup pulumi up --refresh --stack {stack}" in str(caught.value.fix)


def test_one_whose_image_no_registry_gives_cannot(client: docker.DockerClient, stack: str) -> None:
    one = samples.release(1, image=f"127.0.0.1:9/shop@sha256:{1:064x}")
    with pytest.raises(UnknownRelease, match="and so is its image") as caught:
        lost.require_container(client.api, stack, one)
    assert one.image in str(caught.value.where)
    assert "git checkout COMMIT" in str(caught.value.fix)
    assert caught.value.detail, "it says why the registry does not give it"


def test_an_engine_that_does_not_answer_is_no_lost_container(stack: str) -> None:
    api = APIClient("tcp://127.0.0.1:9", version="1.41")
    with pytest.raises(SetupError, match="the Docker engine does not answer"):
        lost.require_container(api, stack, ONE)
    api.close()
