"""What users of a service see through the proxy, whose configuration `haproxy.render` writes."""

from __future__ import annotations

import socket
from threading import Event

import pytest

from curtainup.engine.provider import traffic
from tests.engine.provider.world import World, closing, get

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _served(world: World) -> None:
    traffic.create(world.inputs({"r1": 50, "r2": 50}), Event())


def test_streams_are_not_held_back(world: World) -> None:
    """The release sends its last part only after the first was read."""
    with closing(world.connect()) as user:
        user.request("GET", "/stream")
        answer = user.getresponse()
        assert answer.read(5) == b"first"
        for number in (1, 2):
            with closing(world.direct(number)) as direct:
                get(direct, "/go")
        assert answer.read() == b"last"


def test_sockets_are_upgraded(world: World) -> None:
    with socket.create_connection((f"{world.subnet}.2", 8080), timeout=300) as user:
        user.sendall(b"GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        lines = user.makefile("rwb")
        assert lines.readline().startswith(b"HTTP/1.1 101")
        while lines.readline().strip():
            pass
        lines.write(b"hello\n")
        lines.flush()
        assert lines.readline() == b"hello\n"


def test_a_release_learns_who_asks_and_how(world: World) -> None:
    with closing(world.connect()) as user:
        told = get(user, "/headers")[1].lower()
    assert f"x-forwarded-for: {world.subnet}.1" in told
    assert "x-forwarded-proto: http\n" in told


def test_a_proxy_in_front_is_believed(world: World) -> None:
    with closing(world.connect()) as user:
        user.request("GET", "/headers", headers={"X-Forwarded-Proto": "https"})
        assert "x-forwarded-proto: https\n" in user.getresponse().read().decode().lower()


@pytest.mark.parametrize(("method", "attempts"), [("GET", 4), ("POST", 1)])
def test_only_what_may_be_repeated_is_sent_again(world: World, method: str, attempts: int) -> None:
    with closing(world.connect()) as user:
        assert get(user, "/dies", method)[0] == 502
    made = 0
    for number in (1, 2):
        with closing(world.direct(number)) as direct:
            made += int(get(direct, "/attempts")[1])
    assert made == attempts


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_release_that_is_down_is_passed_over(world: World, method: str) -> None:
    world.api.stop(world.container(2))
    with closing(world.connect()) as user:
        assert {get(user, method=method) for _ in range(4)} == {(200, "r1", "r1")}


def test_users_are_told_when_no_release_answers(world: World) -> None:
    for number in (1, 2):
        world.api.stop(world.container(number))
    with closing(world.connect()) as user:
        assert get(user) == (503, "The release did not answer.\n", None)


def test_the_proxy_tells_its_state_on_a_port_of_its_own(world: World) -> None:
    with closing(world.connect()) as user:
        user.port = 8404
        assert get(user, "/alive")[:2] == (200, "alive\n")
        rows = get(user, "/stats;csv")[1].splitlines()
    assert [row.split(",")[1] for row in rows if row.startswith("releases,r")] == ["r1", "r2"]


def test_requests_in_flight_end_when_the_proxy_is_stopped(world: World) -> None:
    with closing(world.connect()) as user:
        user.request("GET", "/stream")
        answer = user.getresponse()
        assert answer.read(5) == b"first"
        world.api.kill(world.proxy, "SIGUSR1")
        for number in (1, 2):
            with closing(world.direct(number)) as direct:
                get(direct, "/go")
        assert answer.read() == b"last"
    assert world.api.wait(world.proxy, timeout=300)["StatusCode"] == 0
