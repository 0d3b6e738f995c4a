"""The door of a Docker host, as the driver writes it into stack configuration for the program to read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class DoorSettings(BaseModel):
    """What the door of a Docker host is made of.

    Attributes:
        image: the image of Caddy.
        name: a random name, which the door tells over HTTP, and a label of what it is made of.
        subnet: the network between the door and the proxies, in CIDR notation.
        outside: the network by which the door is reached, in CIDR notation.
        directory: of the ACME server; empty is Caddy's own choice.
        root: the root certificate of the ACME server, PEM; empty are the usual ones.
        email: that the ACME server gets; empty is none.
        dns: servers that the door asks; empty are those of the Docker engine.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str
    name: str
    subnet: str
    outside: str
    directory: str = ""
    root: str = ""
    email: str = ""
    dns: tuple[str, ...] = ()
