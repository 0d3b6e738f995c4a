"""The way from a host's door to an environment's proxy, under one name.

`DoorRoute` is the resource in Pulumi's state, and the functions below are its operations. A route is a file
in the door, a certificate, and a second network of the proxy. The proxy's container stays, and so does
whatever else the door lets in: neither is started again, and no configuration is loaded.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from curtainup.engine.provider.kind import Properties, Say, silent
from curtainup.engine.provider.protocol import UNKNOWN, has_unknown
from curtainup.engine.provider.traffic import require_own
from curtainup.errors import HttpsFailed, Interrupted
from curtainup.platforms.caddy import config as caddy
from curtainup.platforms.caddy.door import ELSEWHERE, NO_NAME, OWN, Door, is_joined
from curtainup.platforms.docker import clock
from curtainup.platforms.haproxy import proxy

if TYPE_CHECKING:
    from docker import APIClient

TYPE = "curtainup:door:DoorRoute"
DERIVED: tuple[str, ...] = ()
LASTING: tuple[str, ...] = ()
UNCHECKED = "CURTAINUP_DOOR_UNCHECKED"
"""The variable that says that nobody need look whether DNS leads to the door."""
PATIENCE = 90.0
"""Seconds that a certificate may take."""
POLL = 0.5
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Route:
    """The wanted state of a route.

    Attributes:
        door: the name of the door's container.
        network: the network that the door and the proxy share.
        name: what the door answers if one knocks.
        host: the name for which the door lets requests in.
        proxy: the name of the proxy's container.
        owner: the stack that the name belongs to.
        certificate: whether the door has been given a certificate.

    """

    door: str
    network: str
    name: str
    host: str
    proxy: str
    owner: str
    certificate: bool = False


def parse(inputs: Properties) -> Route:
    """Return the route that checked inputs describe."""
    return Route(
        door=str(inputs["door"]),
        network=str(inputs["network"]),
        name=str(inputs["doorName"]),
        host=str(inputs["host"]),
        proxy=str(inputs["proxy"]),
        owner=str(inputs["owner"]),
        certificate=bool(inputs.get("certificate")),
    )


def check(olds: Properties, news: Properties) -> list[tuple[str, str]]:
    """Return what is wrong with the inputs, as property and reason; unknown values pass."""
    del olds
    host = news.get("host")
    found = [] if host == UNKNOWN or caddy.is_host(host) else [("host", f"{host!r} is no public name")]
    for name in ("door", "network", "doorName", "proxy", "owner"):
        value = news.get(name)
        if value != UNKNOWN and not (isinstance(value, str) and _NAME.fullmatch(value)):
            found.append((name, f"{value!r} is no name"))
    certificate = news.get("certificate")
    if certificate not in (None, UNKNOWN) and not _FINGERPRINT.fullmatch(str(certificate)):
        found.append(("certificate", f"{certificate!r} is no fingerprint"))
    return found


def completed(inputs: Properties) -> dict[str, Any]:
    """Return checked inputs: nothing is derived from them."""
    return dict(inputs)


def foreseen(inputs: Properties) -> dict[str, Any]:
    """Return the outputs that a preview may promise."""
    return {**inputs, "url": UNKNOWN if has_unknown(inputs) else _url(inputs)}


def name(inputs: Properties) -> str:
    """Return the resource's id: an environment has one route."""
    return str(inputs["owner"])


def create(
    inputs: Properties, cancelled: Event, say: Say = silent, *, stack: str | None = None
) -> dict[str, Any]:
    """Let requests for the name in, once it leads to the door and has a certificate; return the outputs.

    If it does not come to that, everything is as it was.

    Raises:
        HttpsFailed: DNS leads elsewhere, nobody issues a certificate, or the name belongs to another one.
        RefusedError: the proxy belongs to another environment.

    """
    return _made(inputs, cancelled, say, stack, known=False)


def _made(
    inputs: Properties, cancelled: Event, say: Say, stack: str | None, *, known: bool
) -> dict[str, Any]:
    """Make a route, and return its outputs; where the way to the name is known, nobody looks at DNS again."""
    route = parse(inputs)
    with proxy.connect(None) as api:
        try:
            if stack is not None:
                require_own(api, route.proxy, stack)
            _open(api, route, cancelled, say, known=known)
        except LookupError as error:
            raise _failed(route, f"{error} does not exist", "curtainup deploy makes it again") from error
    return {**inputs, "url": _url(inputs)}


def update(
    olds: Properties, inputs: Properties, cancelled: Event, say: Say = silent, *, stack: str | None = None
) -> dict[str, Any]:
    """Let requests for another name in, or let them in to another proxy; the old name goes last."""
    before, after = parse(olds), parse(inputs)
    known = (before.host, before.name, before.certificate) == (after.host, after.name, after.certificate)
    outputs = _made(inputs, cancelled, say, stack, known=known)
    if before.host != after.host:
        with proxy.connect(None) as api:
            _forget(api, before)
    return outputs


def read(
    state: Properties,
    cancelled: Event | None = None,  # noqa: ARG001 - there is nothing to wait for
    say: Say = silent,  # noqa: ARG001
) -> dict[str, Any] | None:
    """Return the real outputs, or None if the door or its way to the proxy is gone."""
    route = parse(state)
    with proxy.connect(None) as api:
        facts, door = proxy.container_facts(api, route.proxy), proxy.container_facts(api, route.door)
        if facts is None or door is None or not is_joined(facts, route.network, route.host):
            return None
        if proxy.runs(door) and Door(api, route.door).owner(route.host) != route.owner:
            return None
    return dict(state)


def delete(state: Properties) -> None:
    """Let no requests for the name in any more, and take the proxy off the door's network."""
    route = parse(state)
    with proxy.connect(None) as api:
        _forget(api, route)
        facts = proxy.container_facts(api, route.proxy)
        if facts is not None and route.network in facts["NetworkSettings"]["Networks"]:
            _disconnect(api, route)


def _open(api: APIClient, route: Route, cancelled: Event, say: Say, *, known: bool) -> None:
    """Let requests for the name in; the proxy keeps its name until the new one has a certificate."""
    door = Door(api, route.door)
    if not known and not route.certificate and not os.environ.get(UNCHECKED):
        say(f"looking whether {route.host} leads to this host")
        _require_leads_here(door, route)
    began = clock.now(api).timestamp()
    was_ours = door.owner(route.host) == route.owner
    door.claim(route.host, route.owner)
    try:
        if route.certificate:
            door.take_back_own(route.host)
        else:
            door.set_aside_own(route.host)
        _certify(door, route, began, cancelled, say)
        _connect(api, route)
    except Exception:
        door.take_back_own(route.host)
        if not was_ours:
            door.release(route.host, route.owner)
        raise
    if not route.certificate:
        door.drop_own(route.host)


def _require_leads_here(door: Door, route: Route) -> None:
    """Check that DNS leads to the door, before an ACME server is asked to look."""
    found = door.knock(route.host, route.name)
    if found.where == OWN:
        return
    if found.where == NO_NAME:
        raise _failed(route, "DNS does not know the name", "create its record, with this host's address")
    leads = f"DNS leads to {found.address}" if found.address else "DNS leads elsewhere"
    if found.where == ELSEWHERE:
        raise _failed(
            route,
            f"{leads}, where something else than this host's door answers",
            "point its record to this host, and wait until DNS tells everybody so",
        )
    raise _failed(
        route,
        f"{leads}, where nothing answers on port 80",
        f"point its record to this host, and open ports 80 and 443 in its firewall; {UNCHECKED}=1 goes on "
        "without this look, if only the host itself cannot reach its own address",
    )


def _certify(door: Door, route: Route, began: float, cancelled: Event, say: Say) -> None:
    """Have the door answer as the name, which makes it ask for a certificate unless it has one.

    Raises:
        HttpsFailed: the ACME server refused, or does not answer.
        Interrupted: the run ends.

    """
    deadline = time.monotonic() + PATIENCE
    while not door.greets(route.host):
        complaints = list(door.complaints(route.host, began))
        if complaints or time.monotonic() > deadline:
            raise _uncertified(route, complaints[-1] if complaints else "nothing came of it in time")
        say(f"waiting for the certificate of {route.host}")
        if cancelled.wait(POLL):
            raise Interrupted(f"cancelled before {route.host} had its certificate", fix="curtainup deploy")


def _uncertified(route: Route, complaint: str) -> HttpsFailed:
    if "rateLimited" in complaint or "HTTP 429" in complaint:
        return _failed(
            route,
            "the ACME server issues no more certificates for it for now",
            "wait as long as it says, or use a certificate of your own: `certificate:`",
            complaint,
        )
    return _failed(
        route,
        "the ACME server issues no certificate for it",
        "see what it says; it has to reach ports 80 and 443 of this host under that name",
        complaint,
    )


def _failed(route: Route, what: str, fix: str, detail: str | None = None) -> HttpsFailed:
    return HttpsFailed(
        what,
        where=f"HTTPS of {route.host}",
        consequence="the door lets no requests for it in",
        fix=fix,
        detail=detail,
    )


def _connect(api: APIClient, route: Route) -> None:
    """Put the proxy on the door's network. That network leads nowhere else: no route of the proxy changes."""
    facts = proxy.container_facts(api, route.proxy)
    if facts is None:
        raise LookupError(f"container {route.proxy}")
    if is_joined(facts, route.network, route.host):
        return
    if route.network in facts["NetworkSettings"]["Networks"]:
        _disconnect(api, route)
    with proxy.docker_errors(f"network {route.network}"):
        api.connect_container_to_network(route.proxy, route.network, aliases=[caddy.alias(route.host)])


def _disconnect(api: APIClient, route: Route) -> None:
    with proxy.docker_errors(f"network {route.network}"):
        api.disconnect_container_from_network(route.proxy, route.network)


def _forget(api: APIClient, route: Route) -> None:
    """Take the name out of the door; without a door that runs there is nothing to take out."""
    door = proxy.container_facts(api, route.door)
    if door is not None and proxy.runs(door):
        Door(api, route.door).release(route.host, route.owner)
        if route.certificate:  # what removes the route may be undone
            Door(api, route.door).set_aside_own(route.host)


def _url(inputs: Properties) -> str:
    return f"https://{inputs['host']}"
