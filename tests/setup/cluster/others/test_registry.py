from __future__ import annotations

import time
import urllib.request
import uuid
from collections.abc import Iterator

import docker
import pytest
from docker.errors import NotFound

from curtainup.setup.cluster.others import registry

pytestmark = pytest.mark.docker
ID = "a"


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    owner = f"test-{uuid.uuid4().hex[:6]}"
    monkeypatch.setattr(registry, "_owner", lambda: owner)
    yield registry.ensure(ID)
    registry.sweep(())


def test_it_answers_at_one_address_until_its_cluster_is_gone(address: str) -> None:
    client = docker.from_env()
    try:
        client.containers.get(registry.name(ID)).kill()
        assert registry.ensure(ID) == address, "the names of images hold it"
        assert answers(address)
        registry.sweep({ID})
        client.containers.get(registry.name(ID))
        registry.sweep({"b"})
        with pytest.raises(NotFound):
            client.containers.get(registry.name(ID))
    finally:
        client.close()


def answers(address: str) -> bool:
    """Whether the registry answers, which it does a moment after its start."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 30
    while True:
        try:
            return bool(direct.open(f"http://{address}/v2/", timeout=5).status == 200)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
