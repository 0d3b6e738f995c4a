"""The Docker engine of this machine, for tests of what runs on one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.types import IPAMConfig, IPAMPool

from curtainup.platforms.docker import placement
from curtainup.setup.base_images import images
from curtainup.targets.docker.tasks import Place
from tests import samples


@contextmanager
def with_images() -> Iterator[docker.DockerClient]:
    """Give a client of the engine, which has the base images."""
    found = docker.from_env()
    images.ensure(found, print)
    yield found
    found.close()


@contextmanager
def place(client: docker.DockerClient, named: str, run: str = "") -> Iterator[Place]:
    """Give an environment with a network of its own, and no release yet."""
    stack = f"{named}-{uuid.uuid4().hex[:6]}"
    taken = [pool["Subnet"] for one in client.networks.list() for pool in one.attrs["IPAM"]["Config"] or []]
    subnet = placement.subnet(stack, taken)
    network = client.networks.create(stack, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)]))
    yield Place.of(stack, samples.environment(service=stack, subnet=subnet), run)
    network.remove()
