"""How many connections the clients of one process open to a real Docker engine, which a relay counts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
import pytest
from docker.transport import UnixHTTPAdapter

from curtainup.platforms.docker import kept_connections
from curtainup.setup import docker_engine
from curtainup.setup.base_images import images
from curtainup.setup.base_images.catalogue import REFERENCES

pytestmark = pytest.mark.docker


class Relay:
    """A socket that leads to the engine's, and the connections that it has had."""

    def __init__(self, path: Path) -> None:
        self.address = f"unix://{path}"
        self.connections = 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._serve)

    def cut(self) -> None:
        """End all connections, as a line that breaks does."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no connections any more."""
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in (self._listening, *self._open):
            one.close()

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self.connections += 1
                far = socket.socket(socket.AF_UNIX)
                far.connect(docker_engine.DEFAULT_ADDRESS.removeprefix("unix://"))
                self._open += [near, far]
                self._start(_pump, near, far)
                self._start(_pump, far, near)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    one = Relay(tmp_path / "s")
    yield one
    one.close()


def client(relay: Relay) -> docker.DockerClient:
    return kept_connections.client(docker.DockerClient, relay.address)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Close what a test has kept."""
    yield
    for known in (kept_connections._to, kept_connections.version):
        known.cache_clear()


def test_all_clients_of_a_socket_share_one_connection(relay: Relay) -> None:
    first = client(relay)
    assert kept_connections.version(relay.address)["ApiVersion"] == first.api.api_version
    first.info()
    first.containers.list()
    first.close()
    client(relay).volumes.list()
    assert relay.connections == 1


def test_a_connection_that_was_cut_is_opened_again(relay: Relay) -> None:
    one = client(relay)
    one.info()
    relay.cut()
    _settle(one)
    one.containers.list()
    assert relay.connections == 2


def _settle(one: docker.DockerClient) -> None:
    """Wait until this end knows that the line is cut."""
    adapter = one.api.get_adapter(kept_connections.SCHEME)
    assert isinstance(adapter, UnixHTTPAdapter)
    pool = adapter.get_connection("").pool
    assert pool is not None
    (kept,) = [pooled for pooled in pool.queue if pooled is not None]
    assert kept.sock.recv(1) == b""


def test_what_takes_a_connection_over_does_not_give_it_back(relay: Relay) -> None:
    one = client(relay)
    images.ensure(one, print)
    with _running(one) as container:
        for _ in range(3):
            started = one.api.exec_create(container, ["echo", "said"])
            assert one.api.exec_start(started["Id"]) == b"said\n"
            assert one.api.exec_inspect(started["Id"])["ExitCode"] == 0


@contextmanager
def _running(one: docker.DockerClient) -> Iterator[str]:
    made = one.containers.run(REFERENCES["base"], ["sleep", "60"], detach=True, init=True)
    try:
        yield str(made.id)
    finally:
        made.remove(force=True)
