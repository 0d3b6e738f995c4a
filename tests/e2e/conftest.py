"""A service for each test module or stage, deployed by the real thing and always destroyed at the end.

The tests of a module tell one story from top to bottom on one service, as a deployment takes seconds.
What is marked `matrix` is left out by `make test`: the rest of its story has to make sense without it.
Those of a stage share a service; others share nothing but caches. So `pytest -n 2 --dist loadscope`
runs two at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.e2e.distant import equipped
from tests.e2e.second_machine import SecondMachine
from tests.e2e.service import EXAMPLES, Service
from tests.e2e.stages import place_of, stage_of
from tests.interpreters import python_with

HERE = Path(__file__).parent
LONGEST_TEST = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and run it first, so that quick tests fill the end."""
    items.sort(key=lambda item: place_of(item.path) if item.path.is_relative_to(HERE) else (2, 0))
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(LONGEST_TEST))


@pytest.fixture(scope="session")
def service_python() -> Path:
    """A Python with what the tests of `hello` import: the example's own, else one that is made once."""
    example = EXAMPLES / "hello"
    own = example / ".venv" / "bin" / "python"
    if own.is_file():
        return own
    wanted = b"".join(file.read_bytes() for file in sorted(example.glob("requirements*.txt")))
    return python_with("-r", str(example / "requirements-test.txt"), made_for=wanted)


@pytest.fixture(scope="module")
def docker_client() -> Iterator[docker.DockerClient]:
    """The Docker engine of this machine, for the tests themselves."""
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module")
def machine() -> Iterator[SecondMachine]:
    """A running machine that only SSH reaches; its engine has the images that a deployment stands on."""
    with equipped() as second:
        yield second


@pytest.fixture(scope="module")
def new_service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Callable[[], Service]]:
    """Makes services with the source of `hello`, not deployed yet, and destroys them when the module ends."""
    made: list[Service] = []

    def make() -> Service:
        made.append(Service(tmp_path_factory.mktemp("e2e"), "hello", service_python))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture(scope="session")
def shared(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Callable[[str], Service]]:
    """Gives the service of a stage, which is made when it is asked for first."""
    made: dict[str, Service] = {}

    def of(stage: str) -> Service:
        if stage not in made:
            made[stage] = Service(tmp_path_factory.mktemp("e2e"), "hello", service_python)
        return made[stage]

    yield of
    for one in made.values():
        one.remove()


@pytest.fixture(scope="module")
def service(
    request: pytest.FixtureRequest, new_service: Callable[[], Service], shared: Callable[[str], Service]
) -> Iterator[Service]:
    """The module's service, not deployed before a test says so; or that of its stage."""
    stage = stage_of(request.path)
    one = shared(stage) if stage else new_service()
    environ = dict(one.environ)
    yield one
    one.environ = environ


@pytest.fixture(scope="module")
def deployed(service: Service) -> Service:
    """The module's service with a version on live, for modules whose story begins there."""
    if not service.traffic("live"):
        service.deploy()
    return service


@pytest.fixture(scope="module")
def two_releases(deployed: Service) -> Service:
    """The same with an idle release and one that serves, which says what it is asked for."""
    if len(deployed.traffic("live")) == 1:
        deployed.edit("server.py", "def ping():\n", 'def ping():\n    print("pinged", flush=True)\n')
        deployed.greet("second")
        deployed.deploy()
    return deployed
