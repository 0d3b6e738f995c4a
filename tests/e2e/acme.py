"""A real ACME server for the door of this Docker host, and the DNS that leads its names there.

Pebble is the ACME server that Let's Encrypt tests its clients with. Both listen where containers reach this
machine: at the gateway of Docker's default network.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

import docker
import pytest
from docker.errors import NotFound
from filelock import FileLock

from curtainup.platforms.caddy import config as caddy
from curtainup.setup import go_build, paths

MODULE = Path(__file__).with_name("pebble")
PACKAGE = "github.com/letsencrypt/pebble/v2/cmd"
DIRECTORY_PORT, ROOTS_PORT, DNS_PORT, NAMES_PORT = 14000, 15000, 53, 8055
PATIENCE = 30.0
"""Seconds until both answer."""


def programs() -> dict[str, Path]:
    """Build pebble and its DNS server, once for each user; return them by name."""
    if shutil.which("go") is None:
        pytest.skip("an ACME server is built with Go")
    found = {}
    for name in ("pebble", "pebble-challtestsrv"):
        program = go_build.Program(name, name, "2.6.0", MODULE, f"{PACKAGE}/{name}", {})
        found[name] = go_build.ensure(program, print)
    return found


@dataclass(frozen=True)
class Acme:
    """The ACME server and its DNS.

    Attributes:
        address: where both listen, and where names lead.
        root: the certificate of the ACME server itself.
        roots: a file with what the certificates that it issues come from.

    """

    address: str
    root: str
    roots: Path

    @property
    def directory(self) -> str:
        """The address of the ACME server's directory."""
        return f"https://{self.address}:{DIRECTORY_PORT}/dir"

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which a service has its names looked up here."""
        return {"CURTAINUP_DOOR_DNS": self.address}

    def lead(self, host: str, address: str) -> None:
        """Have a name lead elsewhere."""
        names = f"http://{self.address}:{NAMES_PORT}"
        _post(f"{names}/clear-a", {"host": f"{host}."})
        _post(f"{names}/add-a", {"host": f"{host}.", "addresses": [address]})


@contextmanager
def served(
    folder: Path, address: str, *, valid_for: int = 86400, inside: Sequence[str] = ()
) -> Iterator[Acme]:
    """Serve, until the block ends, an ACME server.

    Args:
        folder: for its files.
        address: where it listens, which containers of the door's engine reach; names lead there too.
        valid_for: how many seconds its certificates are valid.
        inside: what begins a command on the machine that has the address, if it is another one.

    """
    made = programs()
    certificate, key = _self_signed(folder, address)
    config = {
        "listenAddress": f"{address}:{DIRECTORY_PORT}",
        "managementListenAddress": f"{address}:{ROOTS_PORT}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": 80,
        "tlsPort": 443,
        "certificateValidityPeriod": valid_for,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
    with ExitStack() as running:
        names: list[str | Path] = [
            "-defaultIPv4",
            address,
            "-defaultIPv6",
            "",
            "-dns01",
            f"{address}:{DNS_PORT}",
        ]
        off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""]
        manage = ["-management", f"{address}:{NAMES_PORT}"]
        resolving: list[str | Path] = [*inside, made["pebble-challtestsrv"], *names, *off, *manage]
        running.enter_context(_running(resolving, folder, "names"))
        server: list[str | Path] = [*inside, made["pebble"], "-config", folder / "pebble.json"]
        resolver = ["-dnsserver", f"{address}:{DNS_PORT}"]
        running.enter_context(_running([*server, *resolver], folder, "pebble", {"PEBBLE_VA_NOSLEEP": "1"}))
        roots = folder / "roots.pem"
        deadline = time.monotonic() + PATIENCE
        while not _answers(f"https://{address}:{ROOTS_PORT}/roots/0", roots):
            assert time.monotonic() < deadline, (folder / "pebble.log").read_text()
            time.sleep(0.1)
        yield Acme(address, certificate.read_text(), roots)


@contextmanager
def free_door(client: docker.DockerClient) -> Iterator[None]:
    """Have a Docker host without a door, and take away what a test has made of one.

    A door that somebody uses is left alone, and the test is skipped: a host has only one.
    """
    folder = paths.cache_dir() / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "door.lock"):
        if client.containers.list(all=True, filters={"name": f"^/{caddy.NAME}$"}):
            pytest.skip(f"this Docker host has a door: docker inspect {caddy.NAME}")
        try:
            yield
        finally:
            remove_door(client)


def remove_door(client: docker.DockerClient) -> None:
    """Remove the door by force, with its networks and certificates."""
    for container in client.containers.list(all=True, filters={"name": f"^/{caddy.NAME}$"}):
        container.remove(force=True)
    for network in client.networks.list(filters={"name": caddy.NAME}):
        network.reload()
        for container in network.containers:
            network.disconnect(container, force=True)
        network.remove()
    try:
        client.volumes.get(caddy.VOLUME).remove(force=True)
    except NotFound:
        return


def gateway(client: docker.DockerClient) -> str:
    """Return the address of this machine that containers reach; Docker tells of it after a restart."""
    (known,) = client.networks.get("bridge").attrs["IPAM"]["Config"]
    return str(known.get("Gateway") or ipaddress.ip_network(known["Subnet"])[1])


def _self_signed(folder: Path, address: str) -> tuple[Path, Path]:
    certificate, key = folder / "acme.pem", folder / "acme.key"
    names = ["-subj", "/CN=acme", "-addext", f"subjectAltName=IP:{address}"]
    files = ["-keyout", str(key), "-out", str(certificate), "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def _running(
    command: list[str | Path], folder: Path, name: str, variables: Mapping[str, str] | None = None
) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **(variables or {})}, cwd=folder
        )
        try:
            time.sleep(0.2)
            assert process.poll() is None, Path(log.name).read_text()
            yield
        finally:
            process.terminate()
            process.wait(10)


def _answers(url: str, target: Path) -> bool:
    """Fetch a certificate into a file; the ACME server's own need not be trusted for that."""
    try:
        with _opener().open(url, timeout=5) as answer:
            target.write_bytes(answer.read())
    except OSError:
        return False
    return True


def _post(url: str, document: object) -> None:
    with _opener().open(Request(url, data=json.dumps(document).encode()), timeout=5):
        return


def _opener() -> OpenerDirector:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    return build_opener(ProxyHandler({}), HTTPSHandler(context=unchecked))
