"""A connection to a pod's port, with a server that speaks as the API server does."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from kubernetes.client import Configuration

from curtainup.platforms.kubernetes import streams
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.streams import DATA, ERROR
from tests.platforms.kubernetes.websockets import V4, Peer, serving

PORT = (8080).to_bytes(2, "little")
LARGE = b"x" * 60_000


def _begin(peer: Peer) -> None:
    peer.send(DATA, PORT)
    peer.send(ERROR, PORT)


@contextmanager
def _guest(work: Callable[[Peer], None], told: list[str]) -> Iterator[socket.socket]:
    """Give a guest that is joined with a pod which works so; `told` gets why the connection ended."""
    guest, ours = socket.socketpair()
    with serving(work, V4) as (url, asked):
        tls = streams.trust(Configuration())
        stream = streams.opened(Configuration(), tls, url, {"authorization": "Bearer x"}, 8080, 15.0)
        assert asked == [("ports", "8080")]
        joined = Thread(target=lambda: told.append(stream.join(ours)))
        joined.start()
        guest.settimeout(10)
        yield guest
        guest.close()
        joined.join(10)
        assert not joined.is_alive()
        ours.close()


def test_bytes_go_to_the_pod_and_come_back_until_the_pod_is_done() -> None:
    def work(peer: Peer) -> None:
        _begin(peer)
        assert peer.receive() == bytes([DATA]) + b"hello"
        peer.send(DATA, b"you")
        peer.send(DATA, b" too")

    told: list[str] = []
    with _guest(work, told) as guest:
        guest.sendall(b"hello")
        with guest.makefile("rb") as answer:
            assert answer.read() == b"you too"
    assert told == [""]


def test_much_goes_both_ways_at_once() -> None:
    """Neither side reads before it has sent all."""

    def work(peer: Peer) -> None:
        _begin(peer)
        for _ in range(40):
            peer.send(DATA, LARGE)
        left = 40 * len(LARGE)
        while left:
            left -= len(peer.receive()) - 1
        peer.send(DATA, b"all")

    told: list[str] = []
    with _guest(work, told) as guest:
        sending = Thread(target=guest.sendall, args=(LARGE * 40,))
        sending.start()
        with guest.makefile("rb") as answer:
            found = answer.read()
        sending.join()
    assert found == LARGE * 40 + b"all"
    assert told == [""]


def test_a_pod_that_takes_no_connection_says_why() -> None:
    def work(peer: Peer) -> None:
        _begin(peer)
        peer.send(ERROR, b"dial tcp4 127.0.0.1:8080: connection refused")

    told: list[str] = []
    with _guest(work, told) as guest:
        assert guest.recv(100) == b""
    assert told == ["dial tcp4 127.0.0.1:8080: connection refused"]


def test_a_guest_that_is_done_ends_the_connection() -> None:
    over: list[bytes] = []

    def work(peer: Peer) -> None:
        _begin(peer)
        over.extend([peer.receive(), peer.receive()])

    told: list[str] = []
    with _guest(work, told) as guest:
        guest.sendall(b"bye")
    assert over == [bytes([DATA]) + b"bye", b""]
    assert told == [""]


def test_what_no_websocket_sends_is_told() -> None:
    def work(peer: Peer) -> None:
        peer.raw(bytes([0xC2, 1, 0]))

    told: list[str] = []
    with _guest(work, told) as guest:
        assert guest.recv(100) == b""
    assert told != [""]


def test_a_refusal_is_the_api_server_s_own() -> None:
    with serving(lambda _: None, V4) as (url, _), pytest.raises(Refused) as caught:
        streams.opened(Configuration(), streams.trust(Configuration()), url, {}, 8080, 15.0)
    assert caught.value.status == 403


def test_an_api_server_that_is_not_there_or_hangs_is_told() -> None:
    tls = streams.trust(Configuration())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1/namespaces/n/pods/p/portforward"
        with pytest.raises(TimeoutError):
            streams.opened(Configuration(), tls, url, {}, 8080, 0.2)
    with pytest.raises(OSError, match="refused"):
        streams.opened(Configuration(), tls, url, {}, 8080, 15.0)


def test_an_api_server_is_trusted_as_the_kubeconfig_says() -> None:
    found = Configuration()
    trusted = streams.trust(found)
    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, True)
    found.assert_hostname = False
    trusted = streams.trust(found)
    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, False)
    found.verify_ssl = False
    trusted = streams.trust(found)
    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_NONE, False)
    found.cert_file = found.key_file = "/nowhere"
    with pytest.raises(OSError, match="No such file"):
        streams.trust(found)
