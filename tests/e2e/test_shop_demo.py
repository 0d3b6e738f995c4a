"""`make demo-shop` on a Docker host: to its end, and once more."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.e2e.service import Service
from tests.e2e.shops import Shop, shop_python

__all__ = ["shop_python"]

pytestmark = pytest.mark.matrix(
    reason="test_an_order_goes_through_all_of_it shows the shop, and tests/shop_demo what the demo chooses"
)


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, shop_python: Path, docker_client: docker.DockerClient
) -> Iterator[Shop]:
    one = Shop(tmp_path_factory.mktemp("e2e"), shop_python, docker_client)
    one.environ = {name: value for name, value in one.environ.items() if name not in SECRETS}
    yield one
    one.environ |= dict.fromkeys(SECRETS, "not needed to remove it")
    one.remove()


SECRETS = ("POSTGRES_PASSWORD", "SHOP_SECRET_KEY")
"""The demo makes them by itself."""


def shown(service: Service) -> tuple[str, str]:
    """Run the demo; what it prints on both streams."""
    command = [sys.executable, "-m", "shop_demo", "--target", "docker", str(service.folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=service.variables())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_it_takes_the_shop_live_and_says_how_to_go_on(shop: Shop) -> None:
    url, said = shown(shop)

    assert url == shop.url("live")
    shop.packed(shop.order())
    commands = [line.partition(": curtainup ")[2] for line in said.splitlines() if ": curtainup " in line]
    status, deploy = (shlex.split(one) for one in commands)
    told = shop.run(*status).out
    for line in ("accessory db", "accessory cache", "process worker.1  running", "schedule resend"):
        assert line in told
    assert "unchanged" in shop.run(*deploy).err

    again, said = shown(shop)

    assert (again, "unchanged" in said) == (url, True)
