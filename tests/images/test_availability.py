"""Whether a release's container and image are there, on a real Docker engine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker import APIClient
from docker.models.containers import Container

from curtainup.errors import SetupError, UnknownRelease
from curtainup.images import availability as image_availability
from curtainup.images import stack as image_stack
from curtainup.model.contract import ImageSettings
from curtainup.rehearsal.containers import archive, free_port
from curtainup.setup.catalogue import REFERENCES
from curtainup.targets.docker import availability
from tests import samples
from tests.sessions import World, world

pytestmark = pytest.mark.docker
ONE = samples.release(1)
PATIENCE = 120.0


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
        availability.require_container(client.api, stack, ONE)
    finally:
        made.remove()


def test_one_whose_image_is_there_can_be_made_again(client: docker.DockerClient, stack: str) -> None:
    one = samples.release(1, image=REFERENCES["base"])
    with pytest.raises(UnknownRelease, match=f"the container of {one.version} is gone$") as caught:
        availability.require_container(client.api, stack, one)
    assert f"curtainup pulumi up --refresh --stack {stack}" in str(caught.value.fix)


def test_one_whose_image_no_registry_gives_cannot(client: docker.DockerClient, stack: str) -> None:
    one = samples.release(1, image=f"127.0.0.1:9/shop@sha256:{1:064x}")
    with pytest.raises(UnknownRelease, match="and so is its image") as caught:
        availability.require_container(client.api, stack, one)
    assert one.image in str(caught.value.where)
    assert "git checkout COMMIT" in str(caught.value.fix)
    assert caught.value.detail, "it says why the registry does not give it"


def test_an_engine_that_does_not_answer_is_no_lost_container(stack: str) -> None:
    api = APIClient("tcp://127.0.0.1:9", version="1.41")
    with pytest.raises(SetupError, match="the Docker engine does not answer"):
        availability.require_container(api, stack, ONE)
    api.close()


@pytest.fixture
def shop(tmp_path: Path) -> World:
    return world(tmp_path)


@pytest.fixture
def registry(client: docker.DockerClient, stack: str) -> Iterator[Container]:
    """A registry of the test's own on a loopback port."""
    made = client.containers.run(
        REFERENCES["registry"],
        name=f"{stack}-registry",
        ports={"5000/tcp": ("127.0.0.1", free_port())},
        detach=True,
    )
    yield made
    made.remove(force=True, v=True)


def _pushed(client: docker.DockerClient, registry: Container) -> tuple[str, str]:
    """Push an image of one file; return the registry's host and the image by its digest."""
    registry.reload()
    [bound] = registry.attrs["NetworkSettings"]["Ports"]["5000/tcp"]
    host = f"127.0.0.1:{bound['HostPort']}"
    client.api.import_image_from_data(archive("file", b"text"), repository=f"{host}/shop", tag="v1")
    end = time.monotonic() + PATIENCE
    while "digest" not in (told := client.images.push(f"{host}/shop", "v1")):
        assert time.monotonic() < end, told
        time.sleep(0.05)
    digest = client.api.inspect_distribution(f"{host}/shop:v1")["Descriptor"]["digest"]  # type: ignore[no-untyped-call]
    client.images.remove(f"{host}/shop:v1")
    return host, f"{host}/shop@{digest}"


def _built(shop: World, host: str) -> None:
    """Have the service's image stack remember that registry."""
    image = ImageSettings(
        service="shop",
        repository=f"{host}/shop",
        version="v1",
        revision="b3548e",
        tree="t",
        context="/nowhere",
        dockerfile="Dockerfile",
        log="/nowhere/log",
        push=True,
    )
    config = {"service": "shop", "image": image.model_dump(), "registry": {"kind": "given", "host": host}}
    shop.engine.up("shop-image", config)
    assert image_stack.registry(shop.session) is not None


def test_an_image_that_a_release_is_to_be_made_from_again_is_looked_for_in_its_registry(
    client: docker.DockerClient, registry: Container, shop: World
) -> None:
    host, image = _pushed(client, registry)
    _built(shop, host)
    image_availability.require_image(shop.session, samples.release(1, image=image))
    gone = f"{host}/shop@sha256:{1:064x}"
    with pytest.raises(UnknownRelease, match="is gone from its registry") as caught:
        image_availability.require_image(shop.session, samples.release(1, image=gone))
    assert caught.value.where == gone
    shop.session.accounts.docker.close()


def test_what_cannot_be_asked_is_left_to_whoever_makes_it_again(shop: World) -> None:
    one = samples.release(1, image=f"127.0.0.1:9/shop@sha256:{1:064x}")
    image_availability.require_image(shop.session, one)
    _built(shop, "127.0.0.1:9")
    image_availability.require_image(shop.session, one)
    shop.session.accounts.docker.close()
