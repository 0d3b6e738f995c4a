"""A machine that has built nothing yet takes the layers of earlier builds from the registry."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.ready import READY, ready_image
from tests.e2e.second_engine import SecondEngine, running
from tests.e2e.service import Service

SLOW = (
    "RUN head -c 2M /dev/urandom >/deps && for i in 1 2 3 4 5 6 7 8; do sha256sum /usr/bin/* >/dev/null; done"
)
"""A step that takes a while, and whose layer is another one whenever it runs."""
ONE_STAGE = f"FROM {READY}\n{SLOW}\nCOPY . .\n"
TWO_STAGES = f"FROM {READY} AS deps\n{SLOW}\nFROM {READY} AS prod\nCOPY --from=deps /deps /deps\nCOPY . .\n"

pytestmark = [
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "ip", "mount"))),
        reason="needs root, dockerd and iproute2",
    ),
    pytest.mark.matrix(
        reason="test_a_stage_of_a_dockerfile_above_is_built_with_its_secret shows what a build is told"
    ),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[SecondEngine]:
    """A running engine whose cache a test may empty; this thread is in its network."""
    with running([*REFERENCES.values(), ready_image()]) as second:
        yield second


@pytest.fixture(scope="module")
def service(
    engine: SecondEngine, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", engine.address)
        one = Service(tmp_path_factory.mktemp("e2e"), "hello", service_python)
    one.environ["DOCKER_HOST"] = engine.address
    yield one
    one.remove()


def forget(service: Service, engine: SecondEngine) -> None:
    """Leave the engine as a fresh machine is: without the cache of builds, and without what it built."""
    service.run("destroy", "--env", "staging", "--confirm", service.name)
    client = docker.DockerClient(base_url=engine.address)
    kept = {*REFERENCES.values(), READY}
    for image in client.images.list():
        if not kept & {*image.tags}:
            client.images.remove(str(image.id), force=True)
    client.api.prune_builds(all=True)
    client.close()


def built(service: Service, greeting: str) -> tuple[list[str], float]:
    """The layers of the image of a changed source, and the seconds that it took until it was tested."""
    service.greet(greeting)
    begun = time.monotonic()
    service.deploy("--only", "staging")
    took = time.monotonic() - begun
    image = service.host.client.images.get(service.status("staging")["releases"][-1]["image"])
    return list(image.attrs["RootFS"]["Layers"]), took


@pytest.mark.parametrize("dockerfile", [ONE_STAGE, TWO_STAGES], ids=["one stage", "two stages"])
def test_a_fresh_machine_takes_layers_from_the_registry(
    service: Service, engine: SecondEngine, dockerfile: str
) -> None:
    service.write("Dockerfile", dockerfile)
    service.configure(build={"cache": "registry"})
    first, cold = built(service, "one")
    second, warm = built(service, "two")
    forget(service, engine)
    third, fresh = built(service, "three")
    print(f"cold {cold:.1f} s, warm {warm:.1f} s, fresh {fresh:.1f} s")
    assert first[:-1] == second[:-1] == third[:-1]
    assert len({*map(tuple, (first, second, third))}) == 3


def test_without_the_cache_a_fresh_machine_builds_all_layers_again(
    service: Service, engine: SecondEngine
) -> None:
    service.write("Dockerfile", ONE_STAGE)
    service.configure(build=None)
    first, _ = built(service, "four")
    forget(service, engine)
    second, fresh = built(service, "five")
    print(f"fresh, without the cache {fresh:.1f} s")
    assert first[:-2] == second[:-2]
    assert not {*first[-2:]} & {*second}
