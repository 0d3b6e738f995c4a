"""A real proxy with real releases behind it, on a Docker network of their own."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError, NotFound

from curtainup.platforms.haproxy import config as haproxy
from curtainup.setup.base_images import catalogue, images
from tests.engine.provider.world import World

RELEASES = (1, 2)
SUBNETS = [f"10.93.{number}" for number in range(32)]


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    images.ensure(client, lambda _: None)
    yield client
    client.close()


@pytest.fixture
def variables() -> dict[str, str]:
    """The variables of the proxy's container."""
    return {}


@pytest.fixture(scope="session")
def releases(client: docker.DockerClient) -> Iterator[World]:
    """Two releases, which serve all tests: each puts a proxy of its own before them."""
    prefix = f"cu-proxy-test-{uuid.uuid4().hex[:8]}"
    subnet = create_network(client.api, prefix)
    world = World(client.api, catalogue.REFERENCES["proxy"], prefix, subnet)
    try:
        for number in RELEASES:
            world.start_release(number, Path(__file__).with_name("release.py").read_text())
        yield world
    finally:
        for container in client.containers.list(all=True, filters={"name": prefix}):
            container.remove(force=True)
        client.api.remove_network(prefix)


@pytest.fixture
def world(releases: World, variables: dict[str, str]) -> Iterator[World]:
    for number in RELEASES:
        releases.renew_release(number)
    releases.variables = variables
    try:
        start_proxy(releases)
        yield releases
    finally:
        with suppress(NotFound):
            releases.api.remove_container(releases.proxy, force=True)


def create_network(api: docker.APIClient, name: str) -> str:
    """Take the first subnet that nothing else has; return its first three numbers."""
    for subnet in SUBNETS:
        pool = docker.types.IPAMPool(subnet=f"{subnet}.0/24")
        try:
            api.create_network(name, ipam=docker.types.IPAMConfig(pool_configs=[pool]))
        except APIError as error:
            if "overlap" not in str(error.explanation):
                raise
        else:
            return subnet
    raise RuntimeError("every test subnet is taken")


def start_proxy(world: World) -> None:
    world.proxy_id = world.create(world.proxy, 2)
    config = haproxy.render((), request_timeout=300).encode()
    world.api.put_archive(world.proxy_id, "/etc/curtainup", archive("haproxy.cfg", config))
    world.api.start(world.proxy_id)
    world.wait_for_proxy()


def archive(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def inputs(world: World) -> dict[str, Any]:
    """Two releases, the first of which has all traffic."""
    return world.inputs({"r1": 100, "r2": 0})
