"""A database beside the releases of a Docker host that only SSH reaches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from shop_demo import images
from tests.e2e.distant import equipped, placed
from tests.e2e.second_machine import IS_POSSIBLE, WHY_NOT, SecondMachine
from tests.e2e.service import Service

pytestmark = [
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
    pytest.mark.matrix(reason="test_an_accessory_s_data_outlives_releases shows accessories once"),
]
ASK = ["psql", "--username", "postgres", "--tuples-only", "--no-align", "--command"]


@pytest.fixture(scope="module")
def machine(docker_client: docker.DockerClient) -> Iterator[SecondMachine]:
    image = images.built(docker_client, images.POSTGRES, print)
    with equipped() as second:
        second.bring([image])
        yield second


@pytest.fixture(scope="module")
def service(
    machine: SecondMachine, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Service]:
    with placed(machine, tmp_path_factory.mktemp("e2e"), service_python) as one:
        one.environ["POSTGRES_PASSWORD"] = "curtain call"
        database = {
            "image": images.POSTGRES.built,
            "volume": "/var/lib/postgresql/data",
            "env_secrets": ["POSTGRES_PASSWORD"],
            "health": "pg_isready --username postgres",
            "backup": "pg_dump --username postgres --inserts postgres",
        }
        one.configure(accessories={"db": database})
        yield one


def test_a_database_on_the_host_outlives_releases_and_is_backed_up_from_here(service: Service) -> None:
    service.deploy()
    made = service.host.inspect(f"{service.name}-live-db")["Id"]
    service.run("accessory", "exec", "db", "--", *ASK, "CREATE TABLE visits AS SELECT 1 AS number")

    service.greet("second")
    service.deploy()

    assert service.host.inspect(f"{service.name}-live-db")["Id"] == made
    found = service.run("exec", "--", "python3", "-c", "import socket; print(socket.gethostbyname('db'))")
    assert found.out.strip(), "a release finds it by its name"
    assert "INSERT INTO public.visits" in service.run("accessory", "backup", "db").out
    service.run("accessory", "restart", "db")
    assert service.run("accessory", "exec", "db", "--", *ASK, "SELECT number FROM visits").out == "1\n"


def test_it_stays_until_it_is_named(service: Service) -> None:
    assert "accessory remove db --env live" in service.run("destroy", "--confirm", service.name).err
    for one in ("staging", "live"):
        service.run("accessory", "remove", "db", "--env", one, "--confirm", "db")
    assert service.host.containers() == []
