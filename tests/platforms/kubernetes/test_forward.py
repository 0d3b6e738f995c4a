from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import forward as forwards
from curtainup.platforms.kubernetes.cluster import Away, Refused
from curtainup.platforms.kubernetes.forward import Door, Forward


class Stream:
    """A connection to a pod, which answers each part with the pod's name."""

    def __init__(self, pod: str, *, error: str = "", lost: str = "") -> None:
        self.near, self.far = socket.socketpair()
        self.pod, self.lost, self._error = pod, lost, error
        Thread(target=self._serve, daemon=True).start()

    def socket(self, _port: int) -> Any:
        return self.near

    def close(self) -> None:
        self.near.close()

    def error(self, _port: int) -> str:
        return self._error

    def _serve(self) -> None:
        with self.far:
            if self._error or self.lost:
                return
            while part := self.far.recv(1024):
                self.far.sendall(self.pod.encode() + b" " + part)


class Pods:
    """A cluster whose pods answer, but for those that are gone."""

    def __init__(self) -> None:
        self.doors = [Door("a", 8080), Door("b", 8080)]
        self.gone: set[str] = set()
        self.hung: set[str] = set()
        self.asked: list[tuple[str, str, int]] = []
        self.patience: list[float] = []
        self.made: Callable[[str], Stream] = Stream
        self.failure: SetupError | None = None

    def forwarded(self, namespace: str, pod: str, port: int, patience: float) -> Any:
        self.asked.append((namespace, pod, port))
        self.patience.append(patience)
        if pod in self.hung:
            raise Away("the cluster's API server does not answer", detail="TimeoutError")
        if self.failure is not None:
            raise self.failure
        if pod in self.gone:
            raise Refused(404, "NotFound", f'pods "{pod}" not found')
        return self.made(pod)


@pytest.fixture
def pods() -> Pods:
    return Pods()


@pytest.fixture
def forward(pods: Pods) -> Iterator[Forward]:
    found = Forward(pods, "shop-live", lambda: pods.doors)  # type: ignore[arg-type]
    found.start()
    yield found
    found.close()


def _connect(forward: Forward) -> socket.socket:
    host, _, port = forward.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def _asked(forward: Forward, text: bytes = b"hello") -> bytes:
    with _connect(forward) as guest:
        guest.sendall(text)
        try:
            return guest.recv(1024)
        except ConnectionResetError:
            return b""


def test_bytes_reach_the_first_pod_and_come_back(forward: Forward, pods: Pods) -> None:
    with _connect(forward) as guest:
        for text in (b"one", b"two"):
            guest.sendall(text)
            assert guest.recv(1024) == b"a " + text
    assert pods.asked == [("shop-live", "a", 8080)], "one connection is one stream"


def test_another_pod_answers_if_the_first_is_gone(forward: Forward, pods: Pods) -> None:
    assert _asked(forward) == b"a hello"
    pods.gone.add("a")
    assert _asked(forward) == b"b hello"


def test_a_pod_whose_node_hangs_is_left_soon_and_tried_last_from_then_on(
    forward: Forward, pods: Pods
) -> None:
    pods.hung.add("a")
    assert _asked(forward) == b"b hello"
    assert pods.patience == [forwards.HURRY, forwards.PATIENCE]
    assert _asked(forward) == b"b hello"
    assert [pod for _, pod, _ in pods.asked] == ["a", "b", "b"]
    pods.gone.add("b")
    pods.hung.clear()
    assert _asked(forward) == b"a hello"


def test_no_connection_tries_more_than_some_pods(forward: Forward, pods: Pods) -> None:
    pods.doors = [Door(f"p{number}", 8080) for number in range(20)]
    pods.hung = {one.pod for one in pods.doors}
    assert _asked(forward) == b""
    assert len(pods.asked) == forwards.MOST
    assert forward.trouble == "the cluster's API server does not answer: TimeoutError"


def test_without_a_pod_the_guest_is_hung_up_on_and_told_why(forward: Forward, pods: Pods) -> None:
    pods.gone = {"a", "b"}
    assert _asked(forward) == b""
    assert forward.trouble == 'pods "b" not found'
    pods.doors = []
    assert _asked(forward) == b""
    assert forward.trouble == "none of its pods runs"


def test_an_api_server_that_is_away_hangs_up_and_is_asked_again(forward: Forward, pods: Pods) -> None:
    pods.failure = SetupError("the cluster's API server does not answer", detail="refused")
    assert _asked(forward) == b""
    assert forward.trouble == "the cluster's API server does not answer: refused"
    pods.failure = None
    assert _asked(forward) == b"a hello"


@pytest.mark.parametrize(("error", "lost"), [("connection refused", ""), ("", "connection reset")])
def test_a_connection_that_is_lost_on_the_way_ends_the_guest_s(
    forward: Forward, pods: Pods, error: str, lost: str
) -> None:
    pods.made = lambda pod: Stream(pod, error=error, lost=lost)
    with _connect(forward) as guest:
        assert guest.recv(1024) == b""
    deadline = time.monotonic() + 5
    while forward.trouble != error + lost and time.monotonic() < deadline:
        time.sleep(0.01)
    assert forward.trouble == error + lost


def test_another_user_of_this_machine_is_hung_up_on(
    forward: Forward, pods: Pods, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwards, "is_own", lambda *_: False)
    assert _asked(forward) == b""
    assert pods.asked == []


def test_in_the_end_nobody_gets_in_and_whoever_is_in_goes(forward: Forward) -> None:
    with ExitStack() as stack:
        guest = stack.enter_context(_connect(forward))
        guest.sendall(b"x")
        assert guest.recv(1024) == b"a x"
        forward.close()
        assert guest.recv(1024) == b""
        time.sleep(2 * forwards.ACCEPT_EVERY)
        with pytest.raises(OSError, match="refused"):
            _connect(forward)


def test_the_pods_are_asked_for_once_in_a_while_and_anew_when_one_is_gone(pods: Pods) -> None:
    times: list[int] = []

    def doors() -> list[Door]:
        times.append(1)
        return pods.doors

    lasting = Forward(pods, "shop-live", doors, 600.0)  # type: ignore[arg-type]
    lasting.start()
    assert [_asked(lasting) for _ in range(3)] == [b"a hello"] * 3
    assert len(times) == 1
    pods.gone = {"a", "b"}
    pods.doors = [Door("c", 8080)]
    assert _asked(lasting) == b"c hello"
    assert len(times) == 2
    lasting.close()
