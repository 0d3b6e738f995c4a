"""Two services that come to a Docker host without a door at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest

from curtainup.platforms.caddy import config as caddy
from tests.e2e import acme
from tests.e2e.acme import Acme
from tests.e2e.behind_door import DOMAIN, Shop, lead_here
from tests.e2e.service import Service

HOSTS = (f"one.{DOMAIN}", f"two.{DOMAIN}")
pytestmark = pytest.mark.matrix(
    reason="test_https shows once how a service makes the door and goes behind it"
)


@pytest.fixture
def issuer(tmp_path: Path, docker_client: docker.DockerClient) -> Iterator[Acme]:
    (tmp_path / "acme").mkdir()
    with (
        acme.free_door(docker_client),
        acme.served(tmp_path / "acme", acme.gateway(docker_client)) as served,
    ):
        yield served


@pytest.fixture
def shops(tmp_path: Path, issuer: Acme, service_python: Path) -> Iterator[list[Shop]]:
    """Services that were never deployed, each with a state of its own."""
    made = []
    for host in HOSTS:
        (tmp_path / host).mkdir()
        service = Service(tmp_path / host, "hello", service_python)
        made.append(Shop.of(service, issuer, live_host=host, staging_host=f"staging.{host}"))
    yield made
    for shop in made:
        shop.service.remove()


def test_both_go_behind_the_one_door_that_is_made(
    shops: list[Shop], docker_client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_here(monkeypatch)
    with ThreadPoolExecutor(len(shops)) as pool:
        list(pool.map(Shop.deploy, shops))

    [door] = docker_client.containers.list(all=True, filters={"name": f"^/{caddy.NAME}$"})
    for shop, host in zip(shops, HOSTS, strict=True):
        for name, environment in ((host, "live"), (f"staging.{host}", "staging")):
            answer = shop.get(f"https://{name}/ping")
            assert answer.headers["Curtainup-Release"] == shop.service.serving(environment)
            known = shop.service.state.read(f"{shop.service.name}-{environment}").config
            assert known["curtainup:environment"]["door_name"] == door.labels["curtainup.state"]
