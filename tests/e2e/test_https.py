"""A service behind the door of the Docker host, which gets its certificates from a real ACME server."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest

from curtainup.platforms.caddy import config as caddy
from tests.e2e import acme
from tests.e2e.acme import Acme
from tests.e2e.behind_door import DOMAIN, Shop, lead_here, started
from tests.e2e.service import Service

LIVE, STAGING = f"shop.{DOMAIN}", f"staging.shop.{DOMAIN}"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory, docker_client: docker.DockerClient) -> Iterator[Acme]:
    with (
        acme.free_door(docker_client),
        acme.served(tmp_path_factory.mktemp("acme"), acme.gateway(docker_client)) as served,
    ):
        yield served


@pytest.fixture(scope="module")
def shop(issuer: Acme, service: Service) -> Shop:
    return Shop.of(service, issuer, live_host=LIVE)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    lead_here(monkeypatch)


def test_it_goes_live_over_https(shop: Shop) -> None:
    previewed = shop.service.run("preview", code=2, env=shop.issuer.variables).out
    done = shop.deploy()

    assert "the Docker host gets its door" in previewed
    assert done.out.strip() == f"https://{LIVE}"
    answer = shop.get(f"https://{LIVE}/ping")
    assert answer.headers["Curtainup-Release"] == shop.service.serving("live")
    assert shop.service.status("live")["url"] == f"https://{LIVE}"


def test_plain_http_leads_to_https(shop: Shop) -> None:
    answer = shop.get(f"http://{LIVE}/echo?a=b", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://{LIVE}/echo?a=b")
    assert shop.get(f"http://{STAGING}/", allow_redirects=False).status_code == 404


def test_the_service_knows_who_asks_and_how(shop: Shop) -> None:
    forged = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.test"}
    told = shop.get(f"https://{LIVE}/echo", headers=forged).json()
    assert told["scheme"] == "https"
    assert told["headers"]["Host"] == told["headers"]["X-Forwarded-Host"] == LIVE
    assert "192.0.2.66" not in told["headers"]["X-Forwarded-For"]
    assert "," not in told["headers"]["X-Forwarded-For"]


def test_a_change_and_another_name_drop_nothing(shop: Shop, docker_client: docker.DockerClient) -> None:
    containers = (caddy.NAME, f"{shop.service.name}-live-proxy", f"{shop.service.name}-staging-proxy")
    before = [started(docker_client, one) for one in containers]

    with shop.users(LIVE) as answers:
        shop.service.greet("again")
        shop.service.configure(staging_host=STAGING)
        shop.deploy()
        assert shop.get(f"https://{STAGING}/ping").status_code == 200
        shop.service.run("destroy", "--env", "staging")

    assert answers.failures == []
    assert len(answers.releases) == 2
    assert [started(docker_client, one) for one in containers[:2]] == before[:2]
    assert shop.get(f"https://{STAGING}/ping").status_code == 404
