"""What the driver writes into stack configuration for the program to read, besides the releases.

These models and `curtainup.release` are all that the two halves share. Everything that the program
needs is in them: it never looks at `pym-config.yaml`, so a hand-run `pulumi up` on a fresh checkout
renders what was deployed and nothing else.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegistrySettings(_Model):
    """Where images are pushed.

    Attributes:
        host: as it begins an image's name, `127.0.0.1:PORT` for the local registry.
        local_port: the loopback port of the registry that curtainup runs, or None for a given one.
        image: the image of the local registry; empty for a given one.

    """

    host: str
    local_port: int | None = None
    image: str = ""


class ImageSettings(_Model):
    """What the image is built from.

    Attributes:
        service: the service's name.
        repository: the image's name without tag or digest.
        version: its tag, and its label `org.opencontainers.image.version`.
        revision: the commit it was built from.
        source: where that commit is to be found, for the label; may be empty.
        tree: hash of everything that the build reads; another one means another build.
        context: folder of the build context on this machine.
        dockerfile: the Dockerfile, relative to the context.
        log: file that the build's output goes to.
        base: given to a Dockerfile of the service's own as CURTAINUP_BASE, when it asks for it.
        push: whether the image is in the registry.

    """

    service: str
    repository: str
    version: str
    revision: str
    source: str = ""
    tree: str
    context: str
    dockerfile: str
    log: str
    base: str | None = None
    push: bool = False


class EnvironmentSettings(_Model):
    """What belongs to an environment on a Docker host and to none of its releases.

    Attributes:
        service: the service's name.
        name: `staging`, `live` or a review environment.
        target: the kind of place that it is on.
        host: how users reach it, for its URL.
        bind: the address that its port is published on.
        port: the port that users reach.
        stats_port: a port on the loopback interface where the proxy tells its state.
        subnet: the environment's own network, in CIDR notation.
        proxy_image: the image of the proxy.
        request_timeout: seconds that the proxy waits for a release's answer.
        drain_timeout: seconds that a release's last requests may take before it is removed.
        generation: rises with every change; an older one than deployed is refused.

    """

    service: str
    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    target: Literal["docker"] = "docker"
    host: str = "127.0.0.1"
    bind: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    stats_port: int = Field(ge=1, le=65535)
    subnet: str
    proxy_image: str
    request_timeout: int = Field(ge=1)
    drain_timeout: int = Field(ge=0)
    generation: int = 0

    @property
    def url(self) -> str:
        """Where users reach the environment."""
        return f"http://{self.host}:{self.port}"
