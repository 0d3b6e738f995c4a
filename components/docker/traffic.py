"""The traffic switch as the program declares it; `curtainup.engine.provider.traffic` carries it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

TYPE = "curtainup:traffic:TrafficSwitch"


@dataclass(frozen=True)
class Backend:
    """A release behind the proxy.

    Attributes:
        release: its id, the server's name in HAProxy.
        address: `ip:port` as the proxy reaches it; fixed.
        container: name or id of its container, on the same Docker engine.
        pids_limit: how many processes and threads the container may hold; None leaves that alone.

    """

    release: str
    address: pulumi.Input[str]
    container: pulumi.Input[str]
    pids_limit: int | None = None


@dataclass(frozen=True)
class TrafficSwitchArgs:
    """What a traffic switch is made from.

    Attributes:
        proxy: name of the proxy's container.
        proxy_id: its id, so that a new container gets everything written again.
        backends: the releases behind it.
        traffic: by release id its share in per cent; the shares sum to 100.
        request_timeout: seconds that a release may stay silent before the client gets 504.
        drain_timeout: seconds that the requests of a removed release get to end by themselves.
        generation: of the stack's settings; a lower one than deployed is refused.
        gateway: the Docker host's address on the proxy's network, which alone may read the statistics.
        door: the address of the door in front of the proxy; None is none.
        maintenance: the page that users get instead of an answer; None lets them reach the releases.
        docker_host: the Docker engine's address; None is the environment's DOCKER_HOST.

    """

    proxy: pulumi.Input[str]
    proxy_id: pulumi.Input[str]
    backends: Sequence[Backend]
    traffic: Mapping[str, int]
    request_timeout: int
    drain_timeout: int
    generation: int
    gateway: str | None = None
    door: str | None = None
    maintenance: str | None = None
    docker_host: str | None = None


class TrafficSwitch(pulumi.CustomResource):
    """The releases behind a proxy, and what share of requests each gets.

    It creates no container, waits for no release to be healthy, and leaves the proxy as it is when
    it is itself removed.
    """

    proxy: pulumi.Output[str]
    traffic: pulumi.Output[dict[str, int]]
    weights: pulumi.Output[dict[str, int]]

    def __init__(
        self, name: str, args: TrafficSwitchArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        backends = [
            {
                "release": one.release,
                "address": one.address,
                "container": one.container,
                "pidsLimit": one.pids_limit,
            }
            for one in args.backends
        ]
        properties = {
            "proxy": args.proxy,
            "proxyId": args.proxy_id,
            "backends": backends,
            "traffic": dict(args.traffic),
            "requestTimeout": args.request_timeout,
            "drainTimeout": args.drain_timeout,
            "generation": args.generation,
            "gateway": args.gateway,
            "door": args.door,
            "maintenance": args.maintenance,
            "dockerHost": args.docker_host,
            "weights": None,
        }
        super().__init__(TYPE, name, properties, opts)
