from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator

import docker
import pytest
from docker.errors import APIError, NotFound

from curtainup.errors import DiskFull, SetupError
from curtainup.pipeline import local_container
from curtainup.pipeline.local_container import LocalContainer
from curtainup.platforms.docker import labels
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.util.secrets import Secret
from tests import docker_engine, samples

pytestmark = pytest.mark.docker
SECRETS = {"DB_PASSWORD": Secret('a=b"$x\nü')}
SERVER = """
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    with docker_engine.with_images() as found:
        yield found


@pytest.fixture
def service() -> str:
    """A name of the test's own."""
    return f"cu-local-test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def image(client: docker.DockerClient, service: str) -> Iterator[Callable[..., str]]:
    """Gives an image that runs a command."""
    made: list[str] = []

    def make(*command: str) -> str:
        container = client.containers.create(REFERENCES["base"], name=f"{service}-image")
        container.commit(service, tag=str(len(made)), conf={"Cmd": list(command)})
        container.remove()
        made.append(f"{service}:{len(made)}")
        return made[-1]

    yield make
    for one in made:
        client.images.remove(one, force=True)


def marks(service: str) -> dict[str, str]:
    """The labels of a run of the test's own."""
    return {labels.SERVICE: service, labels.LOCK: service, labels.RUN: "run-1"}


def _asked(url: str) -> dict[str, str]:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=120) as answer:
                found: dict[str, str] = json.loads(answer.read())
                return found
        except OSError:
            assert time.monotonic() < deadline, "the test's own server did not start"
            time.sleep(0.05)


def _gone(client: docker.DockerClient, name: str) -> bool:
    """Return whether a container, which is removed beside what comes next, is gone in the end."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            client.containers.get(name)
        except NotFound:
            return True
        time.sleep(0.05)
    return False


def test_runs_as_a_release_would_and_is_removed(
    client: docker.DockerClient, service: str, image: Callable[..., str]
) -> None:
    settings = samples.SETTINGS.model_copy(update={"cpus": 0.5, "container_port": 9123})
    reference = image("python3", "-c", SERVER)
    with local_container.running(client, marks(service), reference, "v1", settings, SECRETS) as found:
        variables = _asked(found.url)
        container = client.containers.get(found.name)
    host = container.attrs["HostConfig"]
    assert container.labels[labels.RUN] == "run-1"
    assert variables["DB_PASSWORD"] == 'a=b"$x\nü'
    assert {name: variables[name] for name in ("PORT", "VERSION", "PYM_ENV")} == {
        "PORT": "9123",
        "VERSION": "v1",
        "PYM_ENV": "shop-live",
    }
    assert (host["Memory"], host["MemorySwap"]) == (256 * 2**20, 256 * 2**20)
    assert (host["NanoCpus"], host["PidsLimit"], host["Init"]) == (500_000_000, 64, True)
    assert host["PortBindings"]["9123/tcp"][0]["HostIp"] == "127.0.0.1"
    assert _gone(client, found.name)


def test_is_removed_after_a_failure_too(
    client: docker.DockerClient, service: str, image: Callable[..., str]
) -> None:
    names = []

    def fail(found: LocalContainer) -> None:
        names.append(found.name)
        raise ZeroDivisionError

    running = local_container.running(
        client, marks(service), image("sleep", "600"), "v1", samples.SETTINGS, {}
    )
    with pytest.raises(ZeroDivisionError), running as found:
        fail(found)
    assert _gone(client, names[0])


def test_one_that_exits_at_once_is_left_to_who_waits_for_it(
    client: docker.DockerClient, service: str, image: Callable[..., str]
) -> None:
    """The wait tells its exit code and last lines."""
    with local_container.running(client, marks(service), image("false"), "v1", samples.SETTINGS, {}) as found:
        assert client.containers.get(found.name).wait(timeout=120)["StatusCode"] == 1
    assert _gone(client, found.name)


def test_an_image_that_is_nowhere_is_told(client: docker.DockerClient, service: str) -> None:
    running = local_container.running(client, marks(service), f"{service}:none", "v1", samples.SETTINGS, {})
    with pytest.raises(SetupError, match="neither here nor in its registry"), running:
        pytest.fail("it ran")


def test_a_full_disk_is_told_with_what_frees_it() -> None:
    refused = APIError("500 Server Error", explanation="write /etc/hosts: no space left on device")
    error = local_container.not_started(refused, "shop:1")
    assert (type(error), error.what) == (DiskFull, "no space is left on the disk")
    assert "docker system df" in str(error.fix)


def test_a_program_that_is_not_in_the_image_is_told(
    client: docker.DockerClient, service: str, image: Callable[..., str]
) -> None:
    """Docker's own init process starts, and then finds no program."""
    reference = image("no-such-program")
    with local_container.running(client, marks(service), reference, "v1", samples.SETTINGS, {}) as found:
        assert client.containers.get(found.name).wait(timeout=120)["StatusCode"] == 127
