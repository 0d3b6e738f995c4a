"""What is said when a Docker host is not reached by SSH, or its engine not used; nothing asks a question."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from curtainup.errors import HostUnreachable, PortTaken
from curtainup.platforms.docker import distant
from curtainup.platforms.docker.hosts import There
from curtainup.platforms.ssh.connection import Connection
from curtainup.util import ssh_address
from tests.e2e.second_machine import IS_POSSIBLE, WHY_NOT, SecondMachine, running
from tests.e2e.service import Service

PYTHON = "/usr/bin/python3"
ENGINE = """\
import http.server, json, os, socketserver, sys
place, api, mode = sys.argv[1:]

class Engine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"ApiVersion": api, "Version": "1", "ID": "ENGINE"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = socketserver.UnixStreamServer(place, Engine)
os.chmod(place, int(mode, 8))
server.serve_forever()
"""

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT)


@pytest.fixture(scope="module")
def machine() -> Iterator[SecondMachine]:
    """A running machine without a Docker engine."""
    with running(SecondMachine) as second:
        yield second


def connection(machine: SecondMachine, address: str = "ssh://shop", **environ: str) -> Connection:
    return Connection(ssh_address.parse(address), {**os.environ, **machine.environ, **environ})


def refused(machine: SecondMachine, address: str = "ssh://shop", **environ: str) -> HostUnreachable:
    with closing(connection(machine, address, **environ)) as one:
        with pytest.raises(HostUnreachable) as told:
            one.open()
        return told.value


def fingerprint(machine: SecondMachine) -> str:
    shown = ["ssh-keygen", "-lf", str(machine.folder / "host_key.pub")]
    return subprocess.run(shown, check=True, capture_output=True, text=True).stdout.split()[1]


def test_all_share_one_login_and_it_ends_with_them(machine: SecondMachine) -> None:
    logins = machine.logins()
    with closing(connection(machine)) as one:
        one.begin()
        one.open()
        assert "uid=4321(deploy)" in one.shell("id")
        port = one.port(22)
        assert one.port(22) == port
        with pytest.raises(requests.ConnectionError, match="SSH-2"):
            requests.get(f"http://127.0.0.1:{port}/", timeout=5)
        with pytest.raises(PortTaken):
            one.port(2222, here=port)
        assert one.real().host == machine.address
    assert machine.logins() == logins + 1
    assert not one.folder.exists()


def test_a_lost_connection_is_replaced_with_the_same_ports(machine: SecondMachine) -> None:
    logins = machine.logins()
    with closing(connection(machine)) as one:
        port = one.port(22)
        [master] = psutil.Process(one._masters[-1]._shell.pid).children()
        master.kill()
        deadline = time.monotonic() + 30
        while machine.logins() == logins + 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert one.port(22) == port
        assert one.shell("echo there") == "there\n"
    assert machine.logins() == logins + 2


@pytest.mark.parametrize(
    ("address", "environ", "told"),
    [
        ("ssh://nosuch.invalid", {}, ("does not resolve", "nosuch.invalid")),
        ("ssh://shop:2222", {}, ("no SSH server listens",)),
        (
            "ssh://stranger@shop",
            {},
            ("refuses your key", "no SSH agent runs here", "ssh stranger@shop has to work"),
        ),
        ("ssh://shop", {"PATH": "/bin/nowhere"}, ("there is no ssh on this machine",)),
    ],
)
def test_it_is_said_why_there_is_no_connection(
    machine: SecondMachine, address: str, environ: Mapping[str, str], told: tuple[str, ...]
) -> None:
    error = refused(machine, address, **environ)

    for word in told:
        assert word in f"{error.what} {error.where} {error.fix}"
    assert error.consequence == "nothing was built or changed"


def test_who_begins_early_is_told_when_the_host_is_needed(
    machine: SecondMachine, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(connection(machine, "ssh://shop:2222")) as one:
        one.begin()
        with pytest.raises(HostUnreachable, match="no SSH server listens"):
            one.open()
    assert capfd.readouterr().err == ""


def test_an_unknown_key_is_shown_and_not_accepted(machine: SecondMachine) -> None:
    known = machine.folder / "known_hosts"
    known.write_text("")

    error = refused(machine)

    assert known.read_text() == ""
    assert fingerprint(machine) in str(error.where)
    assert f"ssh-keyscan -t ed25519 {machine.address} >> " in str(error.fix)
    machine.know()


def test_another_key_than_before_is_no_host_of_ours(machine: SecondMachine) -> None:
    machine.make_host_key()
    machine.crash()
    machine.boot(with_docker=False)

    error = refused(machine)

    assert "another key" in error.what
    assert fingerprint(machine) in str(error.where)
    machine.know()


@contextmanager
def engine(machine: SecondMachine, api: str, mode: int = 0o600) -> Iterator[There]:
    """A machine on which something at a socket answers as a Docker engine with that API does."""
    place = f"/home/deploy/{api}.sock"
    there = There(ssh_address.parse(f"ssh://shop{place}"))
    with closing(connection(machine, str(there))) as one:
        there.__dict__["connection"] = one
        one.shell(f"{PYTHON} - {place} {api} {mode:o} <<'END' >/dev/null 2>&1 &\n{ENGINE}\nEND\n")
        deadline = time.monotonic() + 30
        while one.shell(f"stat -c %a {place}").strip() != f"{mode:o}":
            assert time.monotonic() < deadline, "the engine has not come"
            time.sleep(0.05)
        yield there


@pytest.mark.parametrize(
    ("api", "mode", "told"),
    [
        ("1.40", 0o600, ("too old: its API is 1.40", "Docker 20.10")),
        ("1.50", 0, ("does not let deploy in", "--groups docker deploy")),
    ],
)
def test_it_is_said_why_an_engine_is_not_used(
    machine: SecondMachine, api: str, mode: int, told: tuple[str, ...]
) -> None:
    with engine(machine, api, mode) as there, pytest.raises(HostUnreachable) as caught:
        distant.connect(there, {})

    for word in told:
        assert word in f"{caught.value.what} {caught.value.fix}"


def test_an_engine_behind_another_socket_is_used(machine: SecondMachine) -> None:
    with engine(machine, "1.41") as there:
        client = distant.connect(there, {"DOCKER_HOST": "unix:///nowhere"})

        assert client.info()["ID"] == "ENGINE"
        assert not distant.is_here(client)
        client.close()


def test_an_engine_that_is_not_there_is_missed(machine: SecondMachine) -> None:
    there = There(ssh_address.parse("ssh://shop"))
    with closing(connection(machine)) as one:
        there.__dict__["connection"] = one
        with pytest.raises(HostUnreachable, match=r"does not answer|is not installed"):
            distant.connect(there, {})


def test_a_command_ends_with_that_error(machine: SecondMachine, tmp_path: Path, service_python: Path) -> None:
    one = Service(tmp_path, "hello", service_python)
    one.configure(docker_host="ssh://shop")
    one.environ |= machine.environ
    (machine.folder / "known_hosts").write_text("")

    done = one.deploy(code=31)

    machine.know()
    assert "the key of the Docker host is not known here" in done.err
    assert fingerprint(machine) in done.err
    assert one.updates() == []
    one.host.client.close()
