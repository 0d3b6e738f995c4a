"""Images for a cluster of this machine go to its registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import requests
from docker.errors import ImageNotFound

from curtainup.errors import SetupError
from curtainup.setup.base_images import images as base
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.setup.cluster.models import Cluster
from shop_demo import cluster_data
from shop_demo.images import POSTGRES, REDIS

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    base.ensure(found, print)
    yield found
    found.close()


@pytest.fixture
def registry(client: docker.DockerClient) -> Iterator[str]:
    container = client.containers.run(
        REFERENCES["registry"], detach=True, auto_remove=True, ports={"5000/tcp": ("127.0.0.1", 0)}
    )
    bound = client.api.inspect_container(str(container.id))["NetworkSettings"]["Ports"]["5000/tcp"]
    yield f"127.0.0.1:{bound[0]['HostPort']}"
    container.remove(force=True, v=True)


def of(folder: Path) -> Cluster:
    return Cluster("kubeconfig", "curtainup", None, (), "1", folder)


def test_the_cluster_can_pull_them_and_the_engine_keeps_one_name(
    client: docker.DockerClient, registry: str, tmp_path: Path
) -> None:
    found = cluster_data.images_for(of(tmp_path), f"{registry}/local")
    assert set(found) == {POSTGRES, REDIS}
    for part, name in found.items():
        repository, _, tag = name.removeprefix(f"{registry}/").partition(":")
        assert repository == f"local/{part.name}"
        with requests.Session() as direct:
            direct.trust_env = False
            tags = direct.get(f"http://{registry}/v2/{repository}/tags/list", timeout=20).json()
        assert tags["tags"] == [tag]
        with pytest.raises(ImageNotFound):
            client.images.get(name)


def test_a_registry_that_is_away_is_told(client: docker.DockerClient, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="could not be pushed for the cluster"):
        cluster_data.images_for(of(tmp_path), "127.0.0.1:9/local")
