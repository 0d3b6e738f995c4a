from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from curtainup.config import ServiceConfig
from curtainup.config.accessories import Accessory as Wanted
from curtainup.environments import accessory_refusals as refusals
from curtainup.errors import RefusedError, SetupError
from curtainup.model.accessories import AccessoriesSettings, Accessory
from curtainup.platforms.docker.labels import ACCESSORY, ENVIRONMENT, SERVICE, STATE
from curtainup.setup.base_images.catalogue import REFERENCES
from tests import docker_engine

pytestmark = pytest.mark.docker
DB = Accessory(name="db", image="postgres:16", volume="/data")


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    with docker_engine.with_images() as found:
        yield found


@pytest.fixture
def name() -> str:
    return f"cu-accessory-test-{uuid.uuid4().hex[:6]}"


def settings(**changed: Any) -> AccessoriesSettings:
    values = {"service": "shop", "environment": "live", "subnet": "10.213.9.0/24", "state": "s1"}
    return AccessoriesSettings(**{**values, **changed})


def test_a_name_that_is_another_s_on_a_network_of_the_releases_is_refused(
    client: docker.DockerClient, name: str
) -> None:
    network = client.networks.create(name)
    other = client.containers.create(REFERENCES["base"], ["sleep", "60"], name=f"{name}-other")
    try:
        network.connect(other, aliases=["db"])
        other.start()
        service = ServiceConfig.model_construct(name="shop")
        config = service.for_environment("live").model_copy(update={"networks": (name,)})
        refusals.require_names(client, config)
        beside = config.model_copy(update={"accessories": {"db": Wanted(image="postgres:16")}})
        with pytest.raises(RefusedError, match=f"{name}-other on the network {name}"):
            refusals.require_names(client, beside)
    finally:
        other.remove(force=True)
        network.remove()


def test_a_volume_of_somebody_else_s_is_refused_and_whose_it_is_told(
    client: docker.DockerClient, name: str
) -> None:
    volume = client.volumes.create(name)
    other = client.containers.create(REFERENCES["base"], name=f"{name}-other", volumes=[f"{name}:/x"])
    try:
        with pytest.raises(RefusedError, match=f"which {name}-other uses"):
            refusals.require_own_volume(client, name, DB, settings())
        refusals.require_own_volume(client, name, DB.model_copy(update={"volume": ""}), settings())
    finally:
        other.remove()
        volume.remove()


def test_a_volume_that_this_state_has_made_for_it_is_taken(client: docker.DockerClient, name: str) -> None:
    refusals.require_own_volume(client, name, DB, None)
    labels = {SERVICE: "shop", ENVIRONMENT: "live", ACCESSORY: "db", STATE: "s1"}
    volume = client.volumes.create(name, labels=labels)
    try:
        refusals.require_own_volume(client, name, DB, settings())
        for other in (None, settings(state="s2")):
            with pytest.raises(RefusedError, match="this state did not make it"):
                refusals.require_own_volume(client, name, DB, other)
    finally:
        volume.remove()


def test_an_image_that_is_not_to_be_had_is_told(client: docker.DockerClient) -> None:
    there = settings(accessories=(DB.model_copy(update={"image": REFERENCES["base"]}),))
    refusals.require_image(client, there, "db", print)
    gone = settings(accessories=(DB.model_copy(update={"image": "127.0.0.1:9/db@sha256:" + "0" * 64}),))
    with pytest.raises(SetupError, match="the image of db is not to be had"):
        refusals.require_image(client, gone, "db", print)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("postgres", ("postgres", "latest")),
        ("postgres:16", ("postgres", "16")),
        ("127.0.0.1:5000/db", ("127.0.0.1:5000/db", "latest")),
        ("127.0.0.1:5000/db:1", ("127.0.0.1:5000/db", "1")),
    ],
)
def test_no_image_is_pulled_with_all_its_tags(image: str, parts: tuple[str, str]) -> None:
    assert refusals._parted(image) == parts
    digest = "sha256:" + "0" * 64
    assert refusals._parted(f"{image}@{digest}") == (image, digest)
