"""Releases reach what is beside them on the Docker host: another network, a volume, and the host itself."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.service import Service

pytestmark = pytest.mark.matrix(
    reason="test_an_accessory_s_data_outlives_releases shows releases on a further network once"
)
LOOK = """
import pathlib, socket
@app.route("/beside")
def beside():
    pathlib.Path("/data/visits").open("a").write("x")
    hosts = [socket.gethostbyname(name) for name in ("NEIGHBOUR", "host.docker.internal")]
    return jsonify(hosts=hosts, visits=len(pathlib.Path("/data/visits").read_text()))
"""


@pytest.fixture(scope="module")
def names(service: Service) -> dict[str, str]:
    return {kind: f"{service.name}-{kind}" for kind in ("shared", "neighbour", "s-files", "l-files")}


@pytest.fixture(scope="module")
def around(service: Service, names: dict[str, str], docker_client: docker.DockerClient) -> Iterator[None]:
    """A network of the host with somebody on it, and a volume for each environment."""
    network = docker_client.networks.create(names["shared"])
    somebody = docker_client.containers.run(
        REFERENCES["base"], ["sleep", "3600"], name=names["neighbour"], network=names["shared"], detach=True
    )
    volumes = [docker_client.volumes.create(names[one]) for one in ("s-files", "l-files")]
    for volume in volumes:
        docker_client.containers.run(
            REFERENCES["base"], ["chmod", "777", "/data"], volumes=[f"{volume.name}:/data"], remove=True
        )
    yield
    service.remove()
    somebody.remove(force=True)
    network.remove()
    for volume in volumes:
        volume.remove()


def test_what_is_missing_is_told_before_the_build(service: Service, names: dict[str, str]) -> None:
    server = (service.folder / "server.py").read_text()
    service.write("server.py", server + LOOK.replace("NEIGHBOUR", names["neighbour"]))
    service.configure(
        networks=[names["shared"]],
        host_gateway=True,
        environments={
            "staging": {"volumes": [f"{names['s-files']}:/data"]},
            "live": {"volumes": [f"{names['l-files']}:/data"]},
        },
    )
    done = service.deploy(code=5)
    assert f"docker network create {names['shared']}" in done.err
    assert "build" not in {step.name for step in service.last_run().steps}


@pytest.mark.usefixtures("around")
def test_releases_reach_a_network_a_volume_and_the_host(service: Service) -> None:
    service.deploy()
    first = service.get("live", "/beside").json()
    assert len(first["hosts"]) == 2
    assert service.get("staging", "/beside").json()["visits"] == 1, "staging has a volume of its own"

    service.greet("second")
    service.deploy()
    assert service.get("live", "/beside").json() == {**first, "visits": first["visits"] + 1}


@pytest.mark.usefixtures("around")
def test_nothing_of_it_looks_changed_afterwards(service: Service) -> None:
    service.run("preview")
    stack = f"{service.name}-live"
    service.run("pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", stack)
