from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from curtainup.errors import SetupError
from curtainup.setup.base_images import images as public
from shop_demo import images
from shop_demo.images import POSTGRES, REDIS, Part

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No registry is reached."""
    monkeypatch.setenv(public.PUBLISHER_VARIABLE, "127.0.0.1:9")


@pytest.fixture
def there(client: docker.DockerClient) -> Iterator[str]:
    """An image that the engine has."""
    images.built(client, REDIS, print)
    name = f"shop-demo-{uuid.uuid4().hex[:6]}:1"
    client.images.get(REDIS.built).tag(name)
    yield name
    client.images.remove(name)


@pytest.mark.parametrize(
    ("part", "command", "said"),
    [
        (POSTGRES, ["postgres", "--version"], b"postgres (PostgreSQL) 15."),
        (REDIS, ["redis-server", "--version"], b"Redis server v=7."),
    ],
)
def test_debian_takes_the_place_of_a_registry_that_is_not_reached(
    client: docker.DockerClient, part: Part, command: list[str], said: bytes
) -> None:
    unknown = replace(part, public="nobody-has-this:1")
    found = images.reference(client, unknown, print)
    assert found == part.built
    program, *arguments = command
    output = client.containers.run(found, arguments, entrypoint=[program], remove=True)
    assert output.startswith(said)


def test_the_public_image_counts_where_the_engine_has_it(client: docker.DockerClient, there: str) -> None:
    told: list[str] = []
    assert images.reference(client, replace(REDIS, public=there), told.append) == there
    assert told == [], "nobody was asked for it"


def test_an_image_that_cannot_be_built_is_told(
    client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "RECIPES", tmp_path)
    (tmp_path / "redis.Dockerfile").write_text("ARG SOURCE\nFROM ${SOURCE}\nRUN exit 3\n")
    (tmp_path / "redis-entrypoint.sh").touch()
    with pytest.raises(SetupError, match="could not be built"):
        images.built(client, replace(REDIS, version=0), print)
