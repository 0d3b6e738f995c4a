"""What users and whoever judges a release get from a real proxy while somebody works on the service."""

from __future__ import annotations

import http.client
import time
from threading import Event
from typing import Any

import pytest

from curtainup.engine.provider import traffic
from curtainup.platforms.haproxy import maintenance, proxy
from tests.engine.provider.load import Load
from tests.engine.provider.world import World, closing, get

NEVER = Event()
PAGE = "<!doctype html>\n<title>Back \"soon\" {at} 5 | 6 % ü</title>\n<p>\t$HOME & \\back; 'slash'</p>\n"
SEEN = PAGE.translate(dict.fromkeys((9, 10), " "))
PATIENCE = 60.0

pytestmark = pytest.mark.docker


def _open(world: World, port: int = 8080) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(f"{world.subnet}.2", port, timeout=60)


def test_users_get_the_page_and_the_host_reaches_the_service_past_it(
    world: World, inputs: dict[str, Any]
) -> None:
    state = traffic.create(inputs, NEVER)
    with closing(_open(world)) as user, closing(_open(world, 8404)) as host:
        assert get(user) == (200, "r1", "r1")
        state = traffic.update(state, {**inputs, "maintenance": PAGE}, NEVER)

        user.request("POST", "/", body="x" * 1_000)
        answer = user.getresponse()
        assert (answer.status, answer.read().decode()) == (503, SEEN)
        assert answer.getheader("Retry-After") == str(maintenance.RETRY_AFTER)
        assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
        assert answer.getheader("Cache-Control") == "no-store"
        assert get(host) == (200, "r1", "r1")
        assert get(host, "/alive")[2] == "r1", "it is a path of the service's by then"
        assert "releases,r1," in get(host, "/stats;csv;norefresh")[1]

        state = traffic.update(state, world.inputs({"r1": 0, "r2": 100}, maintenance=PAGE), NEVER)
        assert get(user)[0] == 503
        assert get(host) == (200, "r2", "r2")

        traffic.update(state, world.inputs({"r1": 0, "r2": 100}), NEVER)
        assert get(user) == (200, "r2", "r2")
        assert get(host, "/alive")[:2] == (200, "alive\n")


def test_it_lasts_over_a_restart_of_the_proxy_however_large_the_page_may_be(
    world: World, inputs: dict[str, Any]
) -> None:
    large = "<p>" + "ä" * (maintenance.limit(15) // 2 - 2)
    assert len(large.encode()) <= maintenance.limit(15)
    state = traffic.create({**inputs, "maintenance": large}, NEVER)
    with closing(_open(world)) as user:
        assert get(user)[:2] == (503, large)
    world.api.restart(world.proxy)
    assert _answer(world)[:2] == (503, large)
    found = traffic.read(state)
    assert found is not None
    assert found["maintenance"] == large
    traffic.update(state, inputs, NEVER)
    with closing(_open(world)) as user:
        assert get(user) == (200, "r1", "r1")


def test_what_somebody_does_by_hand_is_seen_and_put_right(world: World, inputs: dict[str, Any]) -> None:
    state = traffic.create({**inputs, "maintenance": PAGE}, NEVER)
    world.say("experimental-mode on; set var proc.maintenance str()")
    found = traffic.read(state)
    assert found is not None
    assert found["maintenance"] == ""
    traffic.update(found, {**inputs, "maintenance": PAGE}, NEVER)
    with closing(_open(world)) as user:
        assert get(user)[0] == 503

    world.say("experimental-mode on; set var proc.maintenance str(b3RoZXI=)")
    found = traffic.read(traffic.create(inputs, NEVER) | {"maintenance": PAGE})
    assert found is not None
    assert found["maintenance"] == ""


def test_no_request_under_way_is_dropped_and_all_others_get_one_or_the_other(
    world: World, inputs: dict[str, Any]
) -> None:
    state = traffic.create(inputs, NEVER)
    with closing(_open(world)) as user:
        user.request("GET", "/stream")
        answer = user.getresponse()
        assert answer.read(5) == b"first"
        state = traffic.update(state, {**inputs, "maintenance": PAGE}, NEVER)
        with closing(world.direct(1)) as direct:
            get(direct, "/go")
        assert answer.read() == b"last"
        assert get(user)[0] == 503, "the same connection goes on"
    traffic.update(state, inputs, NEVER)
    with Load(world) as load:
        load.more()


def test_a_proxy_that_began_with_an_older_file_says_that_it_heeds_no_page(world: World) -> None:
    assert proxy.Proxy(world.api, world.proxy).observe().maintenance == ""
    script = f"sed -i /{maintenance.KNOWN}/d /etc/curtainup/haproxy.cfg"
    world.run(script)
    world.restart_proxy()
    assert proxy.Proxy(world.api, world.proxy).observe().maintenance is None


def _answer(world: World) -> tuple[int, str, str | None]:
    """Return the first answer of a proxy that starts."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with closing(_open(world)) as user:
                return get(user)
        except (OSError, http.client.HTTPException):
            assert time.monotonic() < deadline
            time.sleep(0.05)
