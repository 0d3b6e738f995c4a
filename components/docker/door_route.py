"""The way from the door to a proxy as the program declares it.

`curtainup.engine.provider.door_route` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

TYPE = "curtainup:door:DoorRoute"


@dataclass(frozen=True)
class DoorRouteArgs:
    """What a route is made from.

    Attributes:
        door: the name of the door's container.
        network: the network that the door and the proxy share.
        door_name: what the door answers if one knocks.
        host: the name for which the door lets requests in.
        proxy: the name of the proxy's container.
        proxy_id: its id, as a new container is on no network of the door's.
        owner: the stack that the name belongs to.
        certificate: the fingerprint of a certificate that the door has been given; None lets it get one.

    """

    door: str
    network: str
    door_name: str
    host: str
    proxy: pulumi.Input[str]
    proxy_id: pulumi.Input[str]
    owner: str
    certificate: str | None = None


class DoorRoute(pulumi.CustomResource):
    """A name for which the door lets requests in, its certificate, and the proxy that answers them.

    It makes neither the door nor the proxy, and starts neither of them again.
    """

    url: pulumi.Output[str]

    def __init__(self, name: str, args: DoorRouteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        properties = {
            "door": args.door,
            "network": args.network,
            "doorName": args.door_name,
            "host": args.host,
            "proxy": args.proxy,
            "proxyId": args.proxy_id,
            "owner": args.owner,
            "certificate": args.certificate,
            "url": None,
        }
        super().__init__(TYPE, name, properties, opts)
