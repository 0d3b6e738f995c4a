"""The accessories of an environment, as the driver writes them for the program and reads them again."""

from __future__ import annotations

from pydantic import Field

from curtainup.model.release_settings import Frozen


class Accessory(Frozen):
    """What an accessory's container is made from. Another value of any of these needs another container.

    Attributes:
        name: of the accessory, and by which others find it.
        image: a reference.
        volume: the path in the container that is kept; empty keeps nothing.
        command: in place of the image's; empty is the image's own.
        env: plain variables.
        memory_mb: limit of its memory in MiB; None is no limit.
        stop_timeout: seconds between its stop signal and SIGKILL.
        secrets_hmac: keyed HMAC of its secrets; empty when it has none.

    """

    name: str = Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$")
    image: str
    volume: str = ""
    command: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    memory_mb: int | None = None
    stop_timeout: int = 60
    secrets_hmac: str = ""


class AccessoriesSettings(Frozen):
    """All accessories of one environment.

    Attributes:
        service: the service's name.
        environment: the environment's.
        subnet: their own network, in CIDR notation.
        state: a random name, a label of what they are made of; another state has another one.
        engine: the id of the Docker engine, where that is another machine's; empty for this machine's.
        accessories: in the order of their names.

    """

    service: str
    environment: str
    subnet: str
    state: str
    engine: str = ""
    accessories: tuple[Accessory, ...] = ()

    @property
    def network(self) -> str:
        """The network on which releases find them."""
        return network(self.service, self.environment)

    @property
    def is_disposable(self) -> bool:
        """Whether the data goes with the environment: a review environment's does."""
        return self.environment.startswith("review-")

    def find(self, name: str) -> Accessory | None:
        """Return the accessory of that name; None if there is none."""
        return next((one for one in self.accessories if one.name == name), None)

    def container(self, name: str) -> str:
        """Return the name of an accessory's container, and of its volume."""
        return container(self.service, self.environment, name)


def network(service: str, environment: str) -> str:
    """Return the network of an environment's accessories, which is also the name of their stack."""
    return f"{service}-{environment}-accessories"


def container(service: str, environment: str, name: str) -> str:
    """Return the name of an accessory's container, and of its volume."""
    return f"{service}-{environment}-{name}"
