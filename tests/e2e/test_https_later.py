"""What happens to a door after its first day: renewals, restarts, other services, and bad luck."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from curtainup.platforms.caddy import config as caddy
from tests.e2e import acme, http3
from tests.e2e.acme import Acme
from tests.e2e.behind_door import DOMAIN, Shop, lead_here
from tests.e2e.service import Service

UNVERIFIED = "ignore::urllib3.exceptions.InsecureRequestWarning"
LIVE, OTHER = f"shop.{DOMAIN}", f"other.{DOMAIN}"
VALID = 45
"""Seconds that a certificate is valid: the door renews it after two thirds of them."""
FRAME = b"\x81\x85\x00\x00\x00\x00hello"
"""A text frame of a client, masked with zeros, so that it is the same unmasked (RFC 6455, 5.2)."""
pytestmark = pytest.mark.matrix(
    reason="test_https shows once that names and certificates come and go without a dropped request"
)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory, docker_client: docker.DockerClient) -> Iterator[Acme]:
    folder = tmp_path_factory.mktemp("acme")
    with (
        acme.free_door(docker_client),
        acme.served(folder, acme.gateway(docker_client), valid_for=VALID) as served,
    ):
        yield served


@pytest.fixture(scope="module")
def shop(issuer: Acme, service: Service) -> Shop:
    return Shop.of(service, issuer, live_host=LIVE)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    lead_here(monkeypatch)


@contextmanager
def websocket(shop: Shop, host: str, path: str) -> Iterator[tuple[ssl.SSLSocket, bytes]]:
    """Give a connection that has become a WebSocket, and the answer that says so."""
    context = ssl.create_default_context(cafile=str(shop.issuer.roots))
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with (
        socket.create_connection(("127.0.0.1", 443), 60) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(asked.encode())
        greeting = b""
        while not greeting.endswith(b"\r\n\r\n"):
            more = secure.recv(1)
            assert more, greeting
            greeting += more
        yield secure, greeting


def certificate(host: str) -> bytes:
    """The certificate that a client is shown, in DER."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", 443), 60) as plain,
        unchecked.wrap_socket(plain, server_hostname=host) as secure,
    ):
        found = secure.getpeercert(binary_form=True)
    assert found
    return found


def wait_until_it_answers(shop: Shop, **options: Any) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            assert shop.get(f"https://{LIVE}/ping", **options).status_code == 200
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_name_that_leads_elsewhere_is_told_before_anybody_is_asked(shop: Shop, issuer: Acme) -> None:
    issuer.lead(LIVE, "192.0.2.7")
    try:
        failed = shop.deploy(code=30)
    finally:
        issuer.lead(LIVE, issuer.address)
    assert "DNS leads to 192.0.2.7, where nothing answers on port 80" in failed.err
    assert not shop.service.host.releases("live")


def test_a_port_that_is_taken_is_told(shop: Shop, docker_client: docker.DockerClient) -> None:
    acme.remove_door(docker_client)
    with socket.create_server(("0.0.0.0", 443)):
        failed = shop.deploy(code=15)
    assert "port 0.0.0.0:443 belongs to something else" in failed.err
    assert "build:" not in failed.err
    assert "https: true" in failed.err


def test_a_certificate_is_renewed_without_a_dropped_request(shop: Shop) -> None:
    shop.deploy()
    first = certificate(LIVE)
    with shop.users(LIVE) as answers:
        deadline = time.monotonic() + 3 * VALID
        while certificate(LIVE) == first:
            assert time.monotonic() < deadline
            time.sleep(1)
        time.sleep(2)
    assert answers.failures == []
    assert answers.total > 100


def test_browsers_get_http_2(shop: Shop) -> None:
    asked = ["--silent", "--output", "/dev/null", "--write-out", "%{http_version}", "--http2"]
    where = ["--cacert", str(shop.issuer.roots), "--resolve", f"{LIVE}:443:127.0.0.1", f"https://{LIVE}/ping"]
    assert subprocess.run(["curl", *asked, *where], capture_output=True, check=True).stdout == b"2"


def test_browsers_get_http_3(shop: Shop) -> None:
    assert "h3=" in shop.get(f"https://{LIVE}/ping").headers["Alt-Svc"]
    found = http3.get(LIVE, "/ping", shop.issuer.roots)
    assert (found[":status"], found["curtainup-release"]) == ("200", shop.service.serving("live"))


def test_a_websocket_stays_open_while_another_release_takes_over(shop: Shop) -> None:
    with websocket(shop, LIVE, "/socket") as (connection, greeting):
        assert b"101 Switching Protocols" in greeting
        shop.service.greet("while a socket is open")
        shop.deploy()
        connection.sendall(FRAME)
        assert connection.recv(len(FRAME)) == FRAME


def test_names_and_certificates_outlive_the_doors_container(
    shop: Shop, docker_client: docker.DockerClient
) -> None:
    docker_client.containers.get(caddy.NAME).restart()
    wait_until_it_answers(shop)


@pytest.mark.filterwarnings(UNVERIFIED)
def test_another_service_comes_and_goes(shop: Shop, new_service: Callable[[], Service]) -> None:
    other = Shop.of(new_service(), shop.issuer, live_host=LIVE)
    with shop.users(LIVE) as answers:
        failed = other.deploy(code=30)
        assert f"belongs to {shop.service.name}-live" in failed.err
        other.service.configure(live_host=OTHER)
        other.deploy()
        assert other.get(f"https://{OTHER}/ping").status_code == 200
        told = other.service.run("destroy", "--confirm", other.service.name)
    assert answers.failures == []
    assert "the door of this Docker host stays" not in told.err
    assert leads_nowhere(shop, OTHER)


def leads_nowhere(shop: Shop, host: str) -> bool:
    """Return whether the door has no service of a name, for which it renews no certificate any more."""
    try:
        return shop.get(f"https://{host}/ping", verify=False).status_code == 404
    except requests.exceptions.SSLError:
        return True


def test_a_door_that_was_taken_away_comes_back(shop: Shop, docker_client: docker.DockerClient) -> None:
    acme.remove_door(docker_client)
    shop.deploy()
    assert shop.get(f"https://{LIVE}/ping").status_code == 200


@pytest.mark.filterwarnings(UNVERIFIED)
def test_a_certificate_of_ones_own_follows_one_by_acme(
    shop: Shop, docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    def made(number: int) -> tuple[str, str]:
        files = [tmp_path / f"{kind}{number}" for kind in ("chain", "key")]
        names = ["-subj", f"/CN=own{number}", "-addext", f"subjectAltName=DNS:{LIVE}"]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names]
        subprocess.run(
            [*command, "-out", str(files[0]), "-keyout", str(files[1])], check=True, capture_output=True
        )
        return files[0].read_text(), files[1].read_text()

    shop.service.configure(certificate="TLS_CHAIN", certificate_key="TLS_KEY")
    chain, key = made(1)
    told = shop.deploy(TLS_CHAIN=chain, TLS_KEY=key)
    assert told.err.count(f"docker restart {caddy.NAME}") == 1
    docker_client.containers.get(caddy.NAME).restart()
    wait_until_it_answers(shop, verify=False)
    assert certificate(LIVE) == ssl.PEM_cert_to_DER_cert(chain)

    chain, key = made(2)
    told = shop.deploy(TLS_CHAIN=chain, TLS_KEY=key)
    assert f"docker restart {caddy.NAME}" not in told.err
    assert certificate(LIVE) == ssl.PEM_cert_to_DER_cert(chain)


def test_the_last_one_is_told_how_the_door_is_removed(shop: Shop) -> None:
    told = shop.service.run("destroy", "--confirm", shop.service.name)
    assert "the door of this Docker host stays" in told.err
