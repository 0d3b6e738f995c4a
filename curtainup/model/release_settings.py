"""What a release runs with, besides its image and its secrets: a type for each target."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    # Entries of stack configuration hold secrets: what is wrong with one is said without showing it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Settings(_Model):
    """What a release runs with on any target, besides its image and its secrets.

    Attributes:
        container_port: where the service listens, given to it as PORT.
        health_path: answers 2xx when the release can serve.
        env: plain environment variables, PYM_ENV included.

    """

    container_port: int = Field(ge=1, le=65535)
    health_path: str = Field(pattern=r"^/")
    env: dict[str, str] = Field(default_factory=dict)


class DockerSettings(Settings):
    """What a container on a Docker host runs with.

    Attributes:
        memory_mb: limit of the container's memory, MiB.
        cpus: limit in CPU cores, or None for no limit.
        pids_limit: how many processes and threads the container may hold.
        stop_timeout: seconds between SIGTERM and SIGKILL.

    """

    memory_mb: int = Field(ge=16)
    cpus: float | None = None
    pids_limit: int = Field(ge=1)
    stop_timeout: int = Field(ge=0)


class CloudRunSettings(Settings):
    """What a Cloud Run revision runs with.

    Attributes:
        memory_mb: limit of one container's memory, MiB.
        cpus: limit in CPU cores of one container.
        concurrency: requests that one container handles at once.
        request_timeout: seconds that a request may take.
        start_timeout: seconds that a container may take to answer on `health_path`.

    """

    memory_mb: int = Field(ge=128)
    cpus: float = Field(gt=0)
    concurrency: int = Field(ge=1, le=1000)
    request_timeout: int = Field(ge=1, le=3600)
    start_timeout: int = Field(ge=1)


class BeanstalkSettings(Settings):
    """What the machines of a Beanstalk environment run with.

    Attributes:
        instance_type: the kind of machine.
        keypair: the key pair whose holder may log in to the machines, or None for nobody.
        request_timeout: seconds that a request may take.

    """

    instance_type: str
    keypair: str | None = None
    request_timeout: int = Field(ge=1)


AnySettings = DockerSettings | CloudRunSettings | BeanstalkSettings
"""What a release runs with on whichever target it is; their fields tell them apart."""


def variables(settings: Settings, version: str) -> dict[str, str]:
    """Return by name what a container of a release finds in its environment, PORT and VERSION included."""
    return {**settings.env, "PORT": str(settings.container_port), "VERSION": version}
