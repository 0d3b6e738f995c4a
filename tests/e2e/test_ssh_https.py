"""HTTPS of a Docker host that only SSH reaches: the door is there, and so is what its names lead to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from curtainup.setup.base_images import images
from curtainup.setup.base_images.catalogue import DOOR
from tests.e2e import acme
from tests.e2e.acme import Acme
from tests.e2e.behind_door import DOMAIN, Shop, lead_here
from tests.e2e.distant import equipped, placed
from tests.e2e.second_machine import IS_POSSIBLE, WHY_NOT, SecondMachine

LIVE = f"far.{DOMAIN}"
pytestmark = [
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
    pytest.mark.matrix(
        reason="test_it_goes_live_over_https shows the door, "
        "and test_a_service_goes_live_where_only_ssh_reaches the connection"
    ),
]


@pytest.fixture(scope="module")
def machine() -> Iterator[SecondMachine]:
    """A machine whose engine has the images that a deployment stands on, the door's included."""
    client = docker.from_env()
    images.ensure(client, print, DOOR)
    client.close()
    with equipped() as second:
        second.bring([DOOR.reference])
        yield second


@pytest.fixture(scope="module")
def issuer(machine: SecondMachine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    folder = tmp_path_factory.mktemp("acme")
    with acme.served(folder, machine.address, inside=machine.inside) as served:
        yield served


@pytest.fixture(scope="module")
def shop(
    machine: SecondMachine, issuer: Acme, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Shop]:
    with placed(machine, tmp_path_factory.mktemp("e2e"), service_python) as one:
        yield Shop.of(one, issuer, bind="127.0.0.1", live_host=LIVE)


@pytest.fixture(autouse=True)
def names(machine: SecondMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    lead_here(monkeypatch, machine.address)


def test_a_server_goes_live_over_https(shop: Shop) -> None:
    done = shop.deploy()

    assert done.out.strip() == f"https://{LIVE}"
    answer = shop.get(f"https://{LIVE}/echo")
    assert shop.service.traffic("live") == {answer.headers["Curtainup-Release"]: 100}
    assert answer.json()["scheme"] == "https"


def test_a_change_and_a_rollback_drop_nothing(machine: SecondMachine, shop: Shop) -> None:
    shop.service.greet("again")
    logins = machine.logins()

    with shop.users(LIVE) as answers:
        shop.deploy()
        assert machine.logins() == logins + 1
        shop.service.run("rollback", env=shop.issuer.variables)

    assert answers.failures == []
    assert len(answers.releases) == 2


def test_it_is_gone_when_it_is_destroyed(shop: Shop) -> None:
    told = shop.service.run("destroy", "--confirm", shop.service.name)

    assert "the door of this Docker host stays" in told.err
    assert shop.get(f"http://{LIVE}/", allow_redirects=False).status_code == 404
