"""examples/shop for tests: the Python that its tests need, and a service with its own database and queue."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import docker
import pytest

from shop_demo import docker_host, images
from tests.e2e.service import EXAMPLES, PATIENCE, Service, session
from tests.interpreters import python_with

EXAMPLE = EXAMPLES / "shop"


@pytest.fixture(scope="session")
def shop_python() -> Path:
    """A Python with what the tests of `shop` import: the example's own, else one that is made once."""
    own = EXAMPLE / ".venv" / "bin" / "python"
    if own.is_file():
        return own
    wanted = b"".join(file.read_bytes() for file in sorted(EXAMPLE.glob("requirements*.txt")))
    return python_with("-r", str(EXAMPLE / "requirements-test.txt"), made_for=wanted)


class Shop(Service):
    """The shop under a name of its own, with the images of PostgreSQL and Redis that this machine has."""

    def __init__(self, folder: Path, python: Path, client: docker.DockerClient) -> None:
        super().__init__(folder, "shop", python)
        self.environ |= {"POSTGRES_PASSWORD": "curtain call", "SHOP_SECRET_KEY": "break a leg"}
        found = {name: images.reference(client, part, print) for name, part in images.ACCESSORIES.items()}
        self.configure(accessories=docker_host.with_images(self.config, found)["accessories"])

    def order(self, environment: str = "live", **more: Any) -> dict[str, Any]:
        """Order a poster; what is told of the order at once."""
        wanted = {"product": 2, "count": 1, **more}
        with session() as direct:
            answer = direct.post(f"{self.url(environment)}/api/orders", json=wanted, timeout=60)
        assert answer.status_code == 201, answer.text
        return self._object(answer.json())

    def told(self, order: dict[str, Any], environment: str = "live") -> dict[str, Any]:
        """What is told of an order now."""
        return self._object(self.get(environment, f"/api/orders/{order['id']}").json())

    def packed(self, order: dict[str, Any], environment: str = "live") -> dict[str, Any]:
        """What is told of an order once a worker has packed it."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.told(order, environment))["state"] == "placed":
            assert time.monotonic() < deadline, "no worker has packed it"
            time.sleep(0.1)
        assert found["state"] == "packed"
        return found

    def asked(self, query: str, environment: str = "live") -> list[str]:
        """The rows that the environment's PostgreSQL itself gives."""
        psql = ["psql", "--username", "shop", "--tuples-only", "--no-align", "--command", query]
        return self._beside("db", environment, psql)

    def cached(self, environment: str = "live") -> list[str]:
        """The keys that the environment's Redis itself has."""
        return self._beside("cache", environment, ["redis-cli", "--raw", "KEYS", "*"])

    def _beside(self, accessory: str, environment: str, command: list[str]) -> list[str]:
        container = self.host.client.containers.get(f"{self.name}-{environment}-{accessory}")
        done = container.exec_run(command)
        assert isinstance(done.output, bytes)
        assert done.exit_code == 0, done.output
        return done.output.decode().splitlines()

    @staticmethod
    def _object(found: Any) -> dict[str, Any]:
        assert isinstance(found, dict)
        return found

    def version(self, environment: str = "live") -> str:
        """The version that answers."""
        return str(self.get(environment, "/version").json()["version"])

    def remove(self) -> None:
        """Destroy it; its accessories, which stay then, go by force (the proper way: test_accessories)."""
        try:
            if self.state.stacks():
                self.run("destroy", "--confirm", self.name)
            left = [one for one in self.host.containers() if not one.endswith(("-db", "-cache"))]
        finally:
            self.host.remove_everything()
        assert not left, f"destroy has left {left}"
