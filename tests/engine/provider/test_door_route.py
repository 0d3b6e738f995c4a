"""What a route does when something is wrong; tests/e2e/test_https.py shows the rest on a real door."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from curtainup.engine.errors import translated
from curtainup.engine.provider import door_route
from curtainup.engine.provider.servicer import one_line
from curtainup.errors import CurtainupError, HttpsFailed
from curtainup.platforms.caddy.door import ELSEWHERE, NO_NAME, OWN, SILENT, Knocked
from curtainup.platforms.haproxy import proxy
from tests.engine.test_errors import _error

INPUTS = {
    "door": "curtainup-door",
    "network": "curtainup-door",
    "doorName": "d1",
    "host": "shop.example.com",
    "proxy": "shop-live-proxy",
    "proxyId": "abc",
    "owner": "shop-live",
}
LIMIT = "HTTP 429 urn:ietf:params:acme:error:rateLimited - too many certificates already issued"


class World:
    """A door, a proxy and a network, as the Docker engine would have them."""

    def __init__(self) -> None:
        self.knocked = Knocked(OWN)
        self.owners: dict[str, str] = {}
        self.aliases: list[str] | None = None
        self.has_certificate = True
        self.complaint = ""
        self.own: set[str] = set()
        self.aside: set[str] = set()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        return

    # The Docker engine

    def info(self) -> dict[str, str]:
        return {"SystemTime": "2030-01-01T00:00:00.000000000Z"}

    def facts(self, _api: object, container: str) -> dict[str, Any] | None:
        networks = {} if self.aliases is None else {"curtainup-door": {"Aliases": self.aliases}}
        return {
            "State": {"Running": True},
            "NetworkSettings": {"Networks": networks if container != "curtainup-door" else {}},
        }

    def connect_container_to_network(self, _container: str, _network: str, aliases: list[str]) -> None:
        self.aliases = aliases

    def disconnect_container_from_network(self, _container: str, _network: str) -> None:
        self.aliases = None

    # The door

    def drop_own(self, host: str) -> None:
        self.own.discard(host)
        self.aside.discard(host)

    def set_aside_own(self, host: str) -> None:
        self.aside |= self.own & {host}
        self.own.discard(host)

    def take_back_own(self, host: str) -> None:
        self.own |= self.aside & {host}
        self.aside.discard(host)

    def knock(self, _host: str, _door: str) -> Knocked:
        return self.knocked

    def owner(self, host: str) -> str:
        return self.owners.get(host, "")

    def claim(self, host: str, owner: str) -> None:
        if self.owners.setdefault(host, owner) != owner:
            raise HttpsFailed("it belongs to another one")

    def release(self, host: str, owner: str) -> None:
        if self.owners.get(host) == owner:
            del self.owners[host]

    def greets(self, _host: str) -> bool:
        return self.has_certificate

    def complaints(self, _host: str, _since: float) -> Iterator[str]:
        yield from [self.complaint] if self.complaint else []


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(proxy, "connect", lambda _: world)
    monkeypatch.setattr(proxy, "container_facts", world.facts)
    monkeypatch.setattr(door_route, "Door", lambda *_: world)
    monkeypatch.delenv(door_route.UNCHECKED, raising=False)
    return world


def _create(**changed: str) -> dict[str, Any]:
    return door_route.create({**INPUTS, **changed}, Event())


def _fails(**changed: str) -> CurtainupError:
    with pytest.raises(HttpsFailed) as caught:
        _create(**changed)
    return caught.value


def test_a_route_is_a_file_and_a_name_of_the_proxy_on_the_doors_network(world: World) -> None:
    assert _create()["url"] == "https://shop.example.com"
    assert world.owners == {"shop.example.com": "shop-live"}
    assert world.aliases == ["shop.example.com.curtainup.internal"]


@pytest.mark.parametrize(
    ("knocked", "told"),
    [
        (Knocked(NO_NAME), "DNS does not know the name"),
        (Knocked(ELSEWHERE, "192.0.2.7"), "DNS leads to 192.0.2.7, where something else"),
        (Knocked(SILENT, "192.0.2.7"), "DNS leads to 192.0.2.7, where nothing answers on port 80"),
    ],
)
def test_where_dns_leads_elsewhere_nobody_is_asked_for_a_certificate(
    world: World, knocked: Knocked, told: str
) -> None:
    world.knocked = knocked
    assert told in _fails().what
    assert (world.owners, world.aliases) == ({}, None)


def test_one_may_know_better(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(door_route.UNCHECKED, "1")
    world.knocked = Knocked(SILENT, "192.0.2.7")
    _create()
    assert world.owners


@pytest.mark.parametrize(
    ("complaint", "told"),
    [(LIMIT, "no more certificates for it for now"), ("HTTP 403 unauthorized", "issues no certificate")],
)
def test_without_a_certificate_the_name_leads_nowhere(world: World, complaint: str, told: str) -> None:
    world.has_certificate, world.complaint = False, complaint
    failed = _fails()
    assert told in failed.what
    assert failed.detail == complaint
    assert (world.owners, world.aliases) == ({}, None)


def test_a_name_that_leads_to_the_environment_already_stays_if_something_is_wrong(world: World) -> None:
    _create()
    world.has_certificate, world.complaint = False, LIMIT
    _fails()
    assert world.owners == {"shop.example.com": "shop-live"}


def test_the_name_of_another_environment_is_left_alone(world: World) -> None:
    world.owners["shop.example.com"] = "other-live"
    assert "belongs to another one" in _fails().what
    assert world.owners == {"shop.example.com": "other-live"}


def test_another_name_comes_before_the_old_one_goes(world: World) -> None:
    before = _create()
    door_route.update(before, {**INPUTS, "host": "new.example.com"}, Event())
    assert world.owners == {"new.example.com": "shop-live"}
    assert world.aliases == ["new.example.com.curtainup.internal"]


def test_a_name_goes_on_leading_there_if_another_one_gets_no_certificate(world: World) -> None:
    before = _create()
    world.has_certificate, world.complaint = False, LIMIT
    with pytest.raises(HttpsFailed):
        door_route.update(before, {**INPUTS, "host": "new.example.com"}, Event())
    assert world.owners == {"shop.example.com": "shop-live"}
    assert world.aliases == ["shop.example.com.curtainup.internal"]


def test_another_proxy_needs_no_dns(world: World) -> None:
    before = _create()
    world.knocked, world.aliases = Knocked(NO_NAME), None
    door_route.update(before, {**INPUTS, "proxyId": "def"}, Event())
    assert world.aliases == ["shop.example.com.curtainup.internal"]


def test_a_certificate_of_ones_own_stays_until_there_is_another_one(world: World) -> None:
    world.own = {"shop.example.com"}
    before = _create(certificate="a" * 64)
    world.has_certificate, world.complaint = False, LIMIT
    with pytest.raises(HttpsFailed):
        door_route.update(before, INPUTS, Event())
    assert world.own == {"shop.example.com"}


def test_a_door_that_starts_again_and_again_is_not_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = _create()
    looping = {"Running": True, "Restarting": True}
    monkeypatch.setattr(
        proxy, "container_facts", lambda *asked: {**(world.facts(*asked) or {}), "State": looping}
    )
    monkeypatch.setattr(world, "owner", lambda _: pytest.fail("it was asked"))
    assert door_route.read(state) == state


def test_what_is_removed_leads_nowhere(world: World) -> None:
    door_route.delete(_create())
    assert (world.owners, world.aliases) == ({}, None)


def test_what_was_taken_away_by_hand_is_gone(world: World) -> None:
    state = _create()
    assert door_route.read(state) == state
    world.aliases = None
    assert door_route.read(state) is None


def test_a_certificate_of_ones_own_needs_no_dns(world: World) -> None:
    world.knocked, world.own = Knocked(NO_NAME), {"shop.example.com"}
    before = _create(certificate="a" * 64)
    assert world.owners
    world.knocked = Knocked(OWN)
    door_route.update(before, INPUTS, Event())
    assert not world.own


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("certificate", "../x"),
        ("host", "a.test/x"),
        ("host", "*.example.com"),
        ("proxy", "../x"),
        ("owner", "a b"),
    ],
)
def test_values_that_mean_something_else_elsewhere_are_refused(name: str, value: str) -> None:
    assert [path for path, _ in door_route.check({}, {**INPUTS, name: value})] == [name]


def test_the_error_reaches_people_as_it_was(world: World) -> None:
    world.has_certificate, world.complaint = False, LIMIT
    failed = _fails()
    error = translated(_error("x"), [f"error: {one_line(failed)}"], where="pulumi up of stack shop-live")
    assert isinstance(error, HttpsFailed)
    assert (error.what, error.where, error.fix) == (failed.what, failed.where, failed.fix)
    assert error.detail == LIMIT
