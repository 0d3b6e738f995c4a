"""The traffic switch of a Docker host: which releases are behind the proxy, and the share of each.

`TrafficSwitch` is the resource in Pulumi's state, and the functions below are its operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from curtainup.engine.provider import switch_inputs
from curtainup.engine.provider.kind import Properties, Say, silent
from curtainup.engine.provider.protocol import UNKNOWN, has_unknown
from curtainup.errors import EngineFailed, Interrupted, RefusedError, StateError
from curtainup.platforms.haproxy import config as haproxy
from curtainup.platforms.haproxy import maintenance, proxy
from curtainup.platforms.haproxy.config import Server

if TYPE_CHECKING:
    from docker import APIClient

TYPE = "curtainup:traffic:TrafficSwitch"
DERIVED = ("config",)
LASTING: tuple[str, ...] = ()
POLL = 0.2
# Seconds that HAProxy may take to delete a server after its sessions have been closed.
CLOSING = 10.0
PROXY_PIDS = 512
"""How many processes and threads a proxy may have: HAProxy has a thread for each of at most 64 processors."""

_SERVICE, _ENVIRONMENT = "curtainup.service", "curtainup.environment"
"""The labels of a container that tell whose it is."""


@dataclass(frozen=True)
class Switch:
    """The wanted state of a switch.

    Attributes:
        proxy: the name of the proxy's container.
        docker_host: the Docker engine's address; None is that of the deployer's environment.
        addresses: the `ip:port` of each release.
        containers: the name or id of each release's container.
        pids_limits: how many processes each release's container may have, if it has a limit.
        traffic: the share of each release, in per cent.
        request_timeout: seconds that a release may stay silent.
        drain_timeout: seconds that the requests of a removed release get to end by themselves.
        gateway: the Docker host's address on the proxy's network, which may read the statistics; None lets
            everybody on that network read them.
        door: the address of the door in front of the proxy; None is none.
        maintenance: the page that users get instead of an answer; empty lets them reach the releases.

    """

    proxy: str
    docker_host: str | None
    addresses: Mapping[str, str]
    containers: Mapping[str, str]
    pids_limits: Mapping[str, int]
    traffic: Mapping[str, int]
    request_timeout: int
    drain_timeout: float
    gateway: str | None
    door: str | None = None
    maintenance: str = ""

    @property
    def servers(self) -> dict[str, Server]:
        """The servers that HAProxy should have, by release."""
        return haproxy.servers(self.addresses, self.traffic)

    @property
    def config(self) -> str:
        """The wanted content of the proxy's file."""
        return haproxy.render(
            self.servers.values(),
            request_timeout=self.request_timeout,
            gateway=self.gateway,
            door=self.door,
            maintenance=self.maintenance,
        )


def parse(inputs: Properties) -> Switch:
    """Return the switch that checked inputs describe."""
    backends = inputs["backends"]
    return Switch(
        proxy=inputs["proxy"],
        docker_host=inputs.get("dockerHost"),
        addresses={one["release"]: one["address"] for one in backends},
        containers={one["release"]: one["container"] for one in backends},
        pids_limits={one["release"]: one["pidsLimit"] for one in backends if one.get("pidsLimit")},
        traffic=inputs["traffic"],
        request_timeout=inputs["requestTimeout"],
        drain_timeout=inputs["drainTimeout"],
        gateway=inputs.get("gateway"),
        door=inputs.get("door"),
        maintenance=inputs.get("maintenance") or "",
    )


def check(olds: Properties, news: Properties) -> list[tuple[str, str]]:
    """Return what is wrong with the inputs, as property and reason; unknown values pass."""
    return switch_inputs.failures(olds, news)


def completed(inputs: Properties) -> dict[str, Any]:
    """Return checked inputs with `config`, the fingerprint of the proxy's wanted file.

    Because it is an input, Pulumi sees a difference if somebody or an older version wrote another file.
    """
    known = not has_unknown(inputs)
    return {**inputs, "config": proxy.fingerprint(parse(inputs).config) if known else UNKNOWN}


def foreseen(inputs: Properties) -> dict[str, Any]:
    """Return the outputs that a preview may promise."""
    if has_unknown(inputs):
        return {**inputs, "weights": UNKNOWN}
    return {**inputs, "weights": {name: server.weight for name, server in parse(inputs).servers.items()}}


def name(inputs: Properties) -> str:
    """Return the resource's id: a proxy has one switch."""
    return str(inputs["proxy"])


def create(
    inputs: Properties, cancelled: Event, say: Say = silent, *, stack: str | None = None
) -> dict[str, Any]:
    """Put the releases into the proxy, whatever it has now; return the resource's outputs.

    `stack` is as in `update`.
    """
    return _apply(inputs, None, {}, cancelled, say, stack)


def update(
    olds: Properties, inputs: Properties, cancelled: Event, say: Say = silent, *, stack: str | None = None
) -> dict[str, Any]:
    """Move traffic, and add and remove releases; return the resource's outputs.

    Args:
        olds: the outputs in Pulumi's state. They save a round trip if HAProxy agrees.
        inputs: the wanted state.
        cancelled: ends the wait for the requests of removed releases.
        say: shows what the update waits for.
        stack: the stack whose containers it may touch; None is any.

    """
    same_proxy = olds.get("proxyId") == inputs.get("proxyId")
    before = parse(olds) if same_proxy else None
    expected = haproxy.servers(before.addresses, olds.get("weights", {})) if before else None
    return _apply(inputs, expected, _limits(before) if before else {}, cancelled, say, stack)


def read(
    state: Properties,
    cancelled: Event | None = None,  # noqa: ARG001 - there is nothing to wait for
    say: Say = silent,  # noqa: ARG001
) -> dict[str, Any] | None:
    """Return the real outputs, or None if the proxy's container is gone.

    A proxy that does not run has no servers. The outputs contain only releases that HAProxy has.
    """
    switch = parse(state)
    with proxy.connect(switch.docker_host) as api:
        facts = proxy.container_facts(api, switch.proxy)
        if facts is None:
            return None
        observed = proxy.Observed({}, "")
        if proxy.runs(facts):
            observed = proxy.Proxy(api, switch.proxy).observe()
        limits = {
            release: _pids_limit(proxy.container_facts(api, container))
            for release, container in switch.containers.items()
            if release in switch.pids_limits and release in observed.servers
        }
    return {**_live(state, observed, limits), "proxyId": facts["Id"]}


def delete(state: Properties) -> None:
    """Leave what it steers as it is."""
    del state


def _apply(
    inputs: Properties,
    expected: Mapping[str, Server] | None,
    limited: Mapping[str, int],
    cancelled: Event,
    say: Say,
    stack: str | None,
) -> dict[str, Any]:
    switch = parse(inputs)
    with proxy.connect(switch.docker_host) as api:
        try:
            changed = {name: limit for name, limit in _limits(switch).items() if limited.get(name) != limit}
            if stack is not None:
                for container in changed:
                    require_own(api, container, stack)
                if require_own(api, switch.proxy, stack)["HostConfig"]["PidsLimit"] != PROXY_PIDS:
                    changed[switch.proxy] = PROXY_PIDS
            for container, limit in changed.items():
                proxy.limit_pids(api, container, limit)
            observed = _converge(proxy.Proxy(api, switch.proxy), switch, expected, cancelled, say)
        except LookupError as error:
            raise StateError(
                f"{error} does not exist",
                consequence="no traffic was moved",
                fix="pulumi up --refresh",
            ) from error
    weights = {release: server.weight for release, server in observed.servers.items()}
    return {**inputs, "weights": weights}


def require_own(api: APIClient, container: str, stack: str) -> dict[str, Any]:
    """Return the facts of a container, which belongs to the stack's environment.

    Raises:
        LookupError: the container does not exist.
        RefusedError: it belongs to something else.

    """
    facts = proxy.container_facts(api, container)
    if facts is None:
        raise LookupError(f"container {container}")
    labels = facts["Config"]["Labels"] or {}
    if f"{labels.get(_SERVICE)}-{labels.get(_ENVIRONMENT)}" != stack:
        raise RefusedError(
            f"the container does not belong to {stack}",
            where=f"container {container}",
            consequence="it was left alone, and no traffic was moved",
            fix=f"docker inspect {container} shows whose it is by its labels {_SERVICE} and {_ENVIRONMENT}",
        )
    return facts


def _limits(switch: Switch) -> dict[str, int]:
    """Return how many processes each container may have, if it has a limit."""
    return {switch.containers[release]: limit for release, limit in switch.pids_limits.items()}


def _converge(
    driven: proxy.Proxy, switch: Switch, expected: Mapping[str, Server] | None, cancelled: Event, say: Say
) -> proxy.Observed:
    """Bring HAProxy to the wanted state; wait for the requests of removed releases, up to a limit."""
    wanted = switch.servers
    servers = driven.observe().servers if expected is None else expected
    deadline = monotonic() + switch.drain_timeout
    while monotonic() < deadline + CLOSING:
        moves = haproxy.moves(servers, wanted)
        removals = haproxy.removals(servers, wanted, force=monotonic() > deadline)
        commands = [*haproxy.set_request_timeout(switch.request_timeout), *moves, *removals]
        page = maintenance.show(switch.maintenance)
        observed = driven.command(servers, commands, switch.config, page)
        if observed.servers == wanted and _shows(observed, switch.maintenance):
            return observed
        if moves and observed.servers == servers:
            raise _refused(switch.proxy, observed.said)
        # Without an answer nothing was tried, because the servers were not the expected ones.
        leaving = ", ".join(sorted(set(observed.servers) - set(wanted)))
        if observed.said and leaving:
            say(f"waiting for the last requests of {leaving}")
        if observed.said and leaving and cancelled.wait(POLL):
            raise Interrupted(
                f"cancelled while requests of {leaving} were still running",
                where=f"proxy {switch.proxy}",
                consequence="traffic has moved, and they get no new requests",
                fix="pulumi up",
            )
        servers = observed.servers
    raise _refused(switch.proxy, observed.said)


def _refused(container: str, said: str) -> EngineFailed:
    return EngineFailed(
        "HAProxy did not accept the change",
        where=f"proxy {container}",
        consequence="traffic may not be split as wanted",
        fix="pulumi up --refresh",
        detail=said,
    )


def _live(state: Properties, observed: proxy.Observed, limits: Mapping[str, int | None]) -> dict[str, Any]:
    """Return the state with the real values in place of the wanted ones."""
    serving = {release: server for release, server in observed.servers.items() if server.ready}
    weights = {release: server.weight for release, server in serving.items()}
    backends = []
    for one in state["backends"]:
        release = one["release"]
        if release in serving:
            limit = {"pidsLimit": limits[release]} if release in limits else {}
            backends.append({**one, "address": serving[release].address, **limit})
    named = state["traffic"]
    return {
        **state,
        "backends": backends,
        "traffic": {release: weight for release, weight in weights.items() if weight or release in named},
        "weights": weights,
        "config": observed.config,
        **_shown(state, observed),
    }


def _shows(observed: proxy.Observed, page: str) -> bool:
    """Return whether users get a page, or with an empty one the releases.

    A proxy that has not read a file which heeds the page cannot show one.
    """
    return observed.maintenance is None or observed.maintenance == maintenance.encoded(page)


def _shown(state: Properties, observed: proxy.Observed) -> dict[str, str]:
    """Return the page that users get, if it is another one than the state says."""
    if observed.maintenance is None or _shows(observed, state.get("maintenance") or ""):
        return {}
    return {"maintenance": maintenance.decoded(observed.maintenance)}


def _pids_limit(facts: Mapping[str, Any] | None) -> int | None:
    return None if facts is None else facts["HostConfig"]["PidsLimit"] or None
