from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
import requests

import curtainup
from curtainup.util import peers
from tests.strangers import as_stranger, needs_root

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
PEER, HERE = ("127.0.0.1", 0xA0B0), ("127.0.0.1", 0x1F90)
LOOPBACK = f"{int.from_bytes(bytes([127, 0, 0, 1]), sys.byteorder):08X}"
MAPPED = f"0000000000000000FFFF0000{LOOPBACK}"


def row(*, local: str, remote: str, state: str = "01", user: int = 1000, inode: int = 77) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {user} 0 {inode} 1"


@pytest.mark.parametrize(
    ("rows", "owner"),
    [
        ([row(local=f"{LOOPBACK}:A0B0", remote=f"{LOOPBACK}:1F90")], 1000),
        ([row(local=f"{MAPPED}:A0B0", remote=f"{MAPPED}:1F90", user=7)], 7),
        ([row(local=f"{LOOPBACK}:A0B0", remote=f"{LOOPBACK}:1F91")], None),
        ([row(local=f"{LOOPBACK}:1F90", remote=f"{LOOPBACK}:A0B0", user=0)], None),
        ([row(local=f"{LOOPBACK}:A0B0", remote=f"{LOOPBACK}:1F90", state="06", user=0, inode=0)], None),
        ([row(local=f"{LOOPBACK}:A0B0", remote=f"{LOOPBACK}:1F90", user=0, inode=0)], None),
        ([], None),
    ],
    ids=["ours", "IPv6", "to another port", "our own end", "closed", "of nobody", "gone"],
)
def test_the_kernel_says_whose_a_socket_is(rows: list[str], owner: int | None) -> None:
    assert peers.owner([HEAD, *rows], PEER, HERE) == owner


def test_a_connection_of_this_user_is_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = server.getsockname()
        with socket.create_connection(here) as caller:
            assert peers.is_own(caller.getsockname(), here)
            gone = caller.getsockname()
        assert not peers.is_own(gone, here)


def test_the_kernel_is_asked_for_one_socket_and_knows_when_it_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = server.getsockname()
        with socket.create_connection(here) as caller:
            gone = caller.getsockname()
            assert peers.asked(gone, here) == os.geteuid()
            assert peers.asked((gone[0], 1), here) is None
            assert peers.asked(gone, (here[0], 1)) is None
        assert peers.asked(gone, here) is None


@pytest.mark.parametrize("way", ["no netlink", "another answer"])
def test_where_the_kernel_does_not_answer_its_tables_do(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = server.getsockname()
        with socket.create_connection(here) as caller:
            if way == "no netlink":
                monkeypatch.setattr(peers, "_SOCK_DIAG", 255)
            else:
                monkeypatch.setattr(peers, "_BY_FAMILY", 255)
            assert peers.asked(caller.getsockname(), here) is None
            assert peers.is_own(caller.getsockname(), here)


def test_a_program_that_speaks_ipv6_to_an_ipv4_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET6) as caller:
        here = server.getsockname()
        caller.connect((f"::ffff:{here[0]}", here[1]))
        assert peers.is_own((here[0], caller.getsockname()[1]), here)


def test_a_port_that_somebody_may_have_sent_something_to_has_guests() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = server.getsockname()
        assert not peers.is_connected(here[1]), "it only listens"
        with socket.create_connection(here) as caller:
            assert peers.is_connected(here[1]), "though nobody has accepted it"
            caller.sendall(b"!")
        assert peers.is_connected(here[1]), "what was sent can still be read"
    assert not peers.is_connected(here[1])


class Hello(BaseHTTPRequestHandler):
    answered = 0

    def do_GET(self) -> None:
        Hello.answered += 1
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    server = peers.OwnHTTPServer(("127.0.0.1", 0), Hello)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_this_user_is_answered(port: int) -> None:
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 200


def test_who_hangs_up_at_once_ends_nothing(port: int) -> None:
    for _ in range(20):
        with closing(socket.create_connection(("127.0.0.1", port))):
            pass
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 200


@needs_root
def test_another_user_is_not(port: int) -> None:
    code = f"""
with socket.create_connection(("127.0.0.1", {port})) as caller:
    caller.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    try:
        print(caller.recv(100))
    except ConnectionResetError:
        print(b"")
"""
    assert as_stranger("import encodings.idna, socket", code) == "b''"


@needs_root
def test_an_order_of_another_user_who_vanishes_is_not_taken(port: int) -> None:
    """A socket without an owner is shown as root's."""
    code = f"""
for _ in range(50):
    caller = socket.create_connection(("127.0.0.1", {port}))
    caller.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    caller.close()
"""
    before = Hello.answered
    assert as_stranger("import encodings.idna, socket", code) == ""
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 200
    assert Hello.answered == before + 1


def test_every_server_of_ours_asks_whose_a_connection_is() -> None:
    """A server that is made in another way answers every user of the machine."""
    folder = Path(curtainup.__file__).parent
    guards = {folder / "util" / "peers.py", folder / "engine" / "provider" / "guard.py"}
    unguarded = re.compile(r"(?<!Own)(HTTPServer|grpc\.server|grpc\.aio\.server|TCPServer)\(")
    found = [file for file in folder.rglob("*.py") if unguarded.search(file.read_text())]
    assert set(found) <= guards
