"""A service behind the door of the Docker host, and those who ask it over HTTPS."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from tests.e2e.acme import Acme
from tests.e2e.load import Answers, users
from tests.e2e.service import Finished, Service, session

DOMAIN = "example.test"
ECHO = """\
import base64
import hashlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
app = Flask(__name__)


@app.get("/echo")
def echo():
    return jsonify(scheme=request.scheme, headers=dict(request.headers))


@app.get("/socket", websocket=True)
def socket():
    # Become a WebSocket that sends its first frame back as it came.
    connection = request.environ["gunicorn.socket"]
    connection.settimeout(120)
    accepted = hashlib.sha1(request.headers["Sec-WebSocket-Key"].encode() + GUID).digest()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Accept: " + base64.b64encode(accepted).decode(), "", ""]
    connection.sendall("\\r\\n".join(lines).encode())
    connection.sendall(connection.recv(64))
    return ""
"""


@dataclass(frozen=True)
class Shop:
    """The service, and the ACME server of its certificates."""

    service: Service
    issuer: Acme

    @classmethod
    def of(cls, service: Service, issuer: Acme, **keys: Any) -> Shop:
        """Configure a service for HTTPS."""
        Path(service.folder / "acme.pem").write_text(issuer.root)
        service.edit("server.py", "app = Flask(__name__)\n", ECHO)
        service.configure(https=True, acme_directory=issuer.directory, acme_root="acme.pem", **keys)
        return cls(service, issuer)

    def get(self, url: str, **options: Any) -> requests.Response:
        """Ask an address, and take only certificates of the ACME server."""
        with session() as direct:
            return direct.get(url, **{"verify": str(self.issuer.roots), "timeout": 60, **options})

    @contextmanager
    def users(self, host: str) -> Iterator[Answers]:
        """Have users ask for a name without pause."""
        with users(f"https://{host}", verify=str(self.issuer.roots)) as answers:
            yield answers

    def deploy(self, *arguments: str, code: int = 0, **variables: str) -> Finished:
        """Deploy, with names looked up where the tests say what they lead to."""
        return self.service.deploy(*arguments, code=code, env={**self.issuer.variables, **variables})


def lead_here(monkeypatch: pytest.MonkeyPatch, address: str = "127.0.0.1") -> None:
    """Have the names of tests lead to an address, this machine's own, as its DNS does not know them."""
    known = socket.getaddrinfo

    def found(host: Any, *arguments: Any, **named: Any) -> Any:
        here = isinstance(host, str) and host.endswith(f".{DOMAIN}")
        return known(address if here else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", found)


def started(client: docker.DockerClient, name: str) -> tuple[str, str]:
    """Return a container's id, and when it started: both stay while nothing interrupts it."""
    found = client.api.inspect_container(name)
    return found["Id"], found["State"]["StartedAt"]
