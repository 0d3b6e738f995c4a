"""What tests do with a proxy and its releases."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import docker


class World:
    """A proxy and numbered releases; release `rN` has the address `SUBNET.(N + 2)`."""

    def __init__(self, api: docker.APIClient, image: str, prefix: str, subnet: str) -> None:
        self.api = api
        self.image = image
        self.prefix = prefix
        self.subnet = subnet
        self.proxy = f"{prefix}-proxy"
        self.proxy_id = ""
        self.variables: dict[str, str] = {}

    @property
    def stack(self) -> str:
        """The stack to which the containers belong by their labels."""
        return self.prefix

    def create(self, name: str, host: int, entrypoint: list[str] | None = None) -> str:
        service, _, environment = self.prefix.rpartition("-")
        endpoint = self.api.create_endpoint_config(ipv4_address=f"{self.subnet}.{host}")
        container = self.api.create_container(
            self.image,
            name=name,
            entrypoint=entrypoint,
            environment=self.variables,
            stop_signal="SIGKILL" if entrypoint else None,
            labels={"curtainup.service": service, "curtainup.environment": environment},
            networking_config=self.api.create_networking_config({self.prefix: endpoint}),  # type: ignore[arg-type]
        )
        return str(container["Id"])

    def start_release(self, number: int, source: str) -> None:
        command = ["python3", "-c", source, f"r{number}"]
        self.api.start(self.create(self.container(number), number + 2, command))
        wait_until_it_answers(self.direct(number), f"r{number}")

    def renew_release(self, number: int) -> None:
        """Have a release run, and know nothing of earlier tests."""
        self.api.start(self.container(number))
        wait_until_it_answers(self.direct(number), f"r{number}", "/forget")

    def container(self, number: int) -> str:
        return f"{self.prefix}-r{number}"

    def direct(self, number: int) -> http.client.HTTPConnection:
        """Connect to a release, past the proxy."""
        return http.client.HTTPConnection(f"{self.subnet}.{number + 2}", 8000, timeout=600)

    def connect(self) -> http.client.HTTPConnection:
        """Connect to the proxy."""
        return http.client.HTTPConnection(f"{self.subnet}.2", 8080, timeout=600)

    def restart_proxy(self) -> None:
        self.api.restart(self.proxy)
        self.wait_for_proxy()

    def wait_for_proxy(self) -> None:
        told = http.client.HTTPConnection(f"{self.subnet}.2", 8404, timeout=60)
        wait_until_it_answers(told, "alive\n", "/alive")

    def say(self, command: str) -> str:
        """Give HAProxy a command by hand."""
        script = f"echo '{command}' | socat - UNIX-CONNECT:/run/haproxy/admin.sock"
        return self.run(script)

    def run(self, script: str) -> str:
        job = self.api.exec_create(self.proxy, ["sh", "-c", script])
        return str(self.api.exec_start(job["Id"]).decode())

    def inputs(self, traffic: dict[str, int], **changes: Any) -> dict[str, Any]:
        """Describe a switch whose backends are the releases that traffic names."""
        backends = [
            {
                "release": name,
                "address": f"{self.subnet}.{int(name[1:]) + 2}:8000",
                "container": f"{self.prefix}-{name}",
            }
            for name in traffic
        ]
        base = {
            "proxy": self.proxy,
            "proxyId": self.proxy_id,
            "backends": backends,
            "traffic": traffic,
            "requestTimeout": 300,
            "drainTimeout": 300,
            "generation": 1,
        }
        return {**base, **changes}


def get(
    connection: http.client.HTTPConnection, path: str = "/", method: str = "GET"
) -> tuple[int, str, str | None]:
    """Return status, body and the release that the proxy names."""
    connection.request(method, path, body="x" if method == "POST" else None)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.getheader("Curtainup-Release")


@contextmanager
def closing(connection: http.client.HTTPConnection) -> Iterator[http.client.HTTPConnection]:
    try:
        yield connection
    finally:
        connection.close()


def wait_until_it_answers(connection: http.client.HTTPConnection, expected: str, path: str = "/") -> None:
    deadline = monotonic() + 300
    while True:
        try:
            if get(connection, path)[1] == expected:
                break
        except (OSError, http.client.HTTPException):
            if monotonic() > deadline:
                raise
        connection.close()
        sleep(0.02)
    connection.close()
