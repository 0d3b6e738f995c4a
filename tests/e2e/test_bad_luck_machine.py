"""A registry that refuses the image, and ports that belong to others."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from tests import loopback
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.load import users
from tests.e2e.service import Service

pytestmark = pytest.mark.matrix(
    reason="test_failing_gates shows that live stays as it is; test_refusals has a taken port"
)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which something else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@contextmanager
def untouched(service: Service) -> Iterator[None]:
    """A block that leaves staging and live as they are, and that users of live do not notice."""
    before = environments(service)
    with users(service.url("live")) as answers:
        yield
    assert answers.failures == []
    assert environments(service) == before
    assert_nothing_left(service)


def environments(service: Service) -> list[tuple[dict[str, int], list[str]]]:
    """Traffic and containers of staging and live."""
    return [(service.traffic(name), service.host.containers(name)) for name in ("staging", "live")]


@contextmanager
def refusing_registry(status: int) -> Iterator[str]:
    """A registry that is there and takes nothing; gives its host as image names have it."""

    class Refuses(BaseHTTPRequestHandler):
        """Answers as the distribution specification says, section "Error codes"."""

        def _refuse(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            body = b'{"errors": [{"code": "DENIED", "message": "not for you"}]}'
            ping = self.path == "/v2/" and status != 401
            self.send_response(200 if ping else status)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="registry"')
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _refuse  # noqa: N815 - http.server's names

    with loopback.serving(Refuses) as port:
        yield f"127.0.0.1:{port}"


def test_a_first_deployment_to_a_taken_port_starts_nothing(service: Service, taken: int) -> None:
    service.configure(environments={"live": {"port": taken}})

    done = service.deploy(code=15)

    assert f"port {taken} belongs to something else" in done.err
    assert service.host.containers() == []
    service.configure(environments=None)


def test_a_changed_port_needs_a_word(deployed: Service, taken: int) -> None:
    deployed.configure(environments={"live": {"port": taken}})

    with untouched(deployed):
        done = deployed.deploy(code=23)

    assert "--allow-replace" in done.err


def test_a_changed_port_that_is_taken_changes_nothing(deployed: Service, taken: int) -> None:
    deployed.configure(environments={"live": {"port": taken}})

    with untouched(deployed):
        done = deployed.deploy("--allow-replace", code=15)

    assert f"port {taken} belongs to something else" in done.err
    deployed.configure(environments=None)


def test_a_changed_port_goes_back_with_the_traffic(deployed: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    before = deployed.url("live")
    deployed.configure(environments={"live": {"port": free}})
    deployed.greet("on another port")

    deployed.deploy("--allow-replace", code=13, fail_at="live")

    deployed.configure(environments=None)
    assert deployed.url("live") == before
    assert deployed.get("live").json().get("says") != "on another port"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free)).close()


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_registry_that_refuses_the_image_stops_the_run(deployed: Service, status: int) -> None:
    deployed.greet(f"refused with {status}")

    with refusing_registry(status) as host, untouched(deployed):
        deployed.configure(docker_repo=f"{host}/team")
        done = deployed.deploy("--allow-replace", code=10)

    assert f"{host} did not accept the image" in done.err
    assert f"docker login {host}" in done.err


def test_a_registry_that_is_not_there_stops_the_run(deployed: Service, taken: int) -> None:
    deployed.greet("refused by nobody")
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    deployed.configure(docker_repo=f"127.0.0.1:{free}/team")

    with untouched(deployed):
        deployed.deploy("--allow-replace", code=10)


def test_a_given_registry_takes_the_image(deployed: Service) -> None:
    deployed.greet("given registry")
    registry = deployed.host.client.containers.run(
        REFERENCES["registry"], detach=True, ports={"5000/tcp": ("127.0.0.1", 0)}, auto_remove=True
    )
    try:
        bound = deployed.host.inspect(str(registry.id))["NetworkSettings"]["Ports"]["5000/tcp"]
        repository = f"127.0.0.1:{bound[0]['HostPort']}/team"
        deployed.configure(docker_repo=repository)
        with users(deployed.url("live")) as answers:
            deployed.deploy("--allow-replace")
        assert answers.failures == []
        [*_, newest] = deployed.status("live")["releases"]
        assert newest["image"].startswith(f"{repository}/{deployed.name}@sha256:")
        assert deployed.get("live").json()["says"] == "given registry"
        assert deployed.deploy("--json").json()["changed"] is False
    finally:
        registry.kill()
