from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from curtainup.engine.aftermath import strays
from curtainup.engine.aftermath.strays import Scope
from curtainup.errors import RefusedError
from curtainup.platforms.docker.labels import ACCESSORY, ENVIRONMENT, RUN, SERVICE, STATE
from curtainup.setup.base_images.catalogue import REFERENCES

SCOPE = Scope(f"cu-strays-{os.getpid()}", "staging", "our-state")
SCOPE_PARTS = (SCOPE.service, "staging", "our-state")
LABELS = {SERVICE: SCOPE.service, ENVIRONMENT: "staging"}
OWN = {**LABELS, STATE: "our-state"}


def test_a_stack_s_configuration_tells_what_it_holds_on_a_docker_host() -> None:
    environment = {"target": "docker", "service": "shop", "name": "live", "state": "s1"}
    assert strays.scope_of({"curtainup:environment": environment}) == Scope("shop", "live", "s1")
    image: dict[str, Any] = {"service": "shop", "registry": {"kind": "local", "state": "s2"}}
    assert strays.scope_of(image) == Scope("shop", None, "s2")
    beside = {"service": "shop", "environment": "live", "state": "s3"}
    assert strays.scope_of({"accessories": beside}) == Scope("shop", "live", "s3", accessories=True)
    assert strays.scope_of({"environment": {**environment, "target": "gcp-cloud-run"}}) is None
    assert strays.scope_of({"service": "shop", "registry": {"kind": "given"}}) is None
    assert strays.scope_of({}) is None


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    yield found
    found.close()


Make = Callable[..., Container]


@pytest.fixture
def make(client: docker.DockerClient) -> Iterator[Make]:
    """Makes containers with labels."""
    made: list[Container] = []

    def one(name: str, labels: dict[str, str], **more: Any) -> Container:
        made.append(client.containers.create(REFERENCES["base"], ["true"], name=name, labels=labels, **more))
        return made[-1]

    yield one
    for left in client.containers.list(all=True, filters={"label": f"{SERVICE}={SCOPE.service}"}):
        left.remove(force=True)


@pytest.mark.docker
def test_only_what_is_of_this_state_and_not_in_it_is_removed(client: docker.DockerClient, make: Make) -> None:
    stray, known = make("cu-strays-stray", OWN), make("cu-strays-known", OWN)
    make("cu-strays-live", {**OWN, ENVIRONMENT: "live"})
    make("cu-strays-task", {**OWN, "curtainup.task": "migrate"})
    make("cu-strays-local", {**OWN, RUN: "r1"})
    make("cu-strays-theirs", {**LABELS, STATE: "their-state"})
    make("cu-strays-older", LABELS)
    found = strays.find(client, SCOPE, [{"id": known.id}])
    assert {one.name: one.is_own for one in found} == {
        "cu-strays-stray": True,
        "cu-strays-theirs": False,
        "cu-strays-older": False,
    }
    notes: list[str] = []
    strays.remove(client, found, notes.append)
    assert notes == ["removed cu-strays-stray, which a run that was cut off had created"]
    assert stray.id not in {one.id for one in client.containers.list(all=True, ignore_removed=True)}
    assert len(strays.find(client, SCOPE, [{"id": known.id}])) == 2


@pytest.mark.docker
def test_what_is_older_than_the_label_is_own_on_a_network_of_the_state(
    client: docker.DockerClient, make: Make
) -> None:
    network = client.networks.create("cu-strays-network", labels=OWN)
    try:
        make("cu-strays-beside", LABELS, network="cu-strays-network")
        resource = {"type": strays.NETWORK, "id": network.id, "outputs": {"name": "cu-strays-network"}}
        [container] = strays.find(client, SCOPE, [resource])
        assert container.is_own
        assert [one.kind for one in strays.find(client, SCOPE, [])] == [strays.CONTAINER, strays.NETWORK]
    finally:
        for left in client.containers.list(all=True, filters={"name": "cu-strays-beside"}):
            left.remove(force=True)
        network.remove()


@pytest.mark.docker
def test_what_another_state_knows_is_in_the_way(client: docker.DockerClient, make: Make) -> None:
    make("cu-strays-theirs", {**LABELS, STATE: "their-state"})
    with pytest.raises(RefusedError, match="belongs to another state") as caught:
        strays.require_own(SCOPE, strays.find(client, SCOPE, []))
    assert caught.value.where == "cu-strays-theirs"
    assert "docker rm" not in str(caught.value.fix)


@pytest.mark.docker
def test_a_registry_is_found_apart_from_the_environments(client: docker.DockerClient, make: Make) -> None:
    make("cu-strays-live", {**OWN, ENVIRONMENT: "live"})
    make("cu-strays-of-its-image", {SERVICE: SCOPE.service})
    name = f"{SCOPE.service}-registry"
    make(name, {SERVICE: SCOPE.service, STATE: "registry"})
    found = strays.find(client, Scope(SCOPE.service, None, "registry"), [])
    assert [(one.name, one.is_own) for one in found] == [(name, True)]


@pytest.mark.docker
def test_what_is_beside_releases_is_no_stray_of_theirs_nor_the_other_way_round(
    client: docker.DockerClient, make: Make
) -> None:
    beside = make("cu-strays-beside", {**OWN, ACCESSORY: "db"})
    release = make("cu-strays-release", OWN)
    accessories = Scope(*SCOPE_PARTS, accessories=True)
    assert [one.id for one in strays.find(client, SCOPE, ())] == [release.id]
    assert [one.id for one in strays.find(client, accessories, ())] == [beside.id]


@pytest.mark.docker
def test_a_volume_that_may_hold_data_is_never_a_stray(client: docker.DockerClient) -> None:
    volume = client.volumes.create("cu-strays-data", labels={**OWN, ACCESSORY: "db"})
    try:
        assert strays.find(client, SCOPE, ()) == []
        assert strays.find(client, Scope(*SCOPE_PARTS, accessories=True), ()) == []
    finally:
        volume.remove()
