from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from curtainup.config import EnvironmentConfig, ServiceConfig
from curtainup.errors import RefusedError, SetupError
from curtainup.platforms.docker import surroundings
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.docker import beside
from tests import docker_engine, samples

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    with docker_engine.with_images() as found:
        yield found


@pytest.fixture
def name() -> str:
    return f"cu-beside-test-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def volume(client: docker.DockerClient, name: str) -> Iterator[str]:
    made = client.volumes.create(name)
    yield name
    made.remove()


def config(service: str = "shop", **changed: Any) -> EnvironmentConfig:
    found = ServiceConfig.model_construct(name=service).for_environment("live")
    return found.model_copy(update=changed)


def test_a_network_that_is_not_there_is_told_with_the_command_that_makes_it(
    client: docker.DockerClient, name: str
) -> None:
    with pytest.raises(SetupError, match=f"has no network {name}") as caught:
        beside.require(client, config(networks=(name,)))
    assert caught.value.fix == f"on the host: docker network create {name}"


def test_the_environment_s_own_network_is_refused(client: docker.DockerClient) -> None:
    with pytest.raises(RefusedError, match="own network"):
        beside.require(client, config(networks=("shop-live",)))


def test_a_volume_that_is_not_there_is_told_with_the_command_that_makes_it(
    client: docker.DockerClient, name: str
) -> None:
    with pytest.raises(SetupError, match=f"has no volume {name}") as caught:
        beside.require(client, config(volumes=(f"{name}:/data",)))
    assert caught.value.fix == f"on the host: docker volume create {name}"


def test_a_folder_that_is_not_there_is_told(client: docker.DockerClient, tmp_path: Path) -> None:
    beside.require(client, config(volumes=(f"{tmp_path}:/data",)))
    with pytest.raises(SetupError, match="/missing"):
        beside.require(client, config(volumes=(f"{tmp_path}/missing:/data",)))


@pytest.mark.parametrize(
    ("ours", "theirs", "refused"), [("", "", True), (":ro", "", False), ("", ":ro", False)]
)
def test_two_environments_never_write_to_one_volume(
    client: docker.DockerClient, volume: str, ours: str, theirs: str, *, refused: bool
) -> None:
    labels = {"curtainup.service": volume, "curtainup.environment": "staging"}
    other = client.containers.create(
        REFERENCES["base"], name=f"{volume}-other", labels=labels, volumes=[f"{volume}:/x{theirs}"]
    )
    wanted = config(volume, volumes=(f"{volume}:/data{ours}",))
    try:
        if not refused:
            beside.require(client, wanted)
            return
        with pytest.raises(RefusedError, match=f"the container {volume}-other writes to it"):
            beside.require(client, wanted)
        beside.require(client, wanted.model_copy(update={"environment": "staging"}))
    finally:
        other.remove(force=True)


def test_a_trial_writes_to_no_volume_of_anybody_s(client: docker.DockerClient, volume: str) -> None:
    settings = samples.SETTINGS.model_copy(
        update={"volumes": (f"{volume}:/data", f"{volume}:/seen:ro"), "host_gateway": True}
    )
    script = "import socket; open('/data/x', 'w'); print(socket.gethostbyname('host.docker.internal'))"
    made = client.containers.create(
        REFERENCES["base"], ["python3", "-c", script], **surroundings.options(settings, trial=True)
    )
    try:
        made.start()
        assert made.wait()["StatusCode"] == 0, made.logs()
        made.reload()
        found = {one["Destination"]: one for one in made.attrs["Mounts"]}
        assert found["/data"]["Name"] != volume == found["/seen"]["Name"]
        assert not found["/seen"]["RW"]
    finally:
        made.remove(force=True, v=True)


def test_a_container_finds_others_by_name_on_the_networks_it_joins(
    client: docker.DockerClient, name: str
) -> None:
    network = client.networks.create(name)
    other = client.containers.create(REFERENCES["base"], ["sleep", "60"], name=f"{name}-db", network=name)
    look = f"import socket; socket.gethostbyname('{name}-db')"
    made = client.containers.create(REFERENCES["base"], ["python3", "-c", look])
    try:
        other.start()
        surroundings.join(client.api, str(made.id), [name])
        made.start()
        assert made.wait()["StatusCode"] == 0, made.logs()
    finally:
        for one in (made, other):
            one.remove(force=True)
        network.remove()
